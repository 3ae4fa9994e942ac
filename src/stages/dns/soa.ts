/** The SOA record that CoreDNS makes up for the cluster's zone (coredns/coredns plugin/backend_lookup.go). */
import type { DnsTables } from '../../tables/dns-table.js';
import { DNS_CLASS_IN, DNS_RECORD, DNS_TYPE, writeDnsRecordHead } from '../../wire/dns.js';

/** ns.dns and hostmaster in wire form; the zone's name follows each. */
const PRIMARY = Uint8Array.of(2, 110, 115, 3, 100, 110, 115);
const MAILBOX = Uint8Array.of(10, 104, 111, 115, 116, 109, 97, 115, 116, 101, 114);
/** Serial, refresh, retry, expire, minimum. */
const NUMBERS_SIZE = 20;
const REFRESH = 7200;
const RETRY = 1800;
const EXPIRE = 86_400;
/** A SOA's own TTL is at most this. */
const TTL_MAX = 300;

/** Octets of the record besides the zone's name, which it has three times. */
export const SOA_FIXED_SIZE = DNS_RECORD.SIZE + PRIMARY.length + MAILBOX.length + NUMBERS_SIZE;

/** Write the record at `at`; returns the offset behind it. The zone's name is `pointer` when that is not 0,
 *  else copied from `bytes[zoneAt]`, where the query has it: the answer keeps the query's case. */
export function writeSoa(
  zone: DnsTables['zone'],
  p: DataView,
  bytes: Uint8Array,
  zoneAt: number,
  pointer: number,
  at: number,
): number {
  const ttl = zone.ttl[0]!;
  const zoneSize = zone.nameSize[0]!;
  const nameSize = pointer === 0 ? zoneSize : 2;
  const length = PRIMARY.length + MAILBOX.length + 2 * nameSize + NUMBERS_SIZE;
  let out = writeZone(p, bytes, zoneAt, zoneSize, pointer, at);
  out = writeDnsRecordHead(p, out, DNS_TYPE.SOA, DNS_CLASS_IN, Math.min(ttl, TTL_MAX), length);
  bytes.set(PRIMARY, out);
  out = writeZone(p, bytes, zoneAt, zoneSize, pointer, out + PRIMARY.length);
  bytes.set(MAILBOX, out);
  out = writeZone(p, bytes, zoneAt, zoneSize, pointer, out + MAILBOX.length);
  p.setUint32(out, zone.serial[0]!);
  p.setUint32(out + 4, REFRESH);
  p.setUint32(out + 8, RETRY);
  p.setUint32(out + 12, EXPIRE);
  p.setUint32(out + 16, ttl);
  return out + NUMBERS_SIZE;
}

function writeZone(
  p: DataView,
  bytes: Uint8Array,
  zoneAt: number,
  zoneSize: number,
  pointer: number,
  at: number,
): number {
  if (pointer !== 0) {
    p.setUint16(at, pointer);
    return at + 2;
  }
  bytes.copyWithin(at, zoneAt, zoneAt + zoneSize);
  return at + zoneSize;
}
