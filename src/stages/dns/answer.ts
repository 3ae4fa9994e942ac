/** Answers one DNS query as the cluster's CoreDNS does, from compiled tables and without state.
 *  Sources: coredns/coredns plugin/kubernetes/handler.go and kubernetes.go, plugin/backend_lookup.go,
 *  core/dnsserver/server.go; openshift/cluster-dns-operator testdata/default_corefile. */
import { DnsKind, type DnsTables, lookupDnsName, sameDnsName } from '../../tables/dns-table.js';
import { DNS_CLASS_IN, DNS_RCODE, DNS_RECORD, DNS_TYPE } from '../../wire/dns.js';
import { type DnsQuery, DnsRead, readDnsQuery } from './query.js';
import {
  DNS_BUFFER_SIZE,
  type DnsReply,
  SoaPlace,
  writeBadVersion,
  writeBareReply,
  writeReply,
} from './reply.js';
import { dnsZoneAt, podAddress } from './zone.js';

/** Longest chain of aliases that is followed; beyond it, and in a loop, the name has no data. */
const ALIASES_MAX = 8;
/** dns-version in wire form, without what follows. */
const VERSION_LABEL = Uint8Array.of(11, 100, 110, 115, 45, 118, 101, 114, 115, 105, 111, 110);

// One query is answered at a time, so its parts live in two objects that are filled anew for each.
const QUERY: DnsQuery = { at: 0, nameAt: 0, nameSize: 0, type: 0, dnsClass: 0, optAt: -1 };
const REPLY: DnsReply = {
  rcode: 0,
  isAuthoritative: false,
  bufferSize: 0,
  zoneAt: -1,
  soa: SoaPlace.None,
  isVersion: false,
  aliases: new Int32Array(ALIASES_MAX),
  aliasCount: 0,
  first: 0,
  count: 0,
  podAddress: -1,
};

/** Answer the DNS message `bytes[queryAt, queryEnd)`, writing the reply at `outAt`. `p` and `bytes` are views of
 *  the same memory. The reply must not overlap the query and takes at most 1232 octets more than it.
 *  Returns the reply's length; 0 means no reply (a response, or a header cut short). Allocates nothing.
 *
 *  In the zone: A with TTL 5 and AA; else NXDOMAIN or no data, both with the zone's SOA. Names outside would be
 *  forwarded, and no upstream exists here: SERVFAIL, at once, where the real server first spends up to 5 s
 *  trying. RA stays 0, as replies of the kubernetes plugin have it (coredns/coredns issue 3835 logs qr,aa,rd). */
export function answerDns(
  tables: DnsTables,
  p: DataView,
  bytes: Uint8Array,
  queryAt: number,
  queryEnd: number,
  outAt: number,
): number {
  switch (readDnsQuery(QUERY, p, queryAt, queryEnd)) {
    case DnsRead.Query:
      break;
    case DnsRead.FormErr:
      return writeBareReply(p, queryAt, DNS_RCODE.FORMERR, outAt);
    case DnsRead.NotImp:
      return writeBareReply(p, queryAt, DNS_RCODE.NOTIMP, outAt);
    case DnsRead.NoQuestion:
      return writeBareReply(p, queryAt, DNS_RCODE.SERVFAIL, outAt);
    default:
      return 0;
  }
  clear(REPLY);
  if (QUERY.dnsClass !== DNS_CLASS_IN) {
    REPLY.rcode = DNS_RCODE.REFUSED;
    return writeReply(tables, QUERY, REPLY, p, bytes, outAt);
  }
  if (QUERY.optAt >= 0 && p.getUint8(QUERY.optAt + DNS_RECORD.TTL + 1) !== 0)
    return writeBadVersion(QUERY, p, bytes, outAt);
  // The bufsize plugin: it lowers what the client says it can take, before anything else looks at it.
  REPLY.bufferSize = DNS_BUFFER_SIZE;
  REPLY.zoneAt = dnsZoneAt(tables, bytes, QUERY.nameAt, QUERY.nameSize);
  if (REPLY.zoneAt < 0) REPLY.rcode = DNS_RCODE.SERVFAIL;
  else answerInZone(tables, bytes);
  return writeReply(tables, QUERY, REPLY, p, bytes, outAt);
}

function clear(reply: DnsReply): void {
  reply.rcode = DNS_RCODE.NOERROR;
  reply.isAuthoritative = false;
  reply.bufferSize = 0xffff;
  reply.zoneAt = -1;
  reply.soa = SoaPlace.None;
  reply.isVersion = false;
  reply.aliasCount = 0;
  reply.count = 0;
  reply.podAddress = -1;
}

function answerInZone(tables: DnsTables, bytes: Uint8Array): void {
  REPLY.isAuthoritative = true;
  if (QUERY.type === DNS_TYPE.SOA && REPLY.zoneAt === QUERY.nameAt) REPLY.soa = SoaPlace.Answer;
  else if (QUERY.type === DNS_TYPE.TXT) answerText(bytes);
  else answerName(tables, bytes, QUERY.nameAt, QUERY.nameSize, REPLY.zoneAt);
  const isAnswered =
    REPLY.aliasCount + REPLY.count > 0 ||
    REPLY.podAddress >= 0 ||
    REPLY.isVersion ||
    REPLY.soa !== SoaPlace.None;
  if (!isAnswered) REPLY.soa = SoaPlace.Authority;
}

/** TXT is not looked up at all: the schema's version, else no data, even where the name does not exist. */
function answerText(bytes: Uint8Array): void {
  REPLY.isVersion =
    REPLY.zoneAt - QUERY.nameAt === VERSION_LABEL.length &&
    sameDnsName(VERSION_LABEL, 0, bytes, QUERY.nameAt, VERSION_LABEL.length);
}

/** Look a name up in `bytes`: the query's own, or an alias' target in the tables. */
function answerName(tables: DnsTables, bytes: Uint8Array, at: number, size: number, zoneAt: number): void {
  const { names } = tables;
  const row = lookupDnsName(names, tables.bytes.octet, bytes, at, size);
  if (row < 0) {
    answerPod(tables, bytes, at, zoneAt);
    return;
  }
  const kind = names.kind[row];
  if (kind === DnsKind.Addresses && QUERY.type === DNS_TYPE.A) {
    REPLY.first = names.first[row]!;
    REPLY.count = names.count[row]!;
  } else if (kind === DnsKind.Alias) answerAlias(tables, row);
  else REPLY.aliasCount = 0;
}

function answerPod(tables: DnsTables, bytes: Uint8Array, at: number, zoneAt: number): void {
  const address = podAddress(tables, bytes, at, zoneAt);
  if (address >= 0 && QUERY.type === DNS_TYPE.A) {
    REPLY.podAddress = address;
    return;
  }
  // A dead end behind an alias takes the alias with it: the name exists, and has no data.
  if (address < 0 && REPLY.aliasCount === 0) REPLY.rcode = DNS_RCODE.NXDOMAIN;
  REPLY.aliasCount = 0;
}

/** ExternalName. The target's addresses follow when it is in the zone; when it is not, the real server asks
 *  upstream and passes the bare alias on if that fails. */
function answerAlias(tables: DnsTables, row: number): void {
  const isFollowed = QUERY.type === DNS_TYPE.A || QUERY.type === DNS_TYPE.AAAA;
  if (REPLY.aliasCount === ALIASES_MAX || (!isFollowed && QUERY.type !== DNS_TYPE.CNAME)) {
    REPLY.aliasCount = 0;
    return;
  }
  REPLY.aliases[REPLY.aliasCount++] = row;
  if (!isFollowed) return;
  const { names } = tables;
  const octets = tables.bytes.octet;
  const zoneAt = dnsZoneAt(tables, octets, names.first[row]!, names.count[row]!);
  if (zoneAt >= 0) answerName(tables, octets, names.first[row]!, names.count[row]!, zoneAt);
}
