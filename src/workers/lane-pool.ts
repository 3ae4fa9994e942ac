/** Gives every lane to a worker for the whole run: worker threads, or this thread when there is one worker. */
import { StateBuffer } from '../layout/state-buffer.js';
import type { Epoch } from '../tables/epoch.js';
import { FAULT_VARIABLE, Faults, parseFaults } from './faults.js';
import type { GroupOutcome } from './lane-group.js';
import { type Checkpoints, LaneKeeper } from './lane-keeper.js';
import type { LaneSettings } from './lane-runner.js';
import { LaneThread } from './lane-thread.js';
import type { Parcel } from './parcel.js';
import { Recovery } from './recovery.js';
import { createWorkerMemory, doneTasks, giveTask, isDone, type WorkerMemory } from './worker-memory.js';

export interface LanePool {
  /** Walk the parcels of a slot, one for each worker; `drainAt` >= 0 fires the timers that are left instead. Slots are given
   *  in turn, each again only after its answer. A worker that dies is replaced, and the answer is as if it had not; it is an
   *  Error where replacing it was no use: its parcel is lost, and so is all that it is given later. */
  run(slot: number, drainAt?: number): Promise<readonly (GroupOutcome | Error)[]>;
  /** Block this thread until all that was given is done; answers are told afterwards. False when a worker does nothing for
   *  `ms`: one that dies is not replaced while this thread sleeps. */
  sleep(ms: number): boolean;
  /** Workers that died and were replaced. */
  readonly recovered: number;
  /** Packets that are not walked because workers died of them. */
  readonly quarantined: number;
  close(): Promise<void>;
}

/** `parcels[slot][worker]`. */
export function createLanePool(
  epoch: Epoch,
  settings: LaneSettings,
  parcels: readonly (readonly Parcel[])[],
): LanePool {
  const workers = parcels[0]!.map((_, worker) => parcels.map((slot) => slot[worker]!));
  if (workers.length === 1) return new ThisThread(epoch, settings, workers[0]!);
  return new WorkerThreads(epoch, settings, workers);
}

/** One worker that is no thread of its own: it may stop in the middle of a packet, and goes on as a thread would. */
class ThisThread implements LanePool {
  readonly #epoch: Epoch;
  readonly #settings: LaneSettings;
  readonly #parcels: readonly Parcel[];
  readonly #memory: WorkerMemory;
  readonly #recovery: Recovery;
  readonly #checkpoints: Checkpoints = [new StateBuffer(), new StateBuffer()];
  readonly #faults: Faults | null;
  #keeper: LaneKeeper | null = null;
  #failure: Error | null = null;

  constructor(epoch: Epoch, settings: LaneSettings, parcels: readonly Parcel[]) {
    this.#epoch = epoch;
    this.#settings = settings;
    this.#parcels = parcels;
    this.#memory = createWorkerMemory(parcels);
    this.#recovery = new Recovery(this.#memory);
    const faults = parseFaults(process.env[FAULT_VARIABLE]);
    this.#faults = faults === null ? null : new Faults(faults, false);
  }

  get recovered(): number {
    return this.#recovery.recovered;
  }

  get quarantined(): number {
    return this.#recovery.quarantined;
  }

  async run(slot: number, drainAt = -1): Promise<readonly (GroupOutcome | Error)[]> {
    if (this.#failure !== null) return [this.#failure];
    const serial = giveTask(this.#memory, this.#parcels, { slot, drainAt }, doneTasks(this.#memory));
    for (;;) {
      let outcome: GroupOutcome | null = null;
      try {
        this.#keeper ??= this.#createKeeper();
        outcome = this.#keeper.run(serial);
        this.#keeper.finish(serial);
        this.#keeper.checkpointIfDue(serial);
        return [outcome];
      } catch (error) {
        this.#keeper = null;
        this.#failure = this.#recovery.note(error instanceof Error ? error : new Error(String(error)));
        if (this.#failure !== null) return [this.#failure];
        if (outcome !== null && isDone(this.#memory, serial)) return [outcome];
      }
    }
  }

  sleep(): boolean {
    return true;
  }

  async close(): Promise<void> {}

  #createKeeper(): LaneKeeper {
    return new LaneKeeper({
      epoch: this.#epoch,
      settings: this.#settings,
      parcels: this.#parcels,
      memory: this.#memory,
      checkpoints: this.#checkpoints,
      onCheckpointMoved: () => {},
      faults: this.#faults,
    });
  }
}

class WorkerThreads implements LanePool {
  readonly #threads: readonly LaneThread[];

  constructor(epoch: Epoch, settings: LaneSettings, workers: readonly (readonly Parcel[])[]) {
    const faults = parseFaults(process.env[FAULT_VARIABLE]);
    this.#threads = workers.map((parcels) => new LaneThread(epoch, settings, parcels, faults));
  }

  get recovered(): number {
    return this.#threads.reduce((sum, { recovery }) => sum + recovery.recovered, 0);
  }

  get quarantined(): number {
    return this.#threads.reduce((sum, { recovery }) => sum + recovery.quarantined, 0);
  }

  run(slot: number, drainAt = -1): Promise<readonly (GroupOutcome | Error)[]> {
    return Promise.all(this.#threads.map((thread) => thread.run({ slot, drainAt })));
  }

  sleep(ms: number): boolean {
    return this.#threads.every((thread) => thread.sleep(ms));
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }
}
