/** Reads a query as the DNS server's library does before any plugin sees it: which are ignored, which refused.
 *  Sources: miekg/dns acceptfunc.go, msg.go (Unpack), server.go (serveDNS); coredns/coredns core/dnsserver/server.go. */
import {
  DNS,
  DNS_FLAG,
  DNS_OPCODE,
  DNS_QUESTION_TAIL,
  DNS_RECORD,
  DNS_TYPE,
  dnsAnCount,
  dnsArCount,
  dnsFlags,
  dnsNsCount,
  dnsOpcode,
  dnsQdCount,
} from '../../wire/dns.js';
import { dnsNameEnd, plainDnsNameSize } from '../../wire/dns-name.js';

/** What is to be done with a message. */
export const DnsRead = {
  Query: 0,
  /** A header cut short, or a response: no reply, as any reply could be used to amplify. */
  Ignore: 1,
  FormErr: 2,
  NotImp: 3,
  /** A header that promises a question with nothing behind it: accepted by the library, refused by the server. */
  NoQuestion: 4,
} as const;

/** Where the parts of the query being answered lie; offsets into the packet's bytes. */
export interface DnsQuery {
  at: number;
  nameAt: number;
  nameSize: number;
  type: number;
  dnsClass: number;
  /** Offset behind the OPT record's name, or -1 when the query has none. */
  optAt: number;
}

/** Read the message [at, end) into `query`; allocates nothing. Returns a DnsRead.
 *
 *  Data of records is checked by its length only, and OPT by the lengths of its options. Narrower than the
 *  library in one point: a pointer in the question, where no earlier name exists to point to, is a format error. */
export function readDnsQuery(query: DnsQuery, p: DataView, at: number, end: number): number {
  if (end - at < DNS.SIZE || (dnsFlags(p, at) & DNS_FLAG.QR) !== 0) return DnsRead.Ignore;
  const opcode = dnsOpcode(p, at);
  if (opcode !== DNS_OPCODE.QUERY && opcode !== DNS_OPCODE.NOTIFY) return DnsRead.NotImp;
  if (dnsQdCount(p, at) !== 1) return DnsRead.FormErr;
  if (dnsAnCount(p, at) > 1 || dnsNsCount(p, at) > 1 || dnsArCount(p, at) > 2) return DnsRead.FormErr;
  if (end - at === DNS.SIZE) return DnsRead.NoQuestion;
  query.at = at;
  query.optAt = -1;
  query.nameAt = at + DNS.SIZE;
  query.nameSize = plainDnsNameSize(p, query.nameAt, end);
  if (query.nameSize < 0) return DnsRead.FormErr;
  const tail = query.nameAt + query.nameSize;
  // A message may end behind the name, or behind the type: what is absent counts as zero.
  const left = end - tail;
  if (left === 1 || left === 3) return DnsRead.FormErr;
  query.type = left === 0 ? 0 : p.getUint16(tail);
  query.dnsClass = left < DNS_QUESTION_TAIL ? 0 : p.getUint16(tail + 2);
  if (left < DNS_QUESTION_TAIL) return DnsRead.Query;
  return readRecords(query, p, tail + DNS_QUESTION_TAIL, end);
}

/** Walk the records behind the question. Counts that promise more than there is are believed as far as the
 *  bytes go; a record cut short is a format error. The last OPT record counts. */
function readRecords(query: DnsQuery, p: DataView, from: number, end: number): number {
  const first = dnsAnCount(p, query.at) + dnsNsCount(p, query.at);
  const count = first + dnsArCount(p, query.at);
  let at = from;
  for (let i = 0; i < count && at < end; i++) {
    const head = dnsNameEnd(p, query.at, at, end);
    if (head < 0 || head + DNS_RECORD.SIZE > end) return DnsRead.FormErr;
    at = head + DNS_RECORD.SIZE + p.getUint16(head + DNS_RECORD.LENGTH);
    if (at > end) return DnsRead.FormErr;
    if (i < first || p.getUint16(head) !== DNS_TYPE.OPT) continue;
    if (!areOptionsWhole(p, head + DNS_RECORD.SIZE, at)) return DnsRead.FormErr;
    query.optAt = head;
  }
  return DnsRead.Query;
}

function areOptionsWhole(p: DataView, from: number, end: number): boolean {
  let at = from;
  while (at + 4 <= end) at += 4 + p.getUint16(at + 2);
  return at === end;
}
