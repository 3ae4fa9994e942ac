/** A whole DNS message as an object, for resolvers, traces and tests; the server's path reads fields in place. */
import {
  DNS,
  DNS_FLAG,
  DNS_QUESTION_TAIL,
  DNS_RECORD,
  DNS_TYPE,
  dnsFlags,
  dnsId,
  dnsOpcode,
  dnsRcode,
} from './dns.js';
import { dnsNameEnd, readDnsName } from './dns-name.js';

export interface DnsMessage {
  readonly id: number;
  readonly opcode: number;
  readonly rcode: number;
  readonly isResponse: boolean;
  readonly isAuthoritative: boolean;
  readonly isTruncated: boolean;
  readonly isRecursionDesired: boolean;
  readonly isRecursionAvailable: boolean;
  readonly questions: readonly DnsQuestion[];
  readonly answers: readonly DnsRecord[];
  readonly authorities: readonly DnsRecord[];
  readonly additionals: readonly DnsRecord[];
}

export interface DnsQuestion {
  /** Without the last dot, case as on the wire. */
  readonly name: string;
  readonly type: number;
  readonly dnsClass: number;
}

export interface DnsRecord extends DnsQuestion {
  /** Seconds; for OPT the extended flags. */
  readonly ttl: number;
  /** u32 of an A record; -1 for other types. */
  readonly address: number;
  /** Target of a CNAME, NS or PTR, primary server of a SOA; '' for other types. */
  readonly target: string;
  /** A copy of the record's data, names in it still compressed. */
  readonly data: Uint8Array;
}

/** Read the message [at, end). Returns null when a count, a name or a length does not fit into it. */
export function readDnsMessage(p: DataView, at: number, end: number): DnsMessage | null {
  if (end - at < DNS.SIZE) return null;
  const flags = dnsFlags(p, at);
  const questions: DnsQuestion[] = [];
  const here = readQuestions(p, at, end, questions);
  const sections: [DnsRecord[], DnsRecord[], DnsRecord[]] = [[], [], []];
  let next = here;
  for (let section = 0; section < 3 && next >= 0; section++) {
    const count = p.getUint16(at + DNS.ANCOUNT + section * 2);
    for (let i = 0; i < count && next >= 0; i++) next = readRecord(p, at, next, end, sections[section]!);
  }
  if (next < 0) return null;
  return {
    id: dnsId(p, at),
    opcode: dnsOpcode(p, at),
    rcode: dnsRcode(p, at),
    isResponse: (flags & DNS_FLAG.QR) !== 0,
    isAuthoritative: (flags & DNS_FLAG.AA) !== 0,
    isTruncated: (flags & DNS_FLAG.TC) !== 0,
    isRecursionDesired: (flags & DNS_FLAG.RD) !== 0,
    isRecursionAvailable: (flags & DNS_FLAG.RA) !== 0,
    questions,
    answers: sections[0],
    authorities: sections[1],
    additionals: sections[2],
  };
}

function readQuestions(p: DataView, start: number, end: number, into: DnsQuestion[]): number {
  let at = start + DNS.SIZE;
  const count = p.getUint16(start + DNS.QDCOUNT);
  for (let i = 0; i < count; i++) {
    const name = readDnsName(p, start, at, end);
    const tail = dnsNameEnd(p, start, at, end);
    if (name === null || tail + DNS_QUESTION_TAIL > end) return -1;
    into.push({ name, type: p.getUint16(tail), dnsClass: p.getUint16(tail + 2) });
    at = tail + DNS_QUESTION_TAIL;
  }
  return at;
}

function readRecord(p: DataView, start: number, at: number, end: number, into: DnsRecord[]): number {
  const name = readDnsName(p, start, at, end);
  const head = dnsNameEnd(p, start, at, end);
  if (name === null || head + DNS_RECORD.SIZE > end) return -1;
  const type = p.getUint16(head + DNS_RECORD.TYPE);
  const length = p.getUint16(head + DNS_RECORD.LENGTH);
  const dataAt = head + DNS_RECORD.SIZE;
  const dataEnd = dataAt + length;
  if (dataEnd > end) return -1;
  const isName =
    type === DNS_TYPE.CNAME || type === DNS_TYPE.NS || type === DNS_TYPE.PTR || type === DNS_TYPE.SOA;
  const target = isName ? readDnsName(p, start, dataAt, dataEnd) : '';
  if (target === null || (type === DNS_TYPE.A && length !== 4)) return -1;
  into.push({
    name,
    type,
    dnsClass: p.getUint16(head + DNS_RECORD.CLASS),
    ttl: p.getUint32(head + DNS_RECORD.TTL),
    address: type === DNS_TYPE.A ? p.getUint32(dataAt) : -1,
    target,
    data: new Uint8Array(p.buffer, p.byteOffset + dataAt, length).slice(),
  });
  return dataEnd;
}
