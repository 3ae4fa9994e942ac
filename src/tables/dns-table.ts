/** What cluster DNS serves: names of the zone to addresses or to another name.
 *
 *  DNS_NAMES    open addressing, linear probing, power-of-two slots, load <= 0.5
 *    hash u32[n] | nameAt u32[n] | first u32[n] | count u16[n] | nameSize u8[n] | kind u8[n]
 *    key: the name in wire form, lower case (nameAt, nameSize: a run of DNS_BYTES); hash: dnsNameHash of it
 *    empty: kind = Unused.  A miss ends at the first empty slot; the compiler sizes the table, so it never fills.
 *    kind Empty:     the name exists and has no record (apex names)
 *    kind Addresses: first, count: a run of DNS_ADDRESSES
 *    kind Alias:     first, count: the target's name in wire form, a run of DNS_BYTES
 *  DNS_ADDRESSES  address u32[n], host order, in the order they are answered
 *  DNS_BYTES      octet u8[n]
 *  DNS_ZONE       one row: what holds for the whole zone
 *    serial u32 | ttl u32 | nameAt u32 | podMode u32 | nameSize u8
 *  All columns are fixed: written by compile/dns, then read-only; shared by all workers. */
import { type ColumnType, layout, type Table, type TableLayout, type TableOf } from '../layout/layout.js';

export const DNS_NAMES = layout('DNN1', {
  hash: 'u32',
  nameAt: 'u32',
  first: 'u32',
  count: 'u16',
  nameSize: 'u8',
  kind: 'u8',
});
export const DNS_ADDRESSES = layout('DNA1', { address: 'u32' });
export const DNS_BYTES = layout('DNB1', { octet: 'u8' });
export const DNS_ZONE = layout('DNZ1', {
  serial: 'u32',
  ttl: 'u32',
  nameAt: 'u32',
  podMode: 'u32',
  nameSize: 'u8',
});

export const DnsKind = { Unused: 0, Empty: 1, Addresses: 2, Alias: 3 } as const;
/** How a-b-c-d.ns.pod.ZONE is answered. Insecure: with a.b.c.d, whether or not such a pod exists. */
export const DnsPodMode = { Disabled: 0, Insecure: 1 } as const;

export type DnsNames = TableOf<typeof DNS_NAMES>;

export interface DnsTables {
  readonly names: DnsNames;
  readonly addresses: TableOf<typeof DNS_ADDRESSES>;
  readonly bytes: TableOf<typeof DNS_BYTES>;
  readonly zone: TableOf<typeof DNS_ZONE>;
}

/** The order in which compile/dns gives the tables and openDns opens them. */
export const DNS_ORDER = [DNS_NAMES, DNS_ADDRESSES, DNS_BYTES, DNS_ZONE] as const;

const MISS = -1;

/** Open the four tables, which lie from table number `first` on; `open` is that of openTables. */
export function openDns(
  open: <C extends Readonly<Record<string, ColumnType>>>(i: number, table: TableLayout<C>) => Table<C>,
  first: number,
): DnsTables {
  return {
    names: open(first, DNS_NAMES),
    addresses: open(first + 1, DNS_ADDRESSES),
    bytes: open(first + 2, DNS_BYTES),
    zone: open(first + 3, DNS_ZONE),
  };
}

/** Row of the name in wire form at `bytes[at, at + size)`, any case, without pointers; -1 when there is none.
 *  `octets` is DNS_BYTES' column. */
export function lookupDnsName(
  names: DnsNames,
  octets: Uint8Array,
  bytes: Uint8Array,
  at: number,
  size: number,
): number {
  const mask = names.capacity - 1;
  const hash = dnsNameHash(bytes, at, size);
  let row = hash & mask;
  for (let probe = 0; probe <= mask; probe++) {
    if (names.kind[row] === DnsKind.Unused) return MISS;
    if (
      names.hash[row] === hash &&
      names.nameSize[row] === size &&
      sameDnsName(octets, names.nameAt[row]!, bytes, at, size)
    )
      return row;
    row = (row + 1) & mask;
  }
  return MISS;
}

/** FNV-1a, 32 bits, of a name in wire form as if in lower case. */
export function dnsNameHash(bytes: Uint8Array, at: number, size: number): number {
  let hash = 0x811c9dc5;
  const end = at + size;
  for (let i = at; i < end; i++) hash = Math.imul(hash ^ lower(bytes[i]!), 0x01000193);
  return hash >>> 0;
}

/** Are the `size` octets at `key[keyAt]`, lower case, the name at `bytes[at]`, any case? */
export function sameDnsName(
  key: Uint8Array,
  keyAt: number,
  bytes: Uint8Array,
  at: number,
  size: number,
): boolean {
  for (let i = 0; i < size; i++) if (key[keyAt + i] !== lower(bytes[at + i]!)) return false;
  return true;
}

/** ASCII only (RFC 4343). A length octet is at most 63, so it is never taken for a letter. */
const lower = (octet: number): number => (octet >= 0x41 && octet <= 0x5a ? octet | 0x20 : octet);
