/** Decides what follows when a worker dies: its task again, row by row; a packet into quarantine; or the end of its lanes.
 *
 *  A death names the rows in hand. The rerun takes them one by one, so a packet that kills is alone in hand when it kills
 *  again; being in hand at two deaths, at one of them alone, it is not walked any more. */
import { CONTROL, doneTasks, HAND, QUARANTINE_MAX, type WorkerMemory } from './worker-memory.js';

/** Deaths in one task, none of which put a packet into quarantine, before its worker's lanes are given up. */
const DEATHS_MAX = 6;

export class Recovery {
  /** Deaths after which the lanes went on. */
  recovered = 0;
  readonly #memory: WorkerMemory;
  /** Task in hand at the last death. */
  #serial = -1;
  /** Packets that were in hand at deaths since this task is: runs of sequence numbers, first and last. */
  readonly #suspects: (readonly [first: number, last: number])[] = [];

  constructor(memory: WorkerMemory) {
    this.#memory = memory;
  }

  /** Packets that are not walked any more. */
  get quarantined(): number {
    return this.#memory.quarantine[0]!;
  }

  /** The worker has died of `cause`. Returns null when another is to go on, or why that is no use. */
  note(cause: Error): Error | null {
    const { control, hand } = this.#memory;
    const serial = doneTasks(this.#memory);
    if (serial !== this.#serial) {
      this.#serial = serial;
      this.#suspects.length = 0;
      control[CONTROL.DEATHS] = 0;
    }
    const deaths = control[CONTROL.DEATHS]! + 1;
    if (deaths > DEATHS_MAX || this.quarantined === QUARANTINE_MAX) return cause;
    const isFound = this.#suspect();
    // Not zero: the rest of the task may hold another one.
    control[CONTROL.DEATHS] = isFound ? 1 : deaths;
    hand[HAND.ROWS] = 0;
    this.recovered++;
    return null;
  }

  /** If one packet alone was in hand, and was in hand before, it goes into quarantine. */
  #suspect(): boolean {
    const { hand, quarantine } = this.#memory;
    const rows = hand[HAND.ROWS]!;
    if (rows === 0) return false;
    const first = hand[HAND.FIRST]!;
    const wasInHand = this.#suspects.some(([from, to]) => from <= first && first <= to);
    if (rows === 1 && wasInHand) {
      quarantine[1 + quarantine[0]!] = first;
      quarantine[0]!++;
      return true;
    }
    this.#suspects.push([first, hand[HAND.LAST]!]);
    return false;
  }
}
