/** The clock of packet time, and what falls due by it: packets that waited for a neighbour in vain, and fragments that
 *  waited for the rest of their datagram. */
import type { Arena, OutputBatch } from '../packet/batch.js';
import { expire } from '../stages/expiry.js';
import { giveUp } from '../stages/neighbour.js';
import type { Walk } from '../stages/walk.js';
import type { Fragments } from '../tables/fragments.js';
import type { HeldPackets } from '../tables/held.js';
import type { Account } from './account.js';
import { FRAGMENT_STAGE, WAIT_STAGE } from './graph.js';
import type { HopLog } from './hop-log.js';
import { hasRoom } from './room.js';

export class Timers {
  /** The latest time seen, on the batches' scale. */
  clockNs = Number.NEGATIVE_INFINITY;
  readonly #walk: Walk;
  readonly #held: HeldPackets;
  readonly #fragments: Fragments;
  readonly #account: Account;
  readonly #log: HopLog | null;

  constructor(walk: Walk, account: Account, log: HopLog | null) {
    this.#walk = walk;
    this.#held = walk.held;
    this.#fragments = walk.fragments;
    this.#account = account;
    this.#log = log;
  }

  /** When the next one is due; Infinity when none is. */
  nextNs(): number {
    return Math.min(this.#held.nextNs(), this.#fragments.nextNs());
  }

  /** Time has come to `ns`, unless it was later already. */
  pass(ns: number): void {
    if (ns > this.clockNs) this.clockNs = ns;
  }

  /** Fire what is due at `ns`. False when it stopped for want of room. */
  fire(ns: number, output: OutputBatch, arena: Arena): boolean {
    this.pass(ns);
    const held = this.#held;
    const fragments = this.#fragments;
    while (held.count > 0 || fragments.queues > 0) {
      const [heldNs, fragmentNs] = [held.nextNs(), fragments.nextNs()];
      if (Math.min(heldNs, fragmentNs) > this.clockNs) return true;
      const isHeld = heldNs <= fragmentNs;
      const row = isHeld ? held.first() : fragments.queue.first[fragments.due()]!;
      const length = isHeld ? held.length[row]! : fragments.row.size[row]!;
      if (!hasRoom(output, arena, length)) return false;
      if (isHeld) this.#giveUp(row, output);
      else this.#expire(fragments.due(), output);
    }
    return true;
  }

  #giveUp(row: number, output: OutputBatch): void {
    const w = this.#walk;
    const held = this.#held;
    const { bytes, offset, length, deadlineNs, node, packet, parent, root, ct, service } = held;
    const at = w.allocate(length[row]!);
    for (let i = 0; i < length[row]!; i++) w.bytes[at + i] = bytes[offset[row]! + i]!;
    w.begin(at, at + length[row]!, deadlineNs[row]!);
    w.node = node[row]!;
    w.ct = ct[row]!;
    w.service = service[row]!;
    w.spawned = 0;
    this.#account.name(packet[row]!, parent[row]!, root[row]!, packet[row]!);
    held.release(row);
    this.#log?.begin(w.number, w.parent, -1, WAIT_STAGE);
    giveUp(w);
    this.#account.record(output, -1);
    this.#account.runCaused(output, -1);
  }

  /** The first fragment that is left of queue `q` dies; the queue with the last one. */
  #expire(q: number, output: OutputBatch): void {
    const w = this.#walk;
    const fragments = this.#fragments;
    const { queue, row } = fragments;
    const i = queue.first[q]!;
    const size = row.size[i]!;
    const at = w.allocate(size);
    fragments.copy(i, 0, size, w.bytes, at);
    w.begin(at, at + size, queue.deadlineNs[q]!);
    const isFirst = row.offset[i] === 0;
    const [user, place] = [queue.user[q]!, queue.place[q]!];
    w.spawned = 0;
    this.#account.name(row.number[i]!, row.parent[i]!, row.root[i]!, row.number[i]!);
    const stage = FRAGMENT_STAGE[row.stage[i]!]!;
    queue.first[q] = fragments.free(i);
    if (queue.first[q]! < 0) fragments.close(q);
    this.#log?.begin(w.number, w.parent, -1, stage);
    expire(w, user, place, isFirst);
    this.#account.record(output, -1);
    this.#account.runCaused(output, -1);
  }
}
