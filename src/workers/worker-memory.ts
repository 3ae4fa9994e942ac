/** What a worker and those who give it work have in common: all that must outlive the worker lies in this shared memory.
 *
 *  control     i32[16]: CONTROL below
 *  tasks       f64[slots * (TASK.COUNTS + lanes)]: a ring, task s in place s % slots; the pool writes, the worker reads
 *  answers     f64[]: a ring likewise, which the worker writes and the pool reads (see answers)
 *  journal     bytes: what the tasks since the last checkpoint were given (see journal)
 *  hand        f64[3]: rows that are being walked: how many, 0 when none are; sequence numbers of the first and the last
 *  quarantine  f64[1 + QUARANTINE_MAX]: how many, then the sequence numbers of packets that are not walked any more
 *  A task is done once its answer is written. Numbers of tasks count from 0, so a count of tasks is the next one's number. */
import { createAnswers } from './answers.js';
import type { Parcel } from './parcel.js';

export const CONTROL = {
  /** Tasks that were given. The worker waits for it to change. */
  GIVEN: 0,
  /** Tasks that are done. The pool waits for it to change. */
  DONE: 1,
  /** Tasks whose input is in the journal. */
  JOURNALED: 2,
  /** Tasks that the checkpoint contains, times 2, plus the number of the buffer that it is in. 0: there is none. */
  CHECKPOINT: 3,
  /** Deaths since the task in hand was first begun, or since a packet of it went into quarantine. */
  DEATHS: 4,
  /** Number of the table set that the checkpoint is of, or of an older one: later ones may be asked for. */
  EPOCH: 5,
  /** Tasks that were done when the worker last had nothing left to do. Who sleeps waits for it to change, and is not woken for
   *  every task: that would take the worker's core from it. */
  IDLE: 6,
  SIZE: 16,
} as const;

/** Cells of `hand`. */
export const HAND = { ROWS: 0, FIRST: 1, LAST: 2 } as const;

const TASK = { SLOT: 0, USED: 1, EPOCH: 2, DRAIN_AT: 3, UNTIL: 4, COUNTS: 5 } as const;
/** A trace on which more packets kill than this has another trouble. */
export const QUARANTINE_MAX = 64;
/** Room for packets between two checkpoints. Pages that are never written take no memory. */
const JOURNAL_SIZE = 128 << 20;
/** Bytes of a row's columns in the journal, and more. */
const ROW_SIZE = 64;

export interface WorkerMemory {
  readonly control: Int32Array;
  readonly tasks: Float64Array;
  readonly answers: Float64Array;
  readonly journal: SharedArrayBuffer;
  readonly hand: Float64Array;
  readonly quarantine: Float64Array;
}

/** What is to be done with a parcel. */
export interface Work {
  /** Number of the table set to do it by. */
  readonly epoch: number;
  /** Place of what timers give out, or -1 to walk the rows. */
  readonly drainAt: number;
  /** Timers that are due by then fire; Infinity: all. */
  readonly untilNs: number;
}

export interface Task extends Work {
  readonly slot: number;
}

/** Memory for a worker to which `parcels` belong, by slot; it begins with table set `epoch`. */
export function createWorkerMemory(parcels: readonly Parcel[], epoch: number): WorkerMemory {
  const taskSize = TASK.COUNTS + parcels[0]!.lanes.length;
  const control = new Int32Array(new SharedArrayBuffer(CONTROL.SIZE * 4));
  control[CONTROL.EPOCH] = epoch;
  return {
    control,
    tasks: new Float64Array(new SharedArrayBuffer(parcels.length * taskSize * 8)),
    answers: createAnswers(parcels.length, parcels[0]!.lanes.length),
    journal: new SharedArrayBuffer(Math.max(JOURNAL_SIZE, 2 * entrySizeMax(parcels[0]!))),
    hand: new Float64Array(new SharedArrayBuffer(24)),
    quarantine: new Float64Array(new SharedArrayBuffer((1 + QUARANTINE_MAX) * 8)),
  };
}

/** The most that one task can take in the journal. */
export const entrySizeMax = (parcel: Parcel): number =>
  parcel.arena.bytes.length +
  parcel.lanes.reduce((sum, { sequence }) => sum + (sequence.length + 16) * ROW_SIZE, 64);

/** Put a task into the ring: walk, or drain, the parcel of `slot` as it stands. `taken`: tasks whose answers were read.
 *  Returns the task's number.
 *  @throws RangeError when the ring is full: whoever gives must wait for an answer first. */
export function giveTask(
  memory: WorkerMemory,
  parcels: readonly Parcel[],
  task: Task,
  taken: number,
): number {
  const { control, tasks } = memory;
  const serial = control[CONTROL.GIVEN]!;
  if (serial - taken >= parcels.length) throw new RangeError('every slot is on its way already');
  const parcel = parcels[task.slot]!;
  const at = placeOf(memory, parcels, serial);
  tasks[at + TASK.SLOT] = task.slot;
  tasks[at + TASK.USED] = parcel.arena.used;
  tasks[at + TASK.EPOCH] = task.epoch;
  tasks[at + TASK.DRAIN_AT] = task.drainAt;
  tasks[at + TASK.UNTIL] = task.untilNs;
  for (let i = 0; i < parcel.lanes.length; i++) tasks[at + TASK.COUNTS + i] = parcel.lanes[i]!.input.count;
  Atomics.store(control, CONTROL.GIVEN, serial + 1);
  Atomics.notify(control, CONTROL.GIVEN);
  return serial;
}

/** Wait until there is a task `serial`. Blocks the thread. */
export function awaitTask({ control }: WorkerMemory, serial: number): void {
  for (;;) {
    const given = Atomics.load(control, CONTROL.GIVEN);
    if (given > serial) return;
    Atomics.wait(control, CONTROL.GIVEN, given);
  }
}

/** Wait until all tasks are done; false when none was for `ms`. Blocks the thread, which is woken once. */
export function awaitDone(memory: WorkerMemory, ms: number): boolean {
  const { control } = memory;
  for (;;) {
    const idle = Atomics.load(control, CONTROL.IDLE);
    const done = doneTasks(memory);
    if (done === Atomics.load(control, CONTROL.GIVEN)) return true;
    const isWoken = Atomics.wait(control, CONTROL.IDLE, idle, ms) !== 'timed-out';
    if (!isWoken && doneTasks(memory) === done) return false;
  }
}

/** Tasks that are done, which is the number of the next one. */
export const doneTasks = ({ control }: WorkerMemory): number => Atomics.load(control, CONTROL.DONE);

/** Count task `serial` as done: its answer is written, and nobody will walk it again. */
export function finishTask({ control }: WorkerMemory, serial: number): void {
  Atomics.store(control, CONTROL.DONE, serial + 1);
  Atomics.notify(control, CONTROL.DONE);
  if (Atomics.load(control, CONTROL.GIVEN) > serial + 1) return;
  Atomics.store(control, CONTROL.IDLE, serial + 1);
  Atomics.notify(control, CONTROL.IDLE);
}

export const isDone = (memory: WorkerMemory, serial: number): boolean => doneTasks(memory) > serial;

/** Task `serial`; its parcel's counts are set as they were given. */
export function takeTask(memory: WorkerMemory, parcels: readonly Parcel[], serial: number): Task {
  const { tasks } = memory;
  const at = placeOf(memory, parcels, serial);
  const slot = tasks[at + TASK.SLOT]!;
  const parcel = parcels[slot]!;
  parcel.arena.used = tasks[at + TASK.USED]!;
  parcel.lanes.forEach((rows, i) => {
    rows.input.count = tasks[at + TASK.COUNTS + i]!;
    rows.input.next = 0;
    rows.output.count = 0;
  });
  return {
    slot,
    epoch: tasks[at + TASK.EPOCH]!,
    drainAt: tasks[at + TASK.DRAIN_AT]!,
    untilNs: tasks[at + TASK.UNTIL]!,
  };
}

const placeOf = (memory: WorkerMemory, parcels: readonly Parcel[], serial: number): number =>
  (serial % parcels.length) * (memory.tasks.length / parcels.length);
