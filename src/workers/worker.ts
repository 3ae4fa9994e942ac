/** A worker thread: keeps the engines of its lanes and walks the parcels that it is told of, as long as the thread lives. */
import { type MessagePort, workerData } from 'node:worker_threads';
import { StateBuffer } from '../layout/state-buffer.js';
import { Epoch } from '../tables/epoch.js';
import { Answers, type More } from './answers.js';
import { type FaultList, Faults } from './faults.js';
import { LaneKeeper } from './lane-keeper.js';
import type { LaneSettings } from './lane-runner.js';
import type { Parcel } from './parcel.js';
import { awaitTask, doneTasks, type WorkerMemory } from './worker-memory.js';

/** Given to every thread that takes this worker's place. All buffers in it are shared. */
export interface WorkerSetup {
  readonly epoch: SharedArrayBuffer;
  readonly settings: LaneSettings;
  /** By slot. */
  readonly parcels: readonly Parcel[];
  readonly memory: WorkerMemory;
  readonly faults: FaultList | null;
}

/** Given to one thread. */
export interface WorkerStart {
  readonly port: MessagePort;
  readonly checkpoints: readonly [SharedArrayBuffer, SharedArrayBuffer];
}

/** What is said beside what stands in shared memory, before what stands there speaks of it. */
export type WorkerMessage =
  | { readonly kind: 'more'; readonly serial: number; readonly more: More }
  | { readonly kind: 'checkpoint'; readonly which: 0 | 1; readonly buffer: SharedArrayBuffer };

/** Walk task after task. Ends with the thread, or with what the engine throws. */
export function runTasks({ port, checkpoints }: WorkerStart): never {
  const { epoch, settings, parcels, memory, faults } = workerData as WorkerSetup;
  const say = (message: WorkerMessage): void => port.postMessage(message);
  const buffers = [new StateBuffer(checkpoints[0]), new StateBuffer(checkpoints[1])] as const;
  const keeper = new LaneKeeper({
    epoch: new Epoch(epoch),
    settings,
    parcels,
    memory,
    checkpoints: buffers,
    onCheckpointMoved: (which) => say({ kind: 'checkpoint', which, buffer: buffers[which].buffer }),
    faults: faults === null ? null : new Faults(faults, true),
  });
  const answers = new Answers(memory.answers, parcels.length);
  for (let serial = doneTasks(memory); ; serial++) {
    awaitTask(memory, serial);
    const more = answers.put(serial, keeper.run(serial));
    if (more !== null) say({ kind: 'more', serial, more });
    keeper.finish(serial);
    keeper.checkpointIfDue(serial);
  }
}
