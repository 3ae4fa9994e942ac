/** Writes what cluster DNS answers for one Service into a live table set. */
import { isDeepStrictEqual } from 'node:util';
import type { LiveBuffers } from '../layout/live-buffers.js';
import type { Service } from '../model/service.js';
import { DnsKind, type DnsNames, type DnsTables, dnsNameHash, lookupDnsName } from '../tables/dns-table.js';
import { type Answer, collectService, EMPTY_ROW, NAME_MAX, wireName } from './dns.js';
import { Runs } from './runs.js';

const COLUMNS = ['hash', 'nameAt', 'first', 'count', 'nameSize', 'kind'] as const;

export class DnsDelta {
  readonly #buffers: LiveBuffers;
  readonly #zone: string;
  readonly #addresses: Runs;
  #octets: number;
  #names: number;
  /** Where the octets of names lie that are in no row now: pods come and go, and are ready again. */
  readonly #unused = new Map<string, number>();

  /** `tables` as they were compiled. */
  constructor(buffers: LiveBuffers, tables: DnsTables, domain: string) {
    this.#buffers = buffers;
    this.#zone = domain.toLowerCase();
    this.#addresses = new Runs(tables.addresses.rows, tables.addresses.capacity);
    this.#octets = tables.bytes.rows;
    this.#names = countNames(tables.names);
  }

  /** Rows in use of DNS_ADDRESSES and DNS_BYTES. */
  get rows(): { readonly addresses: number; readonly octets: number } {
    return { addresses: this.#addresses.end, octets: this.#octets };
  }

  /** Bring the names of a Service up to date in `tables`. False when there is no room. */
  change(tables: DnsTables, before: Service | null, after: Service | null): boolean {
    const old = new Map<string, Answer>();
    const fresh = new Map<string, Answer>();
    if (before !== null) collectService(before, this.#zone, old);
    if (after !== null) collectService(after, this.#zone, fresh);
    for (const [name, answer] of old) {
      const now = fresh.get(name);
      // An alias is never written over, nor written over others: its octets are no run of addresses.
      const isOther = now === undefined || 'alias' in answer || 'alias' in now;
      if (isOther && !isDeepStrictEqual(answer, now)) this.#remove(tables, name, answer);
    }
    for (const [name, answer] of fresh)
      if (!isDeepStrictEqual(answer, old.get(name)) && !this.#put(tables, name, answer)) return false;
    return true;
  }

  #put(tables: DnsTables, name: string, answer: Answer): boolean {
    const key = wireName(name);
    if (key.length > NAME_MAX) return true;
    const { names } = tables;
    let row = lookupDnsName(names, tables.bytes.octet, key, 0, key.length);
    if (row < 0) {
      if ((this.#names + 1) * 2 > names.capacity) return false;
      const nameAt = this.#place(tables, name, key);
      if (nameAt < 0) return false;
      row = this.#insert(tables, key, nameAt);
    }
    return 'alias' in answer
      ? this.#setAlias(tables, row, answer.alias)
      : this.#setAddresses(tables, row, answer.addresses);
  }

  #setAlias(tables: DnsTables, row: number, alias: string): boolean {
    const target = wireName(alias);
    const at = this.#place(tables, alias, target);
    if (at < 0) return false;
    this.#buffers.set(tables.names.first, row, at);
    this.#buffers.set(tables.names.count, row, target.length);
    this.#buffers.set(tables.names.kind, row, DnsKind.Alias);
    return true;
  }

  #setAddresses(tables: DnsTables, row: number, addresses: readonly number[]): boolean {
    const { names } = tables;
    const first = this.#addresses.resize(names.first[row]!, names.count[row]!, addresses.length);
    if (first < 0) return false;
    addresses.forEach((address, i) => {
      this.#buffers.set(tables.addresses.address, first + i, address);
    });
    this.#buffers.set(names.first, row, first);
    this.#buffers.set(names.count, row, addresses.length);
    this.#buffers.set(names.kind, row, addresses.length === 0 ? DnsKind.Empty : DnsKind.Addresses);
    return true;
  }

  /** Where the name's octets lie, put there if need be; -1 when there is no room. */
  #place(tables: DnsTables, name: string, key: Uint8Array): number {
    const known = this.#unused.get(name);
    this.#unused.delete(name);
    if (known !== undefined) return known;
    const at = this.#octets;
    if (at + key.length > tables.bytes.capacity) return -1;
    this.#buffers.setBytes(tables.bytes.octet, at, key);
    this.#octets += key.length;
    return at;
  }

  #insert({ names }: DnsTables, key: Uint8Array, nameAt: number): number {
    const hash = dnsNameHash(key, 0, key.length);
    const mask = names.capacity - 1;
    let row = hash & mask;
    while (names.kind[row] !== DnsKind.Unused) row = (row + 1) & mask;
    const values = { ...EMPTY_ROW, hash, nameAt, nameSize: key.length, kind: DnsKind.Empty };
    for (const column of COLUMNS) this.#buffers.set(names[column], row, values[column]);
    this.#names++;
    return row;
  }

  /** Remove a name, and close the gap so that every other is still found from its own slot on. */
  #remove({ names, bytes }: DnsTables, name: string, answer: Answer): void {
    const key = wireName(name);
    const row = lookupDnsName(names, bytes.octet, key, 0, key.length);
    if (row < 0) return;
    this.#unused.set(name, names.nameAt[row]!);
    if ('alias' in answer) this.#unused.set(answer.alias, names.first[row]!);
    else this.#addresses.resize(names.first[row]!, names.count[row]!, 0);
    this.#names--;
    const mask = names.capacity - 1;
    let gap = row;
    for (let at = (row + 1) & mask; names.kind[at] !== DnsKind.Unused; at = (at + 1) & mask) {
      const home = names.hash[at]! & mask;
      // It may move up to the gap when that is not before its own slot.
      if (((at - home) & mask) < ((at - gap) & mask)) continue;
      for (const column of COLUMNS) this.#buffers.set(names[column], gap, names[column][at]!);
      gap = at;
    }
    for (const column of COLUMNS) this.#buffers.set(names[column], gap, EMPTY_ROW[column]);
  }
}

const countNames = ({ kind }: DnsNames): number =>
  kind.reduce((sum, one) => sum + (one === DnsKind.Unused ? 0 : 1), 0);

/** Slots that a table of names lacks to take a quarter more of them. */
export const spareNameSlots = (names: DnsNames): number =>
  countNames(names) * 8 > names.capacity * 3 ? names.capacity : 0;

/** Put every name where it belongs, now that the table has more slots. */
export function spreadNames(names: DnsNames): void {
  const mask = names.capacity - 1;
  const old = COLUMNS.map((column) => names[column].slice());
  for (const column of COLUMNS) names[column].fill(EMPTY_ROW[column]);
  const kinds = old[COLUMNS.indexOf('kind')]!;
  const hashes = old[COLUMNS.indexOf('hash')]!;
  for (let from = 0; from < kinds.length; from++) {
    if (kinds[from] === DnsKind.Unused) continue;
    let row = hashes[from]! & mask;
    while (names.kind[row] !== DnsKind.Unused) row = (row + 1) & mask;
    COLUMNS.forEach((column, i) => {
      names[column][row] = old[i]![from]!;
    });
  }
}
