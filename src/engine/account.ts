/** Gives each packet its number, its output row and its place in the ledger, and walks what it caused. */
import type { OutputBatch } from '../packet/batch.js';
import { countVerdict, createLedger, type Ledger } from '../packet/ledger.js';
import { Entry, type Walk } from '../stages/walk.js';
import { OFPORT } from '../tables/flows.js';
import type { HeldPackets } from '../tables/held.js';
import { Verdict } from '../verdict/verdict.js';
import { ENTRY_STAGE } from './graph.js';
import type { HopLog } from './hop-log.js';

export class Account {
  readonly ledger: Ledger = createLedger();
  /** Packets taken or made so far: the next one's number. */
  packets = 0;
  readonly #walk: Walk;
  readonly #held: HeldPackets;
  readonly #log: HopLog | null;
  readonly #run: (w: Walk, stage: number) => void;

  /** `run` leads the packet in hand from a stage to its verdict. */
  constructor(walk: Walk, held: HeldPackets, log: HopLog | null, run: (w: Walk, stage: number) => void) {
    this.#walk = walk;
    this.#held = held;
    this.#log = log;
    this.#run = run;
  }

  /** Walk what the last packet caused, and what that causes. */
  runSpawned(output: OutputBatch, origin: number, parent: number): void {
    const w = this.#walk;
    // One chain at a time: the queue is read from the front while answers to answers join its end.
    for (let i = 0; i < w.spawned; i++) {
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
      const packet = this.packets++;
      w.copies.owner = packet;
      this.#log?.begin(packet, parent, origin, ENTRY_STAGE[entry]!);
      this.#run(w, ENTRY_STAGE[entry]!);
      this.record(output, origin, packet, parent);
    }
    w.spawned = 0;
  }

  /** The packet in hand has its verdict: a row for it, unless it waits. */
  record(output: OutputBatch, origin: number, packet: number, parent: number): void {
    const w = this.#walk;
    this.#log?.end(w);
    if (w.verdict === Verdict.Pending) {
      const held = this.#held.count - 1;
      this.#held.packet[held] = packet;
      this.#held.parent[held] = parent;
      this.ledger.pending++;
      return;
    }
    countVerdict(this.ledger, w.verdict);
    const row = output.count++;
    output.origin[row] = origin;
    output.packet[row] = packet;
    output.parent[row] = parent;
    output.verdict[row] = w.verdict;
    output.reason[row] = w.reason;
    output.exit[row] = w.exit;
    output.offset[row] = w.at;
    output.length[row] = w.end - w.at;
    output.tsNs[row] = w.nowNs;
    output.endpoint[row] = w.endpoint;
    output.service[row] = w.service;
  }
}
