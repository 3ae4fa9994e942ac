/** One worker thread: gives it tasks through shared memory, hears its answers, and starts it anew when it dies. */
import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { Epoch } from '../tables/epoch.js';
import type { FaultList } from './faults.js';
import type { GroupOutcome } from './lane-group.js';
import type { LaneSettings } from './lane-runner.js';
import type { Parcel } from './parcel.js';
import { Recovery } from './recovery.js';
import type { WorkerMessage, WorkerSetup, WorkerStart } from './worker.js';
import { createWorkerMemory, giveTask, isDone, type Task, type WorkerMemory } from './worker-memory.js';

export class LaneThread {
  readonly recovery: Recovery;
  readonly #parcels: readonly Parcel[];
  readonly #memory: WorkerMemory;
  /** A pool of one: the lanes' connections live in one thread. It holds the thread, and another after it. */
  readonly #pool: Piscina<WorkerStart, never>;
  readonly #checkpoints: [SharedArrayBuffer, SharedArrayBuffer];
  /** By task: what it gave, not yet known to be done; and who waits for it. */
  readonly #answers = new Map<number, GroupOutcome>();
  readonly #waiting = new Map<number, (answer: GroupOutcome | Error) => void>();
  #port: MessagePort | null = null;
  #failure: Error | null = null;
  #isClosing = false;

  constructor(epoch: Epoch, settings: LaneSettings, parcels: readonly Parcel[], faults: FaultList | null) {
    this.#parcels = parcels;
    this.#memory = createWorkerMemory(parcels);
    this.recovery = new Recovery(this.#memory);
    this.#checkpoints = [new SharedArrayBuffer(8), new SharedArrayBuffer(8)];
    const setup: WorkerSetup = { epoch: epoch.buffer, settings, parcels, memory: this.#memory, faults };
    this.#pool = new Piscina<WorkerStart, never>({
      filename: new URL('./worker.js', import.meta.url).href,
      name: 'runTasks',
      minThreads: 1,
      maxThreads: 1,
      workerData: setup,
    });
    // Said of a thread that dies outside its task, while it starts: its task is told, too.
    this.#pool.on('error', () => {});
    this.#start();
  }

  /** Give a task; its answer, or an Error when the lanes are given up. */
  run(task: Task): Promise<GroupOutcome | Error> {
    if (this.#failure !== null) return Promise.resolve(this.#failure);
    const serial = giveTask(this.#memory, this.#parcels, task);
    return new Promise((resolve) => {
      this.#waiting.set(serial, (answer) => {
        if (!(answer instanceof Error)) noteCounts(this.#parcels[task.slot]!, answer);
        resolve(answer);
      });
    });
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    this.#port?.close();
    await this.#pool.destroy();
  }

  #start(): void {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    port1.on('message', (message: WorkerMessage) => this.#hear(message));
    this.#pool
      .run({ port: port2, checkpoints: this.#checkpoints }, { transferList: [port2] })
      .catch((error: unknown) =>
        this.#bury(port1, error instanceof Error ? error : new Error(String(error))),
      );
  }

  #hear(message: WorkerMessage): void {
    if (message.kind === 'checkpoint') this.#checkpoints[message.which] = message.buffer;
    else if (message.kind === 'answer') this.#answers.set(message.serial, message.outcome);
    else this.#release(message.serial);
  }

  /** Task `serial` is done: no other thread will walk it again, so its parcel may be used. */
  #release(serial: number): void {
    const answer = this.#answers.get(serial);
    const resolve = this.#waiting.get(serial);
    this.#answers.delete(serial);
    this.#waiting.delete(serial);
    if (answer !== undefined) resolve?.(answer);
  }

  /** The thread has died. What it said before is still in the port. */
  #bury(port: MessagePort, cause: Error): void {
    for (let last = receiveMessageOnPort(port); last !== undefined; last = receiveMessageOnPort(port))
      this.#hear(last.message as WorkerMessage);
    port.close();
    if (this.#isClosing) return;
    for (const serial of [...this.#answers.keys()]) if (isDone(this.#memory, serial)) this.#release(serial);
    this.#failure = this.recovery.note(cause);
    if (this.#failure === null) {
      this.#start();
      return;
    }
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
