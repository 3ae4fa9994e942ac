/** Gives each packet its number, its output row and its place in the ledger, and walks what it caused. */
import type { OutputBatch } from '../packet/batch.js';
import { countVerdict, createLedger, type Ledger } from '../packet/ledger.js';
import { takeFork } from '../stages/cut.js';
import { Entry, type Walk } from '../stages/walk.js';
import { OFPORT } from '../tables/flows.js';
import { Reason } from '../verdict/reasons.js';
import { Verdict } from '../verdict/verdict.js';
import { ENTRY_STAGE } from './graph.js';
import type { HopLog } from './hop-log.js';

export class Account {
  readonly ledger: Ledger = createLedger();
  /** Packets taken or made so far: the next one's number. */
  packets = 0;
  readonly #walk: Walk;
  readonly #log: HopLog | null;
  readonly #run: (w: Walk, stage: number) => void;

  /** `run` leads the packet in hand from a stage to its verdict. */
  constructor(walk: Walk, log: HopLog | null, run: (w: Walk, stage: number) => void) {
    this.#walk = walk;
    this.#log = log;
    this.#run = run;
  }

  /** The packet in hand is this one; what it causes names `chain` as its parent. */
  name(number: number, parent: number, root: number, chain: number): void {
    const w = this.#walk;
    w.number = number;
    w.copies.owner = number;
    w.parent = parent;
    w.root = root;
    w.chain = chain;
  }

  /** Walk what the last packet became and what it caused, and what that causes. `origin` is the input row whose turn
   *  it is, or -1. */
  runCaused(output: OutputBatch, origin: number): void {
    const w = this.#walk;
    const { forks } = w;
    // One at a time: pieces first, in their order; the queues are read from the front while more joins their ends.
    for (let i = 0; forks.next < forks.count || i < w.spawned; )
      if (forks.next < forks.count) this.#runFork(output, origin, forks.next++);
      else this.#runSpawned(output, origin, i++);
    forks.clear();
    w.spawned = 0;
  }

  #runFork(output: OutputBatch, origin: number, i: number): void {
    const w = this.#walk;
    const { forks } = w;
    takeFork(w, i);
    const isCopy = forks.number[i] === -1;
    const number = isCopy ? this.packets++ : forks.number[i]!;
    if (isCopy) this.ledger.copies++;
    this.name(number, forks.parent[i]!, forks.root[i]!, forks.parent[i] === -1 ? number : w.chain);
    this.#log?.begin(number, w.parent, origin, forks.stage[i]!);
    this.#run(w, forks.stage[i]!);
    this.record(output, origin);
  }

  #runSpawned(output: OutputBatch, origin: number, i: number): void {
    const w = this.#walk;
    const { nowNs } = w;
    const info = w.spawnInfo[i]!;
    const entry = w.spawnEntry[i]!;
    const place = w.spawnPlace[i]!;
    w.begin(w.spawnAt[i]!, w.spawnEnd[i]!, nowNs);
    if (entry === Entry.POD || entry === Entry.POD_LOOPBACK) {
      w.pod = place;
      w.node = w.tables.pods.node[place]!;
    } else w.node = place;
    if (entry === Entry.BRIDGE_FROM_TUN0) w.ofport = OFPORT.TUN0;
    if (entry === Entry.NIC_OUTPUT) w.nextHop = 0;
    w.ctInfo = info;
    w.isGenerated = true;
    this.ledger.generated++;
    this.name(this.packets++, w.spawnParent[i]!, w.spawnRoot[i]!, w.spawnParent[i]!);
    this.#log?.begin(w.number, w.parent, origin, ENTRY_STAGE[entry]!);
    this.#run(w, ENTRY_STAGE[entry]!);
    this.record(output, origin);
  }

  /** The packet in hand has its verdict: a row for it, unless it waits or goes on in pieces; and rows for the fragments
   *  that have gone with it. */
  record(output: OutputBatch, origin: number): void {
    const w = this.#walk;
    this.#log?.end(w);
    if (w.verdict === Verdict.Pending) this.#holdNumbers();
    else if (!w.isSplit)
      this.#put(output, origin, w.number, w.parent, w.root, w.verdict, w.reason, w.at, w.end);
    if (w.crew >= 0) this.#release(output, origin, w.crew, Verdict.Merged, Reason.FragmentMerged);
    if (w.discarded >= 0) this.#release(output, origin, w.discarded, Verdict.Dropped, w.discardReason);
    w.crew = -1;
    w.discarded = -1;
  }

  /** A packet that waits for a neighbour: the fragments keep their numbers themselves. */
  #holdNumbers(): void {
    const w = this.#walk;
    if (w.reason !== Reason.NeighbourPending) return;
    const { held } = w;
    const row = held.count - 1;
    held.packet[row] = w.number;
    held.parent[row] = w.parent;
    held.root[row] = w.root;
  }

  /** Rows for the fragments chained from `first` on; the one that is the packet in hand itself has its own. */
  #release(output: OutputBatch, origin: number, first: number, verdict: number, reason: number): void {
    const w = this.#walk;
    const { fragments } = w;
    const { row } = fragments;
    for (let i = first; i >= 0; i = fragments.free(i)) {
      if (row.number[i] === w.number && !w.isSplit) continue;
      const size = row.size[i]!;
      const at = w.allocate(size);
      fragments.copy(i, 0, size, w.bytes, at);
      this.#put(output, origin, row.number[i]!, row.parent[i]!, row.root[i]!, verdict, reason, at, at + size);
    }
  }

  #put(
    output: OutputBatch,
    origin: number,
    packet: number,
    parent: number,
    root: number,
    verdict: number,
    reason: number,
    at: number,
    end: number,
  ): void {
    const w = this.#walk;
    const isOwn = packet === w.number;
    countVerdict(this.ledger, verdict);
    const row = output.count++;
    output.origin[row] = origin;
    output.packet[row] = packet;
    output.parent[row] = parent;
    output.root[row] = root;
    output.verdict[row] = verdict;
    output.reason[row] = reason;
    output.exit[row] = isOwn ? w.exit : -1;
    output.offset[row] = at;
    output.length[row] = end - at;
    output.tsNs[row] = w.nowNs;
    output.endpoint[row] = isOwn ? w.endpoint : -1;
    output.service[row] = isOwn ? w.service : -1;
  }
}
