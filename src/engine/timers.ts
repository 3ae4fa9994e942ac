/** The clock of packet time, and what falls due by it: packets that waited for a neighbour in vain. */
import type { Arena, OutputBatch } from '../packet/batch.js';
import { giveUp } from '../stages/neighbour.js';
import type { Walk } from '../stages/walk.js';
import type { HeldPackets } from '../tables/held.js';
import type { Account } from './account.js';
import { WAIT_STAGE } from './graph.js';
import type { HopLog } from './hop-log.js';
import { hasRoom } from './room.js';

export class Timers {
  /** The latest time seen, on the batches' scale. */
  clockNs = Number.NEGATIVE_INFINITY;
  readonly #walk: Walk;
  readonly #held: HeldPackets;
  readonly #account: Account;
  readonly #log: HopLog | null;

  constructor(walk: Walk, held: HeldPackets, account: Account, log: HopLog | null) {
    this.#walk = walk;
    this.#held = held;
    this.#account = account;
    this.#log = log;
  }

  /** When the next one is due; Infinity when none is. */
  nextNs(): number {
    return this.#held.nextNs();
  }

  /** Time has come to `ns`, unless it was later already. */
  pass(ns: number): void {
    if (ns > this.clockNs) this.clockNs = ns;
  }

  /** Fire what is due at `ns`. False when it stopped for want of room. */
  fire(ns: number, output: OutputBatch, arena: Arena): boolean {
    this.pass(ns);
    const held = this.#held;
    if (held.count === 0) return true;
    for (let row = held.first(); row >= 0; row = held.first()) {
      if (held.deadlineNs[row]! > this.clockNs) return true;
      if (!hasRoom(output, arena, held.length[row]!)) return false;
      this.#giveUp(row, output);
    }
    return true;
  }

  #giveUp(row: number, output: OutputBatch): void {
    const w = this.#walk;
    const held = this.#held;
    const { bytes, offset, length, deadlineNs, node, packet, parent, ct, service } = held;
    const at = w.allocate(length[row]!);
    for (let i = 0; i < length[row]!; i++) w.bytes[at + i] = bytes[offset[row]! + i]!;
    w.begin(at, at + length[row]!, deadlineNs[row]!);
    w.node = node[row]!;
    w.ct = ct[row]!;
    w.service = service[row]!;
    w.spawned = 0;
    const number = packet[row]!;
    const parentNumber = parent[row]!;
    held.release(row);
    this.#account.ledger.pending--;
    this.#log?.begin(number, parentNumber, -1, WAIT_STAGE);
    giveUp(w);
    this.#account.record(output, -1, number, parentNumber);
    this.#account.runSpawned(output, -1, number);
  }
}
