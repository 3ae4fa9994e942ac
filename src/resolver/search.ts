/** Which names a C library asks for, and in which order, to resolve one name: search list and ndots.
 *  Sources: resolver(5), resolv.conf(5); glibc resolv/res_query.c (__res_context_search), res_init.c. */
import { encodeDnsName } from '../wire/dns-name.js';
import type { ResolvConf } from './resolv-conf.js';

/** Bounds and defaults of glibc's resolv.h. */
const NDOTS_DEFAULT = 1;
const NDOTS_MAX = 15;
const ATTEMPTS_DEFAULT = 2;
const ATTEMPTS_MAX = 5;
const TIMEOUT_DEFAULT_SEC = 5;
const TIMEOUT_MAX_SEC = 30;

/** What the options of a resolv.conf amount to. */
export interface ResolverSettings {
  readonly ndots: number;
  /** Rounds over all nameservers. */
  readonly attempts: number;
  readonly timeoutMs: number;
}

export function resolverSettings(conf: ResolvConf): ResolverSettings {
  return {
    ndots: numberOption(conf, 'ndots', NDOTS_DEFAULT, NDOTS_MAX),
    attempts: numberOption(conf, 'attempts', ATTEMPTS_DEFAULT, ATTEMPTS_MAX),
    timeoutMs: numberOption(conf, 'timeout', TIMEOUT_DEFAULT_SEC, TIMEOUT_MAX_SEC) * 1000,
  };
}

function numberOption(conf: ResolvConf, name: string, fallback: number, max: number): number {
  const value = conf.options.findLast((option) => option.name === name)?.value ?? null;
  if (value === null) return fallback;
  // As atoi: leading digits count, anything else is zero.
  return Math.min(max, Math.max(0, Number.parseInt(value, 10) || 0));
}

/** Names to ask for, first to last, each absolute and without a last dot; the root is `.`.
 *
 *  With a last dot: the name alone. With at least ndots dots: as it is, then under each search domain. With
 *  fewer: under each search domain, then as it is. What is too long to be asked for is left out. */
export function candidates(name: string, conf: ResolvConf): string[] {
  const isAbsolute = name.endsWith('.');
  const bare = isAbsolute ? name.slice(0, -1) || '.' : name;
  const dots = name.split('.').length - 1;
  // The root on the search list asks for the bare name there, and then not once more at the end.
  const searched = conf.searches.map((domain) =>
    domain === '.' || domain === '' ? bare : `${bare}.${domain}`,
  );
  const order = isAbsolute
    ? [bare]
    : dots >= resolverSettings(conf).ndots
      ? [bare, ...searched]
      : [...searched, ...(searched.includes(bare) ? [] : [bare])];
  return order.filter((candidate) => encodeDnsName(candidate) !== null);
}
