/** A worker thread: keeps the engines of its lanes and walks the parcels that it is told of, as long as the thread lives. */
import { type MessagePort, workerData } from 'node:worker_threads';
import { StateBuffer } from '../layout/state-buffer.js';
import { Epoch } from '../tables/epoch.js';
import { type FaultList, Faults } from './faults.js';
import type { GroupOutcome } from './lane-group.js';
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

/** An answer counts once it is said to be done: until then the task may be walked again, in the same parcel. */
export type WorkerMessage =
  | { readonly kind: 'answer'; readonly serial: number; readonly outcome: GroupOutcome }
  | { readonly kind: 'done'; readonly serial: number }
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
  for (let serial = doneTasks(memory); ; serial++) {
    awaitTask(memory, serial);
    const outcome = keeper.run(serial);
    say({ kind: 'answer', serial, outcome });
    keeper.finish(serial);
    say({ kind: 'done', serial });
    keeper.checkpointIfDue(serial);
  }
}
