/** Resolves one name step by step, as glibc does: says what to ask, is told what came back, ends with a result.
 *
 *  It sends nothing. The caller sends each query of `next`, and gives its reply, or `null` for none in time, to
 *  `answer`, until `next` returns null:
 *
 *    for (let query = resolution.next(); query !== null; query = resolution.next()) resolution.answer(ask(query));
 *
 *  Not modelled: a truncated reply is taken as it is, where glibc asks again over TCP.
 *  Source: glibc resolv/res_query.c, res_send.c. */
import { DNS_RCODE, DNS_TYPE } from '../wire/dns.js';
import { readDnsMessage } from '../wire/dns-message.js';
import type { ResolvConf } from './resolv-conf.js';
import { candidates, resolverSettings } from './search.js';

export interface ResolverQuery {
  /** Absolute, without a last dot. */
  readonly name: string;
  /** DNS_TYPE.A or DNS_TYPE.AAAA. */
  readonly type: number;
  readonly nameserver: string;
  /** 1 for the first time that this question is put. */
  readonly attempt: number;
}

/** What a reply says, as far as a resolver cares. */
export interface ResolverReply {
  readonly rcode: number;
  /** u32 of each A record, in order. Answers of other types give none: an AAAA answer counts as an alias. */
  readonly addresses: readonly number[];
  /** There are answers without an address: an alias whose target has none. It ends the search with no data. */
  readonly hasBareAlias?: boolean;
}

/** getaddrinfo's words: NoName for HOST_NOT_FOUND, NoData, Again for TRY_AGAIN, Fail for NO_RECOVERY. */
export type ResolverError = 'NoName' | 'NoData' | 'Again' | 'Fail';

export interface ResolverResult {
  /** The candidate that was answered, or '' when none was. */
  readonly name: string;
  readonly addresses: readonly number[];
  readonly error: ResolverError | null;
}

/** How a question failed. */
type Failure = { readonly error: ResolverError; readonly isServerFailure: boolean };

export class Resolution {
  readonly #names: readonly string[];
  readonly #nameservers: readonly string[];
  readonly #types: readonly number[];
  readonly #attempts: number;
  readonly #isAsIsFirst: boolean;
  readonly #bare: string;
  #candidate = 0;
  #type = 0;
  #server = 0;
  #attempt = 1;
  /** Errors of the current candidate, one for each type that failed. */
  #failures: Failure[] = [];
  #firstError: ResolverError | null = null;
  /** Seen under the search list; the name as it is does not count. */
  #isNoDataSeen = false;
  #isServerFailureSeen = false;
  #addresses: number[] = [];
  #result: ResolverResult | null = null;

  /** `types` are asked for each candidate in order; A alone, or A then AAAA for a caller of both families. */
  constructor(conf: ResolvConf, name: string, types: readonly number[] = [DNS_TYPE.A]) {
    this.#names = candidates(name, conf);
    // No nameserver line means the resolver on this host (resolv.conf(5)).
    this.#nameservers = conf.nameservers.length > 0 ? conf.nameservers : ['127.0.0.1'];
    this.#types = types;
    this.#attempts = Math.max(1, resolverSettings(conf).attempts);
    this.#bare = name.replace(/(.)\.$/, '$1');
    this.#isAsIsFirst = this.#names[0] === this.#bare;
    if (this.#names.length === 0) this.#result = { name: '', addresses: [], error: 'NoName' };
  }

  /** The query to send now, or null when all is said: then `result` is there. */
  next(): ResolverQuery | null {
    if (this.#result !== null) return null;
    return {
      name: this.#names[this.#candidate]!,
      type: this.#types[this.#type]!,
      nameserver: this.#nameservers[this.#server]!,
      attempt: this.#attempt,
    };
  }

  /** What came back for the last query: a whole DNS message, its gist, or null when nothing came in time. */
  answer(reply: Uint8Array | ResolverReply | null): void {
    if (this.#result !== null) return;
    const gist = reply instanceof Uint8Array ? gistOf(reply) : reply;
    if (isTriedElsewhere(gist) && this.#moveOn()) return;
    this.#server = 0;
    this.#attempt = 1;
    const isAnswer =
      gist?.rcode === DNS_RCODE.NOERROR && (gist.addresses.length > 0 || gist.hasBareAlias === true);
    if (isAnswer) this.#addresses.push(...gist.addresses);
    else this.#failures.push(failureOf(gist));
    this.#type++;
    if (this.#type === this.#types.length) this.#endCandidate();
  }

  /** Null until `next` has returned null. */
  get result(): ResolverResult | null {
    return this.#result;
  }

  /** Put the same question to the next nameserver, or again from the first; false when all were asked. */
  #moveOn(): boolean {
    this.#server++;
    if (this.#server < this.#nameservers.length) return true;
    this.#server = 0;
    this.#attempt++;
    return this.#attempt <= this.#attempts;
  }

  #endCandidate(): void {
    const name = this.#names[this.#candidate]!;
    if (this.#failures.length < this.#types.length) {
      const error = this.#addresses.length > 0 ? null : 'NoData';
      this.#result = { name, addresses: this.#addresses, error };
      return;
    }
    const { error, isServerFailure } = this.#failures[0]!;
    const isAsIs = name === this.#bare;
    this.#firstError ??= error;
    if (!isAsIs && error === 'NoData') this.#isNoDataSeen = true;
    if (!isAsIs && isServerFailure) this.#isServerFailureSeen = true;
    this.#type = 0;
    this.#failures = [];
    this.#candidate++;
    // What is neither a negative answer nor a failed server ends the search, but the name as it is is still tried.
    if (!isAsIs && !isServerFailure && isFinal(error)) this.#candidate = this.#lastAsIs();
    if (this.#candidate >= this.#names.length)
      this.#result = { name: '', addresses: [], error: this.#finalError(error) };
  }

  #lastAsIs(): number {
    const last = this.#names.length - 1;
    return !this.#isAsIsFirst && this.#names[last] === this.#bare ? last : this.#names.length;
  }

  /** The first query's error if the name was first tried as it is; else no data and a failed server, if seen
   *  under the search list, come before what the last query said. */
  #finalError(lastError: ResolverError): ResolverError {
    if (this.#isAsIsFirst) return this.#firstError ?? lastError;
    if (this.#isNoDataSeen) return 'NoData';
    return this.#isServerFailureSeen ? 'Again' : lastError;
  }
}

/** An unreadable reply counts as none. */
function gistOf(bytes: Uint8Array): ResolverReply | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const message = readDnsMessage(view, 0, bytes.length);
  if (message === null || !message.isResponse) return null;
  const addresses = message.answers
    .filter((record) => record.type === DNS_TYPE.A)
    .map((record) => record.address);
  return {
    rcode: message.rcode,
    addresses,
    hasBareAlias: message.answers.length > 0 && addresses.length === 0,
  };
}

/** The rcodes, and silence, that make glibc turn to the next nameserver. */
const isTriedElsewhere = (reply: ResolverReply | null): boolean =>
  reply === null ||
  reply.rcode === DNS_RCODE.SERVFAIL ||
  reply.rcode === DNS_RCODE.NOTIMP ||
  reply.rcode === DNS_RCODE.REFUSED;

function failureOf(reply: ResolverReply | null): Failure {
  if (reply?.rcode === DNS_RCODE.NXDOMAIN) return { error: 'NoName', isServerFailure: false };
  if (reply?.rcode === DNS_RCODE.NOERROR) return { error: 'NoData', isServerFailure: false };
  if (reply?.rcode === DNS_RCODE.FORMERR) return { error: 'Fail', isServerFailure: false };
  return { error: 'Again', isServerFailure: reply?.rcode === DNS_RCODE.SERVFAIL };
}

const isFinal = (error: ResolverError): boolean => error === 'Again' || error === 'Fail';
