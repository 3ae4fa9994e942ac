/** What a worker answers to its tasks, as numbers in shared memory: nothing has to be sent for most of them.
 *
 *  a ring of f64 rows, the answer to task s in place s % slots; written before the task counts as done
 *  row  has more 0 or 1 | backend | connections | ledger[] | for each lane: output rows, packets readdressed
 *  More: spilled output and explanations, which are sent as a message of the worker's port. */
import { createLedger, type Ledger } from '../packet/ledger.js';
import type { GroupOutcome } from './lane-group.js';
import type { LaneOutcome } from './lane-runner.js';

/** What does not fit into numbers, by lane. */
export type More = readonly Pick<LaneOutcome, 'spilled' | 'traces'>[];

const LEDGER = Object.keys(createLedger()) as readonly (keyof Ledger)[];
const CELL = { MORE: 0, BACKEND: 1, CONNECTIONS: 2, LEDGER: 3, LANES: 3 + LEDGER.length } as const;
const BACKENDS = ['', 'typescript', 'native'] as const;
const NOTHING_MORE = { spilled: [], traces: [] } as const;

export const createAnswers = (slots: number, lanes: number): Float64Array =>
  new Float64Array(new SharedArrayBuffer(slots * (CELL.LANES + lanes * 2) * 8));

/** The ring seen from one side; rows are numbered by task. */
export class Answers {
  readonly #cells: Float64Array;
  readonly #slots: number;
  readonly #rowSize: number;

  constructor(cells: Float64Array, slots: number) {
    this.#cells = cells;
    this.#slots = slots;
    this.#rowSize = cells.length / slots;
  }

  /** Write the answer to task `serial`. Returns what has to be sent beside it, or null. */
  put(serial: number, { lanes, ledger, connections, backend }: GroupOutcome): More | null {
    const row = this.#row(serial);
    const hasMore = lanes.some(({ spilled, traces }) => spilled.length > 0 || traces.length > 0);
    row[CELL.MORE] = hasMore ? 1 : 0;
    row[CELL.BACKEND] = (BACKENDS as readonly string[]).indexOf(backend);
    row[CELL.CONNECTIONS] = connections;
    LEDGER.forEach((name, i) => {
      row[CELL.LEDGER + i] = ledger[name];
    });
    lanes.forEach(({ count, readdressed }, i) => {
      row[CELL.LANES + i * 2] = count;
      row[CELL.LANES + i * 2 + 1] = readdressed;
    });
    return hasMore ? lanes.map(({ spilled, traces }) => ({ spilled, traces })) : null;
  }

  /** Was something sent beside the answer to task `serial`? */
  hasMore(serial: number): boolean {
    return this.#row(serial)[CELL.MORE] === 1;
  }

  /** The answer to task `serial`, and what was sent beside it. */
  take(serial: number, more: More | undefined): GroupOutcome {
    const row = this.#row(serial);
    const ledger = createLedger();
    LEDGER.forEach((name, i) => {
      ledger[name] = row[CELL.LEDGER + i]!;
    });
    const count = (this.#rowSize - CELL.LANES) / 2;
    const lanes = Array.from({ length: count }, (_, i) => ({
      ...(more?.[i] ?? NOTHING_MORE),
      count: row[CELL.LANES + i * 2]!,
      readdressed: row[CELL.LANES + i * 2 + 1]!,
    }));
    return { lanes, ledger, connections: row[CELL.CONNECTIONS]!, backend: BACKENDS[row[CELL.BACKEND]!]! };
  }

  #row(serial: number): Float64Array {
    const at = (serial % this.#slots) * this.#rowSize;
    return this.#cells.subarray(at, at + this.#rowSize);
  }
}
