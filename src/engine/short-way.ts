/** Between the long way and the short one: remembers what the long way did with a packet, and hands batches to the kernel. */

import { PATH, PATH_FLAG } from '../kernels/path-columns.js';
import type { ShortPathViews, shortPath } from '../kernels/short-path.js';
import type { InputBatch, OutputBatch } from '../packet/batch.js';
import type { Ledger } from '../packet/ledger.js';
import type { Walk } from '../stages/walk.js';
import type { Conntrack } from '../tables/conntrack.js';
import { PathCache } from '../tables/paths.js';
import { Reason } from '../verdict/reasons.js';
import { Verdict } from '../verdict/verdict.js';
import { ethDstHi, ethDstLo, ethSrcHi, ethSrcLo } from '../wire/ethernet.js';
import { ICMP } from '../wire/icmp.js';
import { ipv4Dst, ipv4Protocol, ipv4Src, PROTOCOL } from '../wire/ipv4.js';
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
  // The frame as it came in; its addresses and ports are in the kernel's keys.
  #at = 0;
  #askHi = 0;
  #askLo = 0;

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
    v.p = input.arena.view;
    v.bytes = input.arena.bytes;
    v.offset = input.offset;
    v.length = input.length;
    v.tsNs = input.tsNs;
    v.port = input.port;
    v.keys = keys;
    v.found = found;
    v.origin = output.origin;
    v.packet = output.packet;
    v.parent = output.parent;
    v.verdict = output.verdict;
    v.reason = output.reason;
    v.exit = output.exit;
    v.outOffset = output.offset;
    v.outLength = output.length;
    v.outTsNs = output.tsNs;
    v.endpoint = output.endpoint;
    v.service = output.service;
  }

  /** As kernels/short-path; a table that has grown meanwhile is looked at anew. */
  take(first: number, end: number, base: number, out: number, number: number, limitNs: number): number {
    const v = this.#views;
    // The first is often unknown, among connections that begin: not worth the call.
    if (first === end || v.found[first - base]! < 0) return first;
    const { paths } = this;
    const table = this.#conntrack;
    v.paths = paths.rows;
    v.connections = table.rows;
    v.times = table.times;
    return this.#kernel(v, first, end, base, out, number, limitNs);
  }

  /** Put the kernel's counts into the ledger. */
  addCounts(ledger: Ledger): void {
    const { counts } = this.#views;
    ledger.delivered += counts[Verdict.Delivered]!;
    ledger.left += counts[Verdict.Left]!;
    ledger.dropped += counts[Verdict.Dropped]!;
    counts.fill(0);
  }

  /** A packet is about to take the long way. */
  begin(w: Walk): void {
    this.#at = w.at;
    this.#askHi = ethDstHi(w.p, w.at);
    this.#askLo = ethDstLo(w.p, w.at);
  }

  /** It has taken it: keep the path, if the next packet of its kind would go the same. Its key begins at keys[at].
   *  Returns the path's row, or -1. */
  remember(w: Walk, port: number, at: number, hash: number): number {
    if (!this.#isRepeatable(w)) return -1;
    const { p, l3, l4 } = w;
    const { keys } = this.#views;
    const base = this.paths.claim(keys, at, hash);
    const row = this.paths.rows;
    const src = ipv4Src(p, l3) | 0;
    const dst = ipv4Dst(p, l3) | 0;
    const isEcho = ipv4Protocol(p, l3) === PROTOCOL.ICMP;
    const ports = isEcho ? p.getUint16(l4 + ICMP.ID) << 16 : p.getInt32(l4);
    const oldPorts = isEcho ? keys[at + 2]! & ~0xffff : keys[at + 2]!;
    const addresses = difference(keys[at]!, src) + difference(keys[at + 1]!, dst);
    const transport = difference(oldPorts, ports) + (isEcho ? 0 : addresses);
    const isNat = src !== keys[at] || dst !== keys[at + 1] || ports !== oldPorts;
    const flags =
      (isNat ? PATH_FLAG.NAT : 0) |
      (w.forwards > 0 ? PATH_FLAG.MAC : 0) |
      (w.checksIp ? PATH_FLAG.CHECKS_IP : 0);
    row[base + PATH.PORT] = port;
    row[base + PATH.SHAPE] = w.touchCount | (w.forwards << 8) | (flags << 16);
    row[base + PATH.OUTCOME] = w.verdict | (w.reason << 8);
    row[base + PATH.EXIT] = w.exit;
    row[base + PATH.SERVICE] = w.service;
    row[base + PATH.ENDPOINT] = w.endpoint;
    row[base + PATH.SRC] = src;
    row[base + PATH.DST] = dst;
    row[base + PATH.PORTS] = ports;
    row[base + PATH.DELTAS] = fold(addresses) | (fold(transport) << 16);
    row[base + PATH.ASK_MAC] = this.#askHi;
    row[base + PATH.ASK_MAC + 1] = this.#askLo;
    row[base + PATH.DST_MAC] = ethDstHi(p, w.at);
    row[base + PATH.DST_MAC + 1] = ethDstLo(p, w.at);
    row[base + PATH.SRC_MAC] = ethSrcHi(p, w.at);
    row[base + PATH.SRC_MAC + 1] = ethSrcLo(p, w.at);
    row[base + PATH.MTU] = w.mtu;
    for (let k = 0; k < w.touchCount; k++) {
      row[base + PATH.TOUCH + k] = w.touches[k]!;
      row[base + PATH.BORN + k] = this.#conntrack.born(w.touches[k]! >> 1);
    }
    return base / PATH.ROW;
  }

  #isRepeatable(w: Walk): boolean {
    if (!w.isRecordable || w.touchCount === 0 || w.spawned > 0 || w.at !== this.#at) return false;
    // The kernel writes MACs where a stack forwards. An egress address's group sets the destination's alone (br0 table 101).
    const isSameMac = ethDstHi(w.p, w.at) === this.#askHi && ethDstLo(w.p, w.at) === this.#askLo;
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

function fold(sum: number): number {
  let s = sum;
  while (s > 0xffff) s = (s & 0xffff) + (s >>> 16);
  return s;
}
