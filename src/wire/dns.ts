/** DNS message: header and question, RFC 1035 section 4.1; the additional-section OPT record, RFC 6891 section 6.1.
 *
 *   Id(16) | QR(1) Opcode(4) AA(1) TC(1) RD(1) RA(1) Z(1) AD(1) CD(1) Rcode(4)
 *   QdCount(16) AnCount(16) NsCount(16) ArCount(16)
 *   question: name Type(16) Class(16)
 *   record:   name Type(16) Class(16) Ttl(32) DataLength(16) data
 *   OPT:      root 41 UdpSize(16) ExtendedRcode(8) Version(8) DO(1) Z(15) DataLength(16) { Code(16) Length(16) data } */
import { DNS_NAME_MAX, encodeDnsName } from './dns-name.js';

export const DNS = {
  ID: 0,
  FLAGS: 2,
  QDCOUNT: 4,
  ANCOUNT: 6,
  NSCOUNT: 8,
  ARCOUNT: 10,
  SIZE: 12,
} as const;

/** Offsets from behind a record's name; SIZE is what stands between name and data. */
export const DNS_RECORD = { TYPE: 0, CLASS: 2, TTL: 4, LENGTH: 8, SIZE: 10 } as const;
/** Type and class behind the question's name. */
export const DNS_QUESTION_TAIL = 4;

export const DNS_FLAG = {
  QR: 0x8000,
  AA: 0x0400,
  TC: 0x0200,
  RD: 0x0100,
  RA: 0x0080,
  Z: 0x0040,
  AD: 0x0020,
  CD: 0x0010,
} as const;

export const DNS_OPCODE = { QUERY: 0, NOTIFY: 4 } as const;
export const DNS_TYPE = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  OPT: 41,
} as const;
export const DNS_CLASS_IN = 1;
export const DNS_RCODE = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
} as const;
/** Names by value. */
export const DNS_RCODE_NAMES = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'] as const;

/** Largest message over UDP without EDNS, RFC 1035 section 4.2.1. */
export const DNS_UDP_MAX = 512;
/** Largest query that writeDnsQuery writes: a header and one question. */
export const DNS_QUERY_MAX = DNS.SIZE + DNS_NAME_MAX + DNS_QUESTION_TAIL;

export const dnsId = (p: DataView, at: number): number => p.getUint16(at + DNS.ID);
export const dnsFlags = (p: DataView, at: number): number => p.getUint16(at + DNS.FLAGS);
export const dnsOpcode = (p: DataView, at: number): number => (dnsFlags(p, at) >>> 11) & 15;
/** The header's four bits; an OPT record may extend them (RFC 6891). */
export const dnsRcode = (p: DataView, at: number): number => dnsFlags(p, at) & 15;
export const dnsQdCount = (p: DataView, at: number): number => p.getUint16(at + DNS.QDCOUNT);
export const dnsAnCount = (p: DataView, at: number): number => p.getUint16(at + DNS.ANCOUNT);
export const dnsNsCount = (p: DataView, at: number): number => p.getUint16(at + DNS.NSCOUNT);
export const dnsArCount = (p: DataView, at: number): number => p.getUint16(at + DNS.ARCOUNT);

export function writeDnsHeader(
  p: DataView,
  at: number,
  id: number,
  flags: number,
  questions: number,
  answers: number,
  authorities: number,
  additionals: number,
): void {
  p.setUint16(at + DNS.ID, id);
  p.setUint16(at + DNS.FLAGS, flags);
  p.setUint16(at + DNS.QDCOUNT, questions);
  p.setUint16(at + DNS.ANCOUNT, answers);
  p.setUint16(at + DNS.NSCOUNT, authorities);
  p.setUint16(at + DNS.ARCOUNT, additionals);
}

/** Write what stands between a record's name and its data; returns the offset of the data. */
export function writeDnsRecordHead(
  p: DataView,
  at: number,
  type: number,
  dnsClass: number,
  ttl: number,
  length: number,
): number {
  p.setUint16(at + DNS_RECORD.TYPE, type);
  p.setUint16(at + DNS_RECORD.CLASS, dnsClass);
  p.setUint32(at + DNS_RECORD.TTL, ttl);
  p.setUint16(at + DNS_RECORD.LENGTH, length);
  return at + DNS_RECORD.SIZE;
}

/** Write a query as glibc's res_mkquery does without EDNS: RD set, one question of class IN. Needs up to
 *  DNS_QUERY_MAX octets at `at`. Returns its length, or 0 when `name` is no domain name. */
export function writeDnsQuery(p: DataView, at: number, id: number, name: string, type: number): number {
  const encoded = encodeDnsName(name);
  if (encoded === null) return 0;
  writeDnsHeader(p, at, id, DNS_FLAG.RD, 1, 0, 0, 0);
  for (let i = 0; i < encoded.length; i++) p.setUint8(at + DNS.SIZE + i, encoded[i]!);
  const tail = at + DNS.SIZE + encoded.length;
  p.setUint16(tail, type);
  p.setUint16(tail + 2, DNS_CLASS_IN);
  return DNS.SIZE + encoded.length + DNS_QUESTION_TAIL;
}
