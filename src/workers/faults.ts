/** Kills workers on purpose, where a test asks for it: shows that nothing is lost when one dies.
 *
 *  PODPLANE_TEST_KILL=packet:120,packet:500x2,journal:3,checkpoint:0@throw
 *  place:number[xTIMES][@HOW], by commas. Places: packet (by its number in the trace), and journal, answer, checkpoint (by
 *  the number of the worker's task, before it is written down, after it is answered, while its checkpoint is written).
 *  HOW: exit (the thread ends) or throw. In the thread of the program itself it is always throw. */

export const FAULT_VARIABLE = 'PODPLANE_TEST_KILL';
const PLACES = ['packet', 'journal', 'answer', 'checkpoint'] as const;
export type FaultPlace = (typeof PLACES)[number];

/** Shared by all who may die of them. */
export interface FaultList {
  /** Place, number and 1 for throw, of each fault. */
  readonly faults: Float64Array;
  /** How often each will still happen. */
  readonly left: Int32Array;
}

/** @throws RangeError when a fault is not spelled as above. */
export function parseFaults(text: string | undefined): FaultList | null {
  if (text === undefined || text === '') return null;
  const parts = text.split(',').map((part) => {
    const [, place, number, times, how] = /^([a-z]+):(\d+)(?:x(\d+))?(?:@(exit|throw))?$/.exec(part) ?? [];
    const index = (PLACES as readonly string[]).indexOf(place ?? '');
    if (index < 0) throw new RangeError(`${FAULT_VARIABLE}: ${part} is no fault`);
    return { fault: [index, Number(number), how === 'throw' ? 1 : 0], times: Number(times ?? 1) };
  });
  const list = {
    faults: new Float64Array(new SharedArrayBuffer(parts.length * 24)),
    left: new Int32Array(new SharedArrayBuffer(parts.length * 4)),
  };
  list.faults.set(parts.flatMap(({ fault }) => fault));
  list.left.set(parts.map(({ times }) => times));
  return list;
}

export class Faults {
  readonly #list: FaultList;
  readonly #isThread: boolean;

  constructor(list: FaultList, isThread: boolean) {
    this.#list = list;
    this.#isThread = isThread;
  }

  /** Die, if this is where. */
  at(place: FaultPlace, number: number): void {
    const { faults, left } = this.#list;
    const wanted = PLACES.indexOf(place);
    for (let i = 0; i < left.length; i++) {
      if (faults[i * 3] !== wanted || faults[i * 3 + 1] !== number || Atomics.load(left, i) <= 0) continue;
      Atomics.sub(left, i, 1);
      if (this.#isThread && faults[i * 3 + 2] === 0) process.exit(70);
      throw new Error(`killed by a test at ${place} ${number}`);
    }
  }

  atPacket(sequence: number): void {
    this.at('packet', sequence);
  }

  /** One past the last row from `first` on that can be taken at once without passing a fault: a fault's row stands alone. */
  cut(sequence: Float64Array, first: number, end: number): number {
    const { faults, left } = this.#list;
    for (let i = first; i < end; i++)
      for (let f = 0; f < left.length; f++)
        if (faults[f * 3] === 0 && faults[f * 3 + 1] === sequence[i] && Atomics.load(left, f) > 0)
          return i === first ? first + 1 : i;
    return end;
  }
}
