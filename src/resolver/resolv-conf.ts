/** A pod's resolv.conf, as the kubelet makes it from dnsPolicy, dnsConfig, cluster DNS and the node's own file.
 *  Source: kubernetes/kubernetes pkg/kubelet/network/dns/dns.go. */
import type { ClusterDns, DnsConfig, Pod } from '../model/cluster.js';

export interface ResolvConf {
  /** Addresses as text, in the order in which they are asked. */
  readonly nameservers: readonly string[];
  /** Domains without a last dot. */
  readonly searches: readonly string[];
  readonly options: readonly ResolvOption[];
}

export interface ResolvOption {
  readonly name: string;
  readonly value: string | null;
}

/** What a file without a line means, and a node of which nothing is known. */
export const EMPTY_RESOLV_CONF: ResolvConf = { nameservers: [], searches: [], options: [] };

/** Limits of what is written into the pod; the rest is cut off at the end. */
const NAMESERVERS_MAX = 3;
const SEARCHES_MAX = 32;
const SEARCH_LINE_MAX = 2048;
const DOMAIN_MAX = 253;
const NDOTS = { name: 'ndots', value: '5' };

/** The resolv.conf of `pod`. `dns` is the cluster's; with no DNS address in it, ClusterFirst falls back to the
 *  node's file, `node`. */
export function podResolvConf(
  pod: Pick<Pod, 'namespace' | 'dnsPolicy' | 'dnsConfig' | 'isHostNetwork'>,
  dns: ClusterDns,
  node: ResolvConf = EMPTY_RESOLV_CONF,
): ResolvConf {
  return fitLimits(withDnsConfig(baseConf(pod, dns, node), pod.dnsConfig));
}

function baseConf(
  pod: Pick<Pod, 'namespace' | 'dnsPolicy' | 'isHostNetwork'>,
  dns: ClusterDns,
  node: ResolvConf,
): ResolvConf {
  if (pod.dnsPolicy === 'None') return EMPTY_RESOLV_CONF;
  const isCluster =
    pod.dnsPolicy === 'ClusterFirstWithHostNet' || (pod.dnsPolicy === 'ClusterFirst' && !pod.isHostNetwork);
  if (!isCluster || dns.address === 0) return node;
  const { domain } = dns;
  const own = domain === '' ? [] : [`${pod.namespace}.svc.${domain}`, `svc.${domain}`, domain];
  // The node's search list is kept, its options are not.
  return {
    nameservers: [dotted(dns.address)],
    searches: withoutRepeats([...own, ...node.searches]),
    options: [NDOTS],
  };
}

/** dnsConfig is appended; its options replace those of the same name. The kubelet's order of options is that of
 *  a Go map, different each time; here the base's come first. */
function withDnsConfig(base: ResolvConf, config: DnsConfig | null): ResolvConf {
  if (config === null) return base;
  const options = new Map(base.options.map((option) => [option.name, option]));
  for (const option of config.options) options.set(option.name, option);
  return {
    nameservers: withoutRepeats([...base.nameservers, ...config.nameservers]),
    searches: withoutRepeats([...base.searches, ...config.searches]),
    options: [...options.values()],
  };
}

function fitLimits(conf: ResolvConf): ResolvConf {
  const searches = conf.searches.slice(0, SEARCHES_MAX).filter((domain) => domain.length <= DOMAIN_MAX);
  while (searches.join(' ').length > SEARCH_LINE_MAX) searches.pop();
  return { ...conf, nameservers: conf.nameservers.slice(0, NAMESERVERS_MAX), searches };
}

const withoutRepeats = (items: readonly string[]): string[] => [...new Set(items)];

const dotted = (address: number): string =>
  [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.');

/** The file's text, in the order in which container runtimes write it. */
export function formatResolvConf(conf: ResolvConf): string {
  const lines: string[] = [];
  if (conf.searches.length > 0) lines.push(`search ${conf.searches.join(' ')}`);
  for (const nameserver of conf.nameservers) lines.push(`nameserver ${nameserver}`);
  const options = conf.options.map(({ name, value }) => (value === null ? name : `${name}:${value}`));
  if (options.length > 0) lines.push(`options ${options.join(' ')}`);
  return lines.map((line) => `${line}\n`).join('');
}

/** Read a node's resolv.conf. The last `search` and the last `options` line hold, as resolv.conf(5) says;
 *  lines that are none of the three are passed over. */
export function parseResolvConf(text: string): ResolvConf {
  const nameservers: string[] = [];
  let searches: string[] = [];
  let options: ResolvOption[] = [];
  for (const line of text.split('\n')) {
    const [keyword, ...words] = line.trim().split(/\s+/);
    if (keyword === 'nameserver' && words[0] !== undefined) nameservers.push(words[0]);
    if (keyword === 'search') searches = words.map((word) => (word === '.' ? word : word.replace(/\.$/, '')));
    if (keyword === 'options') options = words.map(parseOption);
  }
  return { nameservers, searches, options };
}

function parseOption(word: string): ResolvOption {
  const colon = word.indexOf(':');
  return colon < 0
    ? { name: word, value: null }
    : { name: word.slice(0, colon), value: word.slice(colon + 1) };
}
