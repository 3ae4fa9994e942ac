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
  DNS_RECORD,
  DNS_TYPE,
  DNS_UDP_MAX,
  dnsFlags,
  dnsId,
  dnsOpcode,
  writeDnsHeader,
  writeDnsRecordHead,
} from '../../wire/dns.js';
import { copyOctets, OPT_SIZE, optSize, writeOpt } from './opt.js';
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
/** A pointer to the question's name, which begins behind the header. */
const QUESTION_POINTER = 0xc000 | DNS.SIZE;

/** A header alone: what the DNS library itself sends back. It keeps the query's other flags.
 *  FORMERR names opcode 0 whatever the query's was. */
export function writeBareReply(p: DataView, queryAt: number, rcode: number, outAt: number): number {
  const kept = dnsFlags(p, queryAt) & (DNS_FLAG.TC | DNS_FLAG.RD | DNS_FLAG.RA | DNS_FLAG.AD | DNS_FLAG.CD);
  const opcode = rcode === 1 ? DNS_OPCODE.QUERY : dnsOpcode(p, queryAt);
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

/** Write the reply at `outAt`; returns its length.
 *
 *  Names are written out in full while the whole message fits the client's buffer; if not, owners become
 *  pointers, and what still does not fit is left out and TC set. (The real library compresses targets of
 *  aliases as well, which matters only to a truncated message with aliases.) */
export function writeReply(
  tables: DnsTables,
  query: DnsQuery,
  reply: DnsReply,
  p: DataView,
  bytes: Uint8Array,
  outAt: number,
): number {
  const additional = query.optAt < 0 ? 0 : OPT_SIZE + optSize(p, query.optAt);
  const budget = Math.max(DNS_UDP_MAX, clientSize(query, reply, p)) - additional;
  const isCompressed = fullSize(tables, query, reply) > budget;
  const limit = outAt + budget;
  let at = writeQuestion(query, p, bytes, outAt);
  let answers = 0;
  let authorities = 0;

  // Octets of the owner name when written out, and where its last copy lies in the reply.
  let owner = query.nameSize;
  let ownerAt = outAt + DNS.SIZE;
  let isWhole = true;
  for (let i = 0; i < reply.aliasCount && isWhole; i++) {
    const target = tables.names.count[reply.aliases[i]!]!;
    const nameSize = isCompressed ? POINTER_SIZE : owner;
    isWhole = at + nameSize + DNS_RECORD.SIZE + target <= limit;
    if (!isWhole) break;
    at = writeOwner(p, bytes, at, outAt, ownerAt, owner, isCompressed);
    at = writeDnsRecordHead(p, at, DNS_TYPE.CNAME, DNS_CLASS_IN, tables.zone.ttl[0]!, target);
    ownerAt = at;
    owner = target;
    at = copyOctets(tables.bytes.octet, tables.names.first[reply.aliases[i]!]!, target, bytes, at);
    answers++;
  }
  const addresses = reply.podAddress >= 0 ? 1 : reply.count;
  const addressSize = (isCompressed ? POINTER_SIZE : owner) + DNS_RECORD.SIZE + ADDRESS_SIZE;
  for (let i = 0; i < addresses && isWhole; i++) {
    isWhole = at + addressSize <= limit;
    if (!isWhole) break;
    at = writeOwner(p, bytes, at, outAt, ownerAt, owner, isCompressed);
    at = writeDnsRecordHead(p, at, DNS_TYPE.A, DNS_CLASS_IN, tables.zone.ttl[0]!, ADDRESS_SIZE);
    const address = reply.podAddress >= 0 ? reply.podAddress : tables.addresses.address[reply.first + i]!;
    p.setUint32(at, address);
    at += ADDRESS_SIZE;
    answers++;
  }
  if (reply.isVersion) {
    at = writeOwner(p, bytes, at, outAt, ownerAt, owner, isCompressed);
    at = writeDnsRecordHead(p, at, DNS_TYPE.TXT, DNS_CLASS_IN, VERSION_TTL, VERSION_TEXT.length);
    at = copyOctets(VERSION_TEXT, 0, VERSION_TEXT.length, bytes, at);
    answers++;
  }
  if (reply.soa !== SoaPlace.None) {
    const zoneSize = isCompressed ? POINTER_SIZE : tables.zone.nameSize[0]!;
    isWhole = at + 3 * zoneSize + SOA_FIXED_SIZE <= limit;
    if (isWhole) {
      const pointer = 0xc000 | (DNS.SIZE + reply.zoneAt - query.nameAt);
      at = writeSoa(tables.zone, p, bytes, reply.zoneAt, isCompressed ? pointer : 0, at);
      if (reply.soa === SoaPlace.Answer) answers++;
      else authorities++;
    }
  }
  const flags = replyFlags(p, query.at, reply.isAuthoritative, reply.rcode) | (isWhole ? 0 : DNS_FLAG.TC);
  if (query.optAt >= 0) at = writeOpt(p, bytes, query.optAt, clientSize(query, reply, p), at);
  writeDnsHeader(p, outAt, dnsId(p, query.at), flags, 1, answers, authorities, query.optAt < 0 ? 0 : 1);
  return at - outAt;
}

/** What the client says it can take, lowered to the server's own bound; 0 without EDNS. */
const clientSize = (query: DnsQuery, reply: DnsReply, p: DataView): number =>
  query.optAt < 0 ? 0 : Math.min(p.getUint16(query.optAt + DNS_RECORD.CLASS), reply.bufferSize);

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

function writeOwner(
  p: DataView,
  bytes: Uint8Array,
  at: number,
  outAt: number,
  ownerAt: number,
  ownerSize: number,
  isCompressed: boolean,
): number {
  if (isCompressed) {
    const isQuestion = ownerAt === outAt + DNS.SIZE;
    p.setUint16(at, isQuestion ? QUESTION_POINTER : 0xc000 | (ownerAt - outAt));
    return at + POINTER_SIZE;
  }
  bytes.copyWithin(at, ownerAt, ownerAt + ownerSize);
  return at + ownerSize;
}
