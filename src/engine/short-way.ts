/** Between the long way and the short one: remembers what the long way did with a packet, and hands batches to the kernel. */

import { PATH, PATH_FLAG, repeatsAt } from '../kernels/path-columns.js';
import { LATEST, type ShortPathViews, type shortPath } from '../kernels/short-path.js';
import type { InputBatch, OutputBatch } from '../packet/batch.js';
import type { Ledger } from '../packet/ledger.js';
import type { Walk } from '../stages/walk.js';
import type { Conntrack } from '../tables/conntrack.js';
import { PathCache } from '../tables/paths.js';
import { Reason } from '../verdict/reasons.js';
import { Verdict } from '../verdict/verdict.js';
import { ICMP } from '../wire/icmp.js';
import { IPV4, ipv4Dst, ipv4Protocol, ipv4Src, PROTOCOL } from '../wire/ipv4.js';
import { TCP_FLAG, tcpFlags } from '../wire/tcp.js';

/** Drops that the next packet of the connection meets in the same way. */
const KNOWN_DROPS: ReadonlySet<number> = new Set([
  Reason.PolicyIngress,
  Reason.PolicyEgress,
  Reason.TenantIsolated,
]);

/** Spaces that keys can name: 24 bits less the sign. */
const SPACES = 1 << 23;

export class ShortWay {
  readonly paths: PathCache;
  /** Added to the nodes' spaces in the keys of paths, so that paths of earlier table sets are found no more. */
  space = 0;
  readonly #conntrack: Conntrack;
  readonly #views: ShortPathViews;
  readonly #kernel: typeof shortPath;
  /** The run's keys. */
  #keys: Int32Array = new Int32Array(0);
  /** How often the cache had been emptied when the run was looked up. */
  #clears = 0;
  // The frame as it came in; its addresses and ports are in the kernel's keys.
  #at = 0;
  #askFirst = 0;
  #askLast = 0;

  constructor(conntrack: Conntrack, limit: number, kernel: typeof shortPath) {
    this.#conntrack = conntrack;
    this.#kernel = kernel;
    this.paths = new PathCache(limit);
    // Columns of batch and tables are put in before each use.
    this.#views = { counts: new Float64Array(8) } as ShortPathViews;
  }

  /** Another table set is in force, of `after` nodes instead of `before`: every packet takes the long way again. */
  forget(before: number, after: number): void {
    this.space += before + 1;
    if (this.space + after + 1 < SPACES) return;
    this.space = 0;
    this.paths.clear();
  }

  /** The batch that take() works on, and the run's keys and rows. */
  useBatch(input: InputBatch, output: OutputBatch, keys: Int32Array, found: Int32Array): void {
    const v = this.#views;
    this.#keys = keys;
    v.counts[LATEST] = Number.NEGATIVE_INFINITY;
    v.p = input.arena.view;
    v.bytes = input.arena.bytes;
    v.offset = input.offset;
    v.length = input.length;
    v.tsNs = input.tsNs;
    v.port = input.port;
    v.sequence = input.sequence;
    v.found = found;
    v.origin = output.origin;
    v.packet = output.packet;
    v.parent = output.parent;
    v.root = output.root;
    v.verdict = output.verdict;
    v.reason = output.reason;
    v.exit = output.exit;
    v.outOffset = output.offset;
    v.outLength = output.length;
    v.outTsNs = output.tsNs;
    v.endpoint = output.endpoint;
    v.service = output.service;
  }

  /** The run's rows have been looked up just now. */
  beginRun(): void {
    this.#clears = this.paths.clears;
  }

  /** As kernels/short-path; a table that has grown meanwhile is looked at anew. */
  take(first: number, end: number, base: number, out: number, number: number, limitNs: number): number {
    const v = this.#views;
    // The first is often unknown, among connections that begin: not worth the call.
    if (first === end || v.found[first - base]! < 0 || this.paths.clears !== this.#clears) return first;
    const { paths } = this;
    const table = this.#conntrack;
    v.paths = paths.rows;
    v.connections = table.rows;
    v.times = table.times;
    return this.#kernel(v, first, end, base, out, number, limitNs);
  }

  /** The latest time of the batch's packets that take() took. */
  get latestNs(): number {
    return this.#views.counts[LATEST]!;
  }

  /** Put the kernel's counts into the ledger. */
  addCounts(ledger: Ledger): void {
    const { counts } = this.#views;
    ledger.delivered += counts[Verdict.Delivered]!;
    ledger.left += counts[Verdict.Left]!;
    ledger.dropped += counts[Verdict.Dropped]!;
    counts.fill(0, 0, LATEST);
  }

  /** A packet is about to take the long way. */
  begin(w: Walk): void {
    this.#at = w.at;
    this.#askFirst = w.p.getInt32(w.at, true);
    this.#askLast = w.p.getUint16(w.at + 4, true);
  }

  /** It has taken it: keep the path, if the next packet of its kind would go the same. Its key begins at keys[at].
   *  Returns the path's row, or -1. */
  remember(w: Walk, port: number, at: number, hash: number): number {
    if (!this.#isRepeatable(w)) return -1;
    const { p, l3, l4 } = w;
    const keys = this.#keys;
    const base = this.paths.claim(keys, at, hash);
    const row = this.paths.rows;
    const src = ipv4Src(p, l3) | 0;
    const dst = ipv4Dst(p, l3) | 0;
    const isEcho = ipv4Protocol(p, l3) === PROTOCOL.ICMP;
    const portsAt = isEcho ? l4 + ICMP.ID : l4;
    const ports = isEcho ? p.getUint16(portsAt) << 16 : p.getInt32(portsAt);
    const oldPorts = isEcho ? keys[at + 2]! & ~0xffff : keys[at + 2]!;
    const addresses = difference(keys[at]!, src) + difference(keys[at + 1]!, dst);
    const transport = difference(oldPorts, ports) + (isEcho ? 0 : addresses);
    const isNat = src !== keys[at] || dst !== keys[at + 1] || ports !== oldPorts;
    const flags =
      (isNat ? PATH_FLAG.NAT : 0) |
      (w.forwards > 0 ? PATH_FLAG.MAC : 0) |
      (w.checksIp ? PATH_FLAG.CHECKS_IP : 0);
    row[base + PATH.PORT] = port;
    row[base + PATH.SHAPE] = (w.forwards << 8) | (flags << 16) | this.#putTouches(w, row, base);
    row[base + PATH.OUTCOME] = w.verdict | (w.reason << 8);
    row[base + PATH.EXIT] = w.exit;
    row[base + PATH.SERVICE] = w.service;
    row[base + PATH.ENDPOINT] = w.endpoint;
    row[base + PATH.SRC] = p.getInt32(l3 + IPV4.SRC, true);
    row[base + PATH.DST] = p.getInt32(l3 + IPV4.DST, true);
    row[base + PATH.PORTS] = p.getInt32(portsAt, true);
    row[base + PATH.DELTAS] = fold(addresses + forwarding(w.forwards)) | (fold(transport + ALL_ONES) << 16);
    row[base + PATH.ASK_MAC] = this.#askFirst;
    row[base + PATH.ASK_MAC + 1] = this.#askLast;
    for (let i = 0; i < 3; i++) row[base + PATH.MACS + i] = p.getInt32(w.at + 4 * i, true);
    row[base + PATH.MTU] = w.mtu;
    return base / PATH.ROW;
  }

  /** The connections that it met, each direction once, into the path's row. Returns their part of its shape. */
  #putTouches(w: Walk, row: Int32Array, base: number): number {
    let count = 0;
    let repeats = 0;
    let areDistinct = true;
    for (let i = 0; i < w.touchCount; i++) {
      const touch = w.touches[i]!;
      let k = 0;
      for (; k < count && row[base + PATH.TOUCH + k] !== touch; k++)
        if (row[base + PATH.TOUCH + k]! >> 1 === touch >> 1) areDistinct = false;
      if (k < count) {
        repeats += 1 << repeatsAt(k);
        continue;
      }
      row[base + PATH.TOUCH + k] = touch;
      row[base + PATH.BORN + k] = this.#conntrack.born(touch >> 1);
      count++;
    }
    return count | repeats | (areDistinct ? PATH_FLAG.DISTINCT << 16 : 0);
  }

  #isRepeatable(w: Walk): boolean {
    if (!w.isRecordable || w.touchCount === 0 || w.spawned > 0 || w.at !== this.#at) return false;
    // The kernel writes MACs where a stack forwards. An egress address's group sets the destination's alone (br0 table 101).
    const isSameMac =
      w.p.getInt32(w.at, true) === this.#askFirst && w.p.getUint16(w.at + 4, true) === this.#askLast;
    if (w.forwards === 0 && !isSameMac) return false;
    const isKnown =
      w.verdict === Verdict.Delivered ||
      w.verdict === Verdict.Left ||
      (w.verdict === Verdict.Dropped && KNOWN_DROPS.has(w.reason));
    if (!isKnown) return false;
    if (ipv4Protocol(w.p, w.l3) !== PROTOCOL.TCP) return true;
    const opening = TCP_FLAG.SYN | TCP_FLAG.FIN | TCP_FLAG.RST;
    return (tcpFlags(w.p, w.l4) & opening) === 0;
  }
}

/** One's complement difference of a 32-bit word, unfolded. */
const difference = (from: number, to: number): number =>
  (~(from >>> 16) & 0xffff) + (~from & 0xffff) + (to >>> 16) + (to & 0xffff);

/** Nothing, in one's complement, and no 0: a sum that has it in it does not fold to 0. */
const ALL_ONES = 0xffff;

/** The same of the word of TTL and protocol when `hops` have taken one each: whatever it was, ~w + w - 0x100 * hops. */
const forwarding = (hops: number): number => ALL_ONES - hops * 0x100;

function fold(sum: number): number {
  let s = sum;
  while (s > 0xffff) s = (s & 0xffff) + (s >>> 16);
  return s;
}
