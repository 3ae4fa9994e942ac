/** Walks the copies of a packet that br0 puts out of several ports, as far as there is room for them. */
import type { Arena, OutputBatch } from '../packet/batch.js';
import { beginCopy, findOutput } from '../stages/bridge-copies.js';
import type { Walk } from '../stages/walk.js';
import type { Account } from './account.js';
import { BRIDGE_STAGE } from './graph.js';
import type { HopLog } from './hop-log.js';
import { hasRoomToCut } from './room.js';

export class Copier {
  readonly #walk: Walk;
  readonly #account: Account;
  readonly #log: HopLog | null;
  readonly #run: (w: Walk, stage: number) => void;

  constructor(walk: Walk, account: Account, log: HopLog | null, run: (w: Walk, stage: number) => void) {
    this.#walk = walk;
    this.#account = account;
    this.#log = log;
    this.#run = run;
  }

  /** Walk what is left to be copied; a copy that is multiplied itself comes before its siblings. False when it stopped for
   *  want of room: call again. */
  run(output: OutputBatch, arena: Arena): boolean {
    const w = this.#walk;
    const { copies } = w;
    while (copies.depth > 0) {
      const level = copies.depth - 1;
      if (!hasRoomToCut(output, arena, copies.length[level]!, copies.mru[level]!)) return false;
      if (findOutput(w.tables, copies, level, w.key)) this.#copy(level, output);
      else copies.depth = level;
    }
    return true;
  }

  #copy(level: number, output: OutputBatch): void {
    const w = this.#walk;
    const { copies } = w;
    const parent = copies.packet[level]!;
    beginCopy(w, level);
    w.spawned = 0;
    this.#account.ledger.copies++;
    const packet = this.#account.packets++;
    this.#account.name(packet, parent, copies.root[level]!, packet);
    this.#log?.begin(packet, parent, copies.origin, BRIDGE_STAGE);
    this.#run(w, BRIDGE_STAGE);
    this.#account.record(output, copies.origin);
    this.#account.runCaused(output, copies.origin);
  }
}
