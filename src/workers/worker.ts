/** A worker thread: keeps the engines of its lanes and walks the parcels that it is told of. */
import { workerData } from 'node:worker_threads';
import { Epoch } from '../tables/epoch.js';
import { type GroupOutcome, LaneGroup } from './lane-group.js';
import type { LaneSettings } from './lane-runner.js';
import type { Parcel } from './parcel.js';

/** Given to the thread when it starts. All buffers in it are shared. */
export interface WorkerSetup {
  readonly epoch: SharedArrayBuffer;
  readonly settings: LaneSettings;
  /** By slot. */
  readonly parcels: readonly Parcel[];
}

export interface WorkerTask {
  /** Number of the task, from 0: a thread that was started anew in place of a dead one has not seen the ones before. */
  readonly serial: number;
  readonly slot: number;
  /** Rows of each lane, and where the arena's packets end. */
  readonly counts: readonly number[];
  readonly used: number;
  /** Place of what the last timers give out, or -1 to walk the rows. */
  readonly drainAt: number;
}

const setup = workerData as WorkerSetup;
const epoch = new Epoch(setup.epoch);
const group = new LaneGroup(epoch, setup.parcels[0]!.lanes.length, setup.settings);
let serial = 0;
/** An engine that stopped in the middle of a packet knows less than it should: nothing is walked after that. */
let isSound = true;

/** Walk one parcel.
 *  @throws Error when tasks before this one went to a thread that died: its connections are gone. */
export function runTask(task: WorkerTask): GroupOutcome {
  if (task.serial !== serial++ || !isSound) throw new Error('a worker died and its connections with it');
  isSound = false;
  const parcel = setup.parcels[task.slot]!;
  parcel.arena.used = task.used;
  parcel.lanes.forEach((rows, i) => {
    rows.input.count = task.counts[i]!;
    rows.input.next = 0;
    rows.output.count = 0;
  });
  const outcome = task.drainAt < 0 ? group.run(parcel) : group.drain(parcel, task.drainAt);
  isSound = true;
  return outcome;
}
