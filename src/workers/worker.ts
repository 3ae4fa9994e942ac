/** A worker thread: keeps the engines of its lanes and walks the parcels that it is told of, as long as the thread lives. */
import { type MessagePort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { StateBuffer } from '../layout/state-buffer.js';
import { Answers, type More } from './answers.js';
import { type EpochEntry, EpochShelf } from './epoch-shelf.js';
import { type FaultList, Faults } from './faults.js';
import { LaneKeeper } from './lane-keeper.js';
import type { CreateChoices } from './lane-program.js';
import type { SentSettings } from './lane-runner.js';
import type { Parcel } from './parcel.js';
import { awaitTask, doneTasks, type WorkerMemory } from './worker-memory.js';

/** Given to every thread that takes this worker's place. All buffers in it are shared. */
export interface WorkerSetup {
  readonly settings: SentSettings;
  /** By slot. */
  readonly parcels: readonly Parcel[];
  readonly memory: WorkerMemory;
  readonly faults: FaultList | null;
}

/** Given to one thread. */
export interface WorkerStart {
  /** Table sets that follow come through it too. */
  readonly port: MessagePort;
  readonly checkpoints: readonly [SharedArrayBuffer, SharedArrayBuffer];
  /** Table sets from the checkpoint's on. */
  readonly epochs: readonly EpochEntry[];
}

/** What is said beside what stands in shared memory, before what stands there speaks of it. */
export type WorkerMessage =
  | { readonly kind: 'more'; readonly serial: number; readonly more: More }
  | { readonly kind: 'checkpoint'; readonly which: 0 | 1; readonly buffer: SharedArrayBuffer };

/** Walk task after task: what a thread does whose lanes have no program of their own. */
export const runTasks = (start: WorkerStart): never => serveLanes(start, null);

/** Walk task after task. Ends with the thread, or with what the engine throws. */
export function serveLanes(
  { port, checkpoints, epochs }: WorkerStart,
  createChoices: CreateChoices | null,
): never {
  const { settings, parcels, memory, faults } = workerData as WorkerSetup;
  const say = (message: WorkerMessage): void => port.postMessage(message);
  const buffers = [new StateBuffer(checkpoints[0]), new StateBuffer(checkpoints[1])] as const;
  const shelf = new EpochShelf(epochs);
  const keeper = new LaneKeeper({
    shelf,
    onEpochMissing: () => hearEpochs(port, shelf),
    settings: { ...settings, createChoices },
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

/** Put on the shelf what was sent so far. */
function hearEpochs(port: MessagePort, shelf: EpochShelf): void {
  for (let last = receiveMessageOnPort(port); last !== undefined; last = receiveMessageOnPort(port))
    shelf.take(last.message as EpochEntry);
}
