/** One worker thread: gives it tasks through shared memory, hears its answers, and starts it anew when it dies. */
/// <reference lib="es2024.sharedmemory" />
import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { Answers, type More } from './answers.js';
import type { EpochEntry } from './epoch-shelf.js';
import { type FaultList, runsOutOfMemory } from './faults.js';
import type { GroupOutcome } from './lane-group.js';
import type { SentSettings } from './lane-runner.js';
import type { Parcel } from './parcel.js';
import { Recovery } from './recovery.js';
import type { WorkerMessage, WorkerSetup, WorkerStart } from './worker.js';
import {
  awaitDone,
  CONTROL,
  createWorkerMemory,
  doneTasks,
  giveTask,
  type Task,
  type WorkerMemory,
} from './worker-memory.js';

/** Of a thread that shall run out of it for a test. */
const LITTLE_MEMORY = { maxOldGenerationSizeMb: 64 };

export class LaneThread {
  readonly recovery: Recovery;
  readonly #parcels: readonly Parcel[];
  readonly #memory: WorkerMemory;
  readonly #setup: WorkerSetup;
  /** Of the program that the thread runs. */
  readonly #module: string;
  readonly #checkpoints: [SharedArrayBuffer, SharedArrayBuffer];
  readonly #answers: Answers;
  /** By task: what was sent beside its answer, and who waits for it. */
  readonly #more = new Map<number, More>();
  readonly #waiting = new Map<number, (answer: GroupOutcome | Error) => void>();
  /** Table sets that the thread may ask for, the one that takes its place too. */
  #epochs: readonly EpochEntry[];
  #pool!: Piscina<WorkerStart, never>;
  #port!: MessagePort;
  /** Tasks whose answers were read. */
  #taken = 0;
  #failure: Error | null = null;
  #isClosing = false;

  constructor(
    epoch: EpochEntry,
    settings: SentSettings,
    parcels: readonly Parcel[],
    module: string,
    faults: FaultList | null,
  ) {
    this.#epochs = [epoch];
    this.#parcels = parcels;
    this.#module = module;
    this.#memory = createWorkerMemory(parcels, epoch.number);
    this.#answers = new Answers(this.#memory.answers, parcels.length);
    this.recovery = new Recovery(this.#memory);
    this.#checkpoints = [new SharedArrayBuffer(8), new SharedArrayBuffer(8)];
    this.#setup = { settings, parcels, memory: this.#memory, faults };
    this.#start();
    void this.#listen();
  }

  /** No thread will ask for sets before this one. */
  get oldestEpoch(): number {
    return Atomics.load(this.#memory.control, CONTROL.EPOCH);
  }

  /** Tell of a table set, before a task of it is given. */
  use(entry: EpochEntry): void {
    const { oldestEpoch } = this;
    this.#epochs = [...this.#epochs.filter(({ number }) => number >= oldestEpoch), entry];
    this.#port.postMessage(entry);
  }

  /** Give a task; its answer, or an Error when the lanes are given up. */
  run(task: Task): Promise<GroupOutcome | Error> {
    if (this.#failure !== null) return Promise.resolve(this.#failure);
    const serial = giveTask(this.#memory, this.#parcels, task, this.#taken);
    return new Promise((resolve) => {
      this.#waiting.set(serial, (answer) => {
        if (!(answer instanceof Error)) noteCounts(this.#parcels[task.slot]!, answer);
        resolve(answer);
      });
    });
  }

  /** Block the calling thread until all tasks are done; false when none was for `ms`. */
  sleep(ms: number): boolean {
    return awaitDone(this.#memory, ms);
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    this.#port.close();
    // Wakes #listen.
    Atomics.notify(this.#memory.control, CONTROL.DONE);
    await this.#pool.destroy();
  }

  /** A pool of one, as the lanes' connections live in one thread; a new one each time, as a pool whose thread dies while
   *  it starts never starts another, nor tells. */
  #start(): void {
    const { faults } = this.#setup;
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    this.#pool = new Piscina<WorkerStart, never>({
      filename: this.#module,
      name: 'runTasks',
      minThreads: 1,
      maxThreads: 1,
      workerData: this.#setup,
      ...(faults !== null && runsOutOfMemory(faults) ? { resourceLimits: LITTLE_MEMORY } : {}),
    });
    // What it is of, the task's own promise says too.
    this.#pool.on('error', () => {});
    this.#pool
      .run({ port: port2, checkpoints: this.#checkpoints, epochs: this.#epochs }, { transferList: [port2] })
      .catch((error: unknown) => this.#bury(error instanceof Error ? error : new Error(String(error))));
  }

  /** Take answers as they are written, whichever thread writes them. */
  async #listen(): Promise<void> {
    const { control } = this.#memory;
    while (!this.#isClosing) {
      const done = doneTasks(this.#memory);
      while (this.#taken < done) this.#release(this.#taken++);
      const change = Atomics.waitAsync(control, CONTROL.DONE, done);
      if (change.async) await change.value;
    }
  }

  /** Task `serial` is done: no other thread will walk it again, so its parcel may be used. */
  #release(serial: number): void {
    if (this.#answers.hasMore(serial) && !this.#more.has(serial)) this.#hear();
    const answer = this.#answers.take(serial, this.#more.get(serial));
    const resolve = this.#waiting.get(serial);
    this.#more.delete(serial);
    this.#waiting.delete(serial);
    resolve?.(answer);
  }

  /** What the thread has sent so far. */
  #hear(): void {
    const port = this.#port;
    for (let last = receiveMessageOnPort(port); last !== undefined; last = receiveMessageOnPort(port)) {
      const message = last.message as WorkerMessage;
      if (message.kind === 'checkpoint') this.#checkpoints[message.which] = message.buffer;
      else this.#more.set(message.serial, message.more);
    }
  }

  /** The thread has died. What it sent is still in the port. */
  #bury(cause: Error): void {
    if (this.#isClosing) return;
    this.#hear();
    this.#port.close();
    // The pool has begun to replace its thread.
    void this.#pool.destroy();
    this.#failure = this.recovery.note(cause);
    if (this.#failure === null) {
      this.#start();
      return;
    }
    const done = doneTasks(this.#memory);
    while (this.#taken < done) this.#release(this.#taken++);
    for (const resolve of this.#waiting.values()) resolve(this.#failure);
    this.#waiting.clear();
  }
}

/** The rows that a worker has written are in shared memory; how many, it says. */
function noteCounts(parcel: Parcel, outcome: GroupOutcome): void {
  outcome.lanes.forEach((lane, i) => {
    parcel.lanes[i]!.output.count = lane.count;
  });
}
