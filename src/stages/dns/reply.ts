/** Writes DNS replies: records in CoreDNS' order, sizes and flags, made to fit what the client can take.
 *  Sources: miekg/dns defaults.go (SetReply, SetRcodeFormatError), msg_truncate.go; coredns/coredns
 *  request/request.go (SizeAndDo, Scrub), plugin/backend_lookup.go (SOA), plugin/pkg/edns. */
import type { DnsTables } from '../../tables/dns-table.js';
import {
  DNS,
  DNS_CLASS_IN,
  DNS_FLAG,
  DNS_OPCODE,
  DNS_QUESTION_TAIL,
  DNS_RCODE,
  DNS_RECORD,
  DNS_TYPE,
  DNS_UDP_MAX,
  dnsFlags,
  dnsId,
  dnsOpcode,
  writeDnsHeader,
  writeDnsRecordHead,
} from '../../wire/dns.js';
import { DNS_POINTER } from '../../wire/dns-name.js';
import { OPT_SIZE, optSize, writeOpt } from './opt.js';
import type { DnsQuery } from './query.js';
import { SOA_FIXED_SIZE, writeSoa } from './soa.js';

/** The bufsize that OpenShift's Corefile sets. */
export const DNS_BUFFER_SIZE = 1232;

export const SoaPlace = { None: 0, Authority: 1, Answer: 2 } as const;

/** What a reply is to say; the query's parts are beside it. */
export interface DnsReply {
  rcode: number;
  isAuthoritative: boolean;
  /** Most that the client's own buffer size is believed. */
  bufferSize: number;
  /** Where in the query's name the zone begins, for its SOA; -1 outside the zone. */
  zoneAt: number;
  soa: number;
  /** The schema's version as TXT. */
  isVersion: boolean;
  /** Rows of DNS_NAMES that are aliases, each the target of the one before. */
  readonly aliases: Int32Array;
  aliasCount: number;
  /** A run of DNS_ADDRESSES. */
  first: number;
  count: number;
  /** One address more that no table holds, u32, or -1. */
  podAddress: number;
}

/** The version of the schema (kubernetes/dns docs/specification.md) as TXT data: a length octet, then text. */
const VERSION_TEXT = Uint8Array.of(5, 49, 46, 49, 46, 48);
const VERSION_TTL = 28_800;
const ADDRESS_SIZE = 4;
const POINTER_SIZE = 2;
const POINTER = DNS_POINTER << 8;

/** A header alone: what the DNS library itself sends back. It keeps the query's other flags.
 *  FORMERR names opcode 0 whatever the query's was. */
export function writeBareReply(p: DataView, queryAt: number, rcode: number, outAt: number): number {
  const kept = dnsFlags(p, queryAt) & (DNS_FLAG.TC | DNS_FLAG.RD | DNS_FLAG.RA | DNS_FLAG.AD | DNS_FLAG.CD);
  const opcode = rcode === DNS_RCODE.FORMERR ? DNS_OPCODE.QUERY : dnsOpcode(p, queryAt);
  writeDnsHeader(p, outAt, dnsId(p, queryAt), DNS_FLAG.QR | (opcode << 11) | kept | rcode, 0, 0, 0, 0);
  return DNS.SIZE;
}

/** BADVERS, 16: its upper bits go into a fresh OPT record, its lower four are zero in the header (RFC 6891). */
export function writeBadVersion(query: DnsQuery, p: DataView, bytes: Uint8Array, outAt: number): number {
  const at = writeQuestion(query, p, bytes, outAt);
  writeDnsHeader(p, outAt, dnsId(p, query.at), replyFlags(p, query.at, false, 0), 1, 0, 0, 1);
  p.setUint8(at, 0);
  return writeDnsRecordHead(p, at + 1, DNS_TYPE.OPT, 0, 0x01000000, 0) - outAt;
}

/** The reply being written: its bytes, and how far it is. */
const OUT = {
  start: 0,
  at: 0,
  /** One past the last octet that records may take. */
  limit: 0,
  isCompressed: false,
  /** No record has been left out. */
  isWhole: true,
  /** The last owner's name in the reply. */
  ownerAt: 0,
  ownerSize: 0,
  answers: 0,
};

/** Write the reply at `outAt`; returns its length.
 *
 *  Names are written out in full while the whole message fits the client's buffer; if not, owners become
 *  pointers, and what still does not fit is left out and TC set. (The real library compresses targets of
 *  aliases as well, which matters only to a message with aliases that is too long.) */
export function writeReply(
  tables: DnsTables,
  query: DnsQuery,
  reply: DnsReply,
  p: DataView,
  bytes: Uint8Array,
  outAt: number,
): number {
  const hasOpt = query.optAt >= 0;
  const udpSize = hasOpt ? Math.min(p.getUint16(query.optAt + DNS_RECORD.CLASS), reply.bufferSize) : 0;
  const budget = Math.max(DNS_UDP_MAX, udpSize) - (hasOpt ? OPT_SIZE + optSize(p, query.optAt) : 0);
  OUT.start = outAt;
  OUT.limit = outAt + budget;
  OUT.isCompressed = fullSize(tables, query, reply) > budget;
  OUT.isWhole = true;
  OUT.ownerAt = outAt + DNS.SIZE;
  OUT.ownerSize = query.nameSize;
  OUT.answers = 0;
  OUT.at = writeQuestion(query, p, bytes, outAt);

  writeAliases(tables, reply, p, bytes);
  writeAddresses(tables, reply, p, bytes);
  if (reply.isVersion) writeVersion(p, bytes);
  const hasSoa = reply.soa !== SoaPlace.None && writeZoneSoa(tables, query, reply, p, bytes);

  if (hasOpt) OUT.at = writeOpt(p, bytes, query.optAt, udpSize, OUT.at);
  const isAnswerSoa = hasSoa && reply.soa === SoaPlace.Answer;
  writeDnsHeader(
    p,
    outAt,
    dnsId(p, query.at),
    replyFlags(p, query.at, reply.isAuthoritative, reply.rcode) | (OUT.isWhole ? 0 : DNS_FLAG.TC),
    1,
    OUT.answers + (isAnswerSoa ? 1 : 0),
    hasSoa && !isAnswerSoa ? 1 : 0,
    hasOpt ? 1 : 0,
  );
  return OUT.at - outAt;
}

function writeAliases(tables: DnsTables, reply: DnsReply, p: DataView, bytes: Uint8Array): void {
  for (let i = 0; i < reply.aliasCount; i++) {
    const row = reply.aliases[i]!;
    const size = tables.names.count[row]!;
    if (!writeHead(p, bytes, DNS_TYPE.CNAME, tables.zone.ttl[0]!, size)) return;
    OUT.ownerAt = OUT.at;
    OUT.ownerSize = size;
    copyOctets(tables.bytes.octet, tables.names.first[row]!, size, bytes);
  }
}

function writeAddresses(tables: DnsTables, reply: DnsReply, p: DataView, bytes: Uint8Array): void {
  const count = reply.podAddress >= 0 ? 1 : reply.count;
  for (let i = 0; i < count; i++) {
    if (!writeHead(p, bytes, DNS_TYPE.A, tables.zone.ttl[0]!, ADDRESS_SIZE)) return;
    const address = reply.podAddress >= 0 ? reply.podAddress : tables.addresses.address[reply.first + i]!;
    p.setUint32(OUT.at, address);
    OUT.at += ADDRESS_SIZE;
  }
}

function writeVersion(p: DataView, bytes: Uint8Array): void {
  if (writeHead(p, bytes, DNS_TYPE.TXT, VERSION_TTL, VERSION_TEXT.length))
    copyOctets(VERSION_TEXT, 0, VERSION_TEXT.length, bytes);
}

function writeZoneSoa(
  tables: DnsTables,
  query: DnsQuery,
  reply: DnsReply,
  p: DataView,
  bytes: Uint8Array,
): boolean {
  const nameSize = OUT.isCompressed ? POINTER_SIZE : tables.zone.nameSize[0]!;
  OUT.isWhole &&= OUT.at + 3 * nameSize + SOA_FIXED_SIZE <= OUT.limit;
  if (!OUT.isWhole) return false;
  const pointer = OUT.isCompressed ? POINTER | (DNS.SIZE + reply.zoneAt - query.nameAt) : 0;
  OUT.at = writeSoa(tables.zone, p, bytes, reply.zoneAt, pointer, OUT.at);
  return true;
}

/** Begin an answer record of `length` octets of data, owned by the last owner. False when it does not fit: then
 *  neither it nor any later one is written. */
function writeHead(p: DataView, bytes: Uint8Array, type: number, ttl: number, length: number): boolean {
  const nameSize = OUT.isCompressed ? POINTER_SIZE : OUT.ownerSize;
  OUT.isWhole &&= OUT.at + nameSize + DNS_RECORD.SIZE + length <= OUT.limit;
  if (!OUT.isWhole) return false;
  if (OUT.isCompressed) p.setUint16(OUT.at, POINTER | (OUT.ownerAt - OUT.start));
  else bytes.copyWithin(OUT.at, OUT.ownerAt, OUT.ownerAt + OUT.ownerSize);
  OUT.at = writeDnsRecordHead(p, OUT.at + nameSize, type, DNS_CLASS_IN, ttl, length);
  OUT.answers++;
  return true;
}

/** One by one: a subarray for TypedArray.set would allocate. */
function copyOctets(from: Uint8Array, fromAt: number, size: number, to: Uint8Array): void {
  for (let i = 0; i < size; i++) to[OUT.at + i] = from[fromAt + i]!;
  OUT.at += size;
}

/** Length of the reply with every name written out, OPT aside. */
function fullSize(tables: DnsTables, query: DnsQuery, reply: DnsReply): number {
  let size = DNS.SIZE + query.nameSize + DNS_QUESTION_TAIL;
  let owner = query.nameSize;
  for (let i = 0; i < reply.aliasCount; i++) {
    const target = tables.names.count[reply.aliases[i]!]!;
    size += owner + DNS_RECORD.SIZE + target;
    owner = target;
  }
  const addresses = reply.podAddress >= 0 ? 1 : reply.count;
  size += addresses * (owner + DNS_RECORD.SIZE + ADDRESS_SIZE);
  if (reply.isVersion) size += owner + DNS_RECORD.SIZE + VERSION_TEXT.length;
  if (reply.soa !== SoaPlace.None) size += 3 * tables.zone.nameSize[0]! + SOA_FIXED_SIZE;
  return size;
}

function replyFlags(p: DataView, queryAt: number, isAuthoritative: boolean, rcode: number): number {
  const opcode = dnsOpcode(p, queryAt);
  const kept = opcode === DNS_OPCODE.QUERY ? dnsFlags(p, queryAt) & (DNS_FLAG.RD | DNS_FLAG.CD) : 0;
  return DNS_FLAG.QR | (opcode << 11) | kept | (isAuthoritative ? DNS_FLAG.AA : 0) | rcode;
}

/** The question as it was asked, case included; a type or class that was absent is written as zero. */
function writeQuestion(query: DnsQuery, p: DataView, bytes: Uint8Array, outAt: number): number {
  const at = outAt + DNS.SIZE;
  bytes.copyWithin(at, query.nameAt, query.nameAt + query.nameSize);
  p.setUint16(at + query.nameSize, query.type);
  p.setUint16(at + query.nameSize + 2, query.dnsClass);
  return at + query.nameSize + DNS_QUESTION_TAIL;
}
