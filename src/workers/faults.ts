/** Kills workers on purpose, where a test asks for it: shows that nothing is lost when one dies.
 *
 *  PODPLANE_TEST_KILL=packet:120,packet:500x2,journal:3,checkpoint:0@throw
 *  place:number[xTIMES][@HOW], by commas. Places: packet (by its number in the trace, just before it is walked), among (the
 *  packet is one of those that are about to be walked in one go), and install, journal, answer, checkpoint (by the number of
 *  the worker's task, before its table set is installed, before it is written down, after it is answered, while its checkpoint
 *  is written).
 *  HOW: exit (the thread ends), throw, memory (the thread runs out of it), or native (a fault that takes the whole process
 *  down). In the thread of the program itself the first and third are throw. */

export const FAULT_VARIABLE = 'PODPLANE_TEST_KILL';
const PLACES = ['packet', 'among', 'install', 'journal', 'answer', 'checkpoint'] as const;
export type FaultPlace = (typeof PLACES)[number];
const PACKET = 0;
const HOWS = ['exit', 'throw', 'memory', 'native'] as const;
const EXIT = 0;
const MEMORY = 2;
const NATIVE = 3;

/** Shared by all who may die of them. */
export interface FaultList {
  /** Place, number and how, of each fault. */
  readonly faults: Float64Array;
  /** How often each will still happen. */
  readonly left: Int32Array;
}

/** @throws RangeError when a fault is not spelled as above. */
export function parseFaults(text: string | undefined): FaultList | null {
  if (text === undefined || text === '') return null;
  const parts = text.split(',').map((part) => {
    const [, place, number, times, how] =
      /^([a-z]+):(\d+)(?:x(\d+))?(?:@(exit|throw|memory|native))?$/.exec(part) ?? [];
    const index = (PLACES as readonly string[]).indexOf(place ?? '');
    if (index < 0) throw new RangeError(`${FAULT_VARIABLE}: ${part} is no fault`);
    const manner = Math.max(0, (HOWS as readonly string[]).indexOf(how ?? 'exit'));
    return { fault: [index, Number(number), manner], times: Number(times ?? 1) };
  });
  const list = {
    faults: new Float64Array(new SharedArrayBuffer(parts.length * 24)),
    left: new Int32Array(new SharedArrayBuffer(parts.length * 4)),
  };
  list.faults.set(parts.flatMap(({ fault }) => fault));
  list.left.set(parts.map(({ times }) => times));
  return list;
}

/** Does one of them fill the memory? Then its thread should have little. */
export function runsOutOfMemory({ faults }: FaultList): boolean {
  for (let i = 2; i < faults.length; i += 3) if (faults[i] === MEMORY) return true;
  return false;
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
      if (faults[i * 3 + 2] === NATIVE) faultNatively();
      if (this.#isThread && faults[i * 3 + 2] === EXIT) process.exit(70);
      if (this.#isThread && faults[i * 3 + 2] === MEMORY) fillMemory();
      throw new Error(`killed by a test at ${place} ${number}`);
    }
  }

  /** Rows first..end are about to be walked. */
  atRows(sequence: Float64Array, first: number, end: number): void {
    this.at('packet', sequence[first]!);
    for (let i = first; i < end; i++) this.at('among', sequence[i]!);
  }

  /** One past the last row from `first` on that can be taken at once without passing a fault: a fault's row stands alone. */
  cut(sequence: Float64Array, first: number, end: number): number {
    const { faults, left } = this.#list;
    for (let i = first; i < end; i++)
      for (let f = 0; f < left.length; f++)
        if (faults[f * 3] === PACKET && faults[f * 3 + 1] === sequence[i] && Atomics.load(left, f) > 0)
          return i === first ? first + 1 : i;
    return end;
  }
}

/** As the system ends a process whose native code reads where nothing is. */
function faultNatively(): never {
  process.kill(process.pid, 'SIGSEGV');
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

/** Until the thread is ended for it. */
function fillMemory(): never {
  const hoard: number[][] = [];
  for (;;) hoard.push(new Array<number>(1 << 16).fill(hoard.length));
}
