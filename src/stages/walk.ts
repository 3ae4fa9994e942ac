/** The packet in hand: where it is, what is known of it, and what a stage may do to it. One object serves a whole run. */

import { TOUCHES_MAX } from '../kernels/path-columns.js';
import type { Arena } from '../packet/batch.js';
import { HEADROOM, ROWS_PER_PACKET } from '../packet/batch.js';
import type { Conntrack } from '../tables/conntrack.js';
import { Copies } from '../tables/copies.js';
import type { Tables } from '../tables/epoch.js';
import { FLOW_KEY_SIZE } from '../tables/flows.js';
import type { Fragments } from '../tables/fragments.js';
import type { HeldPackets } from '../tables/held.js';
import { RecentLists } from '../tables/recent-lists.js';
import { Reason } from '../verdict/reasons.js';
import { Verdict } from '../verdict/verdict.js';
import { Forks } from './forks.js';

/** What conntrack says of a packet (Linux enum ip_conntrack_info, with UNTRACKED and INVALID beside it). */
export const CtInfo = {
  UNTRACKED: 0,
  INVALID: 1,
  NEW: 2,
  ESTABLISHED: 3,
  RELATED: 4,
  REPLY: 5,
  RELATED_REPLY: 6,
} as const;

/** How far the transport checksum has been looked at. PARTIAL: left to offload, only the pseudo-header is in it. */
export const L4 = { UNKNOWN: 0, GOOD: 1, BAD: 2, PARTIAL: 3, NONE: 4 } as const;

/** Devices by which a packet is in the host's stack. */
export const HostDevice = { NONE: 0, TUN0: 1, NIC: 2 } as const;

/** Which of kube-proxy's filter chains turns a new connection away. */
export const Refusal = { NONE: 0, SERVICES: 1, EXTERNAL: 2, FIREWALL: 3 } as const;

/** A stage ends with one of its own next-edges (0, 1, 2 …) or with DONE: the verdict is set. */
export const DONE = -1;

/** Where a generated packet starts, as the graph's entry edges. */
export const Entry = {
  POD: 0,
  NIC: 1,
  HOST: 2,
  BRIDGE_FROM_TUN0: 3,
  NIC_OUTPUT: 4,
  POD_LOOPBACK: 5,
} as const;

/** Records hops; only there when somebody asked. */
export interface HopSink {
  stage(walk: Walk, stage: number): void;
  rule(walk: Walk, table: number, rule: number): void;
  /** A copy goes on with the actions of a rule that the packet has met before it. */
  copy(walk: Walk, table: number, rule: number): void;
}

/** No chain is longer: an answer, an error about it, a reset of that. */
const SPAWN_MAX = ROWS_PER_PACKET - 1;

export class Walk {
  // The run.
  /** Others after a change of the cluster; the same while a batch is walked. */
  tables: Tables;
  readonly conntrack: Conntrack;
  readonly held: HeldPackets;
  /** Which client took which endpoint, for session affinity. */
  readonly recent = new RecentLists();
  readonly copies = new Copies();
  readonly fragments: Fragments;
  readonly seed: number;
  readonly respond: boolean;
  /** One-node form: the only node walked, or -1. */
  onlyNode: number;
  hops: HopSink | null = null;
  /** Connections by row of the Service, and of the endpoint, that they were translated to. */
  serviceConnections: Float64Array = new Float64Array(0);
  endpointConnections: Float64Array = new Float64Array(0);

  /** Pods answer this packet: they were told to, and it is no answer itself, or two echo servers would never end. */
  get responds(): boolean {
    return this.respond && !this.isGenerated;
  }

  // The arena of the batch in hand.
  arena!: Arena;
  p!: DataView;
  bytes!: Uint8Array;

  // The packet.
  at = 0;
  end = 0;
  nowNs = 0;
  node = 0;
  pod = -1;
  ofport = 0;
  tunId = 0;
  tunDst = 0;
  l3 = 0;
  l4 = 0;
  l4Status = 0;
  etherType = 0;
  malformed: number = Reason.None;
  readonly key = new Int32Array(FLOW_KEY_SIZE);
  mark = 0;
  /** Row of the egress address that the mark stands for, or -1. */
  egressIp = -1;
  inDevice = 0;
  outDevice = 0;
  nextHop = 0;
  isGenerated = false;
  /** A copy whose walk begins in br0, behind what the packet has met there. */
  isCopy = false;
  /** Numbers of the packet, of the one it answers or is a copy of (-1: an input), and of the caller for its input. */
  number = -1;
  parent = -1;
  root = -1;
  /** Whom the packets name as their parent that this one causes. */
  chain = -1;

  // What it was put together from, and is to be cut into again.
  /** First of the chain of fragments that it stands for, its own among them; -1 when it is none. */
  crew = -1;
  /** Longest fragment that it came in, IPv4 header included; 0 when it came whole. */
  mru = 0;
  /** That longest fragment had DF. */
  keepsDf = false;
  /** It goes on as forks, which have taken its place. */
  isSplit = false;
  readonly forks = new Forks();
  /** Source and destination port of the datagram that a fragment is of, where its stack still knew them; or 0. */
  flowPorts = 0;
  /** Fragments that died with it, and why. */
  discarded = -1;
  discardReason: number = Reason.None;

  // Conntrack's reference on the packet, which travels with it through tun0.
  ctInfo: number = CtInfo.UNTRACKED;
  /** Direction index (row * 2 + direction), or -1 for a new connection not yet confirmed. */
  ct = -1;
  /** Tuple and, for a new connection, the reply tuple that NAT makes of it. */
  readonly tuple = new Int32Array(4);
  readonly reply = new Int32Array(4);
  /** NAT flags of a new connection (CT_FLAG). */
  fresh = 0;
  freshState = 0;
  /** What the batch lookup found for this packet's first question, or -2 when it was not asked. */
  hint = -2;

  // What a later packet of the same kind needs to know to take the short way.
  /** Nothing was met that the next packet could meet otherwise. */
  isRecordable = true;
  readonly touches = new Int32Array(TOUCHES_MAX);
  touchCount = 0;
  /** How often a host forwarded it, and the least MTU there. */
  forwards = 0;
  mtu = 0xffff;
  checksIp = false;

  // The Service, for filter rules and reports.
  service = -1;
  endpoint = -1;
  refusal: number = Refusal.NONE;
  pick = -1;

  // The outcome.
  verdict: number = Verdict.None;
  reason: number = Reason.None;
  exit = -1;

  // Packets that this one caused; the engine walks them next.
  readonly spawnAt = new Float64Array(SPAWN_MAX);
  readonly spawnEnd = new Float64Array(SPAWN_MAX);
  readonly spawnEntry = new Int32Array(SPAWN_MAX);
  readonly spawnPlace = new Int32Array(SPAWN_MAX);
  readonly spawnInfo = new Int32Array(SPAWN_MAX);
  readonly spawnParent = new Float64Array(SPAWN_MAX);
  readonly spawnRoot = new Float64Array(SPAWN_MAX);
  spawned = 0;

  constructor(
    tables: Tables,
    conntrack: Conntrack,
    held: HeldPackets,
    fragments: Fragments,
    options: { readonly seed: number; readonly respond: boolean; readonly onlyNode: number },
  ) {
    this.tables = tables;
    this.conntrack = conntrack;
    this.held = held;
    this.fragments = fragments;
    this.seed = options.seed;
    this.respond = options.respond;
    this.onlyNode = options.onlyNode;
  }

  /** Take the packet [at, end) in hand; everything known of the last one is forgotten. */
  begin(at: number, end: number, nowNs: number): void {
    this.at = at;
    this.end = end;
    this.nowNs = nowNs;
    this.node = 0;
    this.pod = -1;
    this.ofport = 0;
    this.tunId = 0;
    this.mark = 0;
    this.egressIp = -1;
    this.inDevice = HostDevice.NONE;
    this.outDevice = HostDevice.NONE;
    this.l4Status = L4.UNKNOWN;
    this.isGenerated = false;
    this.isCopy = false;
    this.crew = -1;
    this.mru = 0;
    this.isSplit = false;
    this.flowPorts = 0;
    this.discarded = -1;
    this.hint = -2;
    this.isRecordable = true;
    this.touchCount = 0;
    this.forwards = 0;
    this.mtu = 0xffff;
    this.checksIp = false;
    this.service = -1;
    this.endpoint = -1;
    this.pick = -1;
    this.verdict = Verdict.None;
    this.reason = Reason.None;
    this.exit = -1;
    this.key.fill(0);
    this.untrack();
  }

  /** Drop the conntrack reference, as nf_reset_ct does where a packet crosses to another stack. */
  untrack(): void {
    this.ctInfo = CtInfo.UNTRACKED;
    this.ct = -1;
    this.fresh = 0;
    this.refusal = Refusal.NONE;
  }

  /** The packet met a known connection, in this direction. */
  touch(found: number): void {
    if (this.touchCount === TOUCHES_MAX) this.isRecordable = false;
    else this.touches[this.touchCount++] = found;
  }

  /** End the walk. `exit` is a row of the port table, or -1. */
  finish(verdict: number, reason: number, exit = -1): number {
    this.verdict = verdict;
    this.reason = reason;
    this.exit = exit;
    return DONE;
  }

  drop(reason: number): number {
    return this.finish(Verdict.Dropped, reason);
  }

  /** Room for a generated frame of `length` bytes, with headroom in front; returns where it begins.
   *  The engine sees to it before each packet that the arena has room enough. */
  allocate(length: number): number {
    const { arena } = this;
    // Frames begin at 2 mod 4, so that the IPv4 header behind the 14 bytes of Ethernet is aligned.
    const at = ((arena.used + HEADROOM + 3) & ~3) + 2;
    arena.used = at + length;
    return at;
  }

  /** Queue the frame [at, end) as caused by this packet. `place` is the pod's row, or the node's;
   *  `info` the conntrack state that it inherits (icmp_glue_bits, nf_conntrack_attach). */
  spawn(at: number, end: number, entry: number, place: number, info: number = CtInfo.UNTRACKED): void {
    if (this.spawned === SPAWN_MAX) return;
    const i = this.spawned++;
    this.spawnAt[i] = at;
    this.spawnEnd[i] = end;
    this.spawnEntry[i] = entry;
    this.spawnPlace[i] = place;
    this.spawnInfo[i] = info;
    this.spawnParent[i] = this.chain;
    this.spawnRoot[i] = this.root;
  }
}
