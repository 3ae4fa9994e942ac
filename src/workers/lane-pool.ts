/** Gives every lane to a worker for the whole run: worker threads, or this thread when there is one worker. */
import { StateBuffer } from '../layout/state-buffer.js';
import { type EpochEntry, EpochShelf } from './epoch-shelf.js';
import { FAULT_VARIABLE, Faults, parseFaults } from './faults.js';
import type { GroupOutcome } from './lane-group.js';
import { type Checkpoints, LaneKeeper } from './lane-keeper.js';
import { type LaneProgram, WALK_ONLY } from './lane-program.js';
import type { LaneSettings, SentSettings } from './lane-runner.js';
import { LaneThread } from './lane-thread.js';
import type { Parcel } from './parcel.js';
import { Recovery } from './recovery.js';
import {
  CONTROL,
  createWorkerMemory,
  doneTasks,
  giveTask,
  isDone,
  type WorkerMemory,
} from './worker-memory.js';

export interface LanePool {
  /** Walk the parcels of a slot, one for each worker, by the table set in use; with `drain`, fire timers instead. Slots are given
   *  in turn, each again only after its answer. A worker that dies is replaced, and the answer is as if it had not; it is an
   *  Error where replacing it was no use: its parcel is lost, and so is all that it is given later. */
  run(slot: number, drain?: Drain): Promise<readonly (GroupOutcome | Error)[]>;
  /** What is given from now on is done by this table set, whose number is higher than those before. */
  use(entry: EpochEntry): void;
  /** Sets before this one may be overwritten: no worker will ask for them. */
  readonly oldestEpoch: number;
  /** Block this thread until all that was given is done; answers are told afterwards. False when a worker does nothing for
   *  `ms`: one that dies is not replaced while this thread sleeps. */
  sleep(ms: number): boolean;
  /** Workers that died and were replaced. */
  readonly recovered: number;
  /** Packets that are not walked because workers died of them. */
  readonly quarantined: number;
  close(): Promise<void>;
}

/** Fire the timers that are due at `untilNs` or before (Infinity: all); what they give out gets the place `at`. */
export interface Drain {
  readonly at: number;
  readonly untilNs: number;
}

const WALK: Drain = { at: -1, untilNs: 0 };

/** `parcels[slot][worker]`. */
export function createLanePool(
  epoch: EpochEntry,
  settings: SentSettings,
  parcels: readonly (readonly Parcel[])[],
  program = WALK_ONLY,
): LanePool {
  const workers = parcels[0]!.map((_, worker) => parcels.map((slot) => slot[worker]!));
  if (workers.length === 1) return new ThisThread(epoch, settings, workers[0]!, program);
  return new WorkerThreads(epoch, settings, workers, program);
}

/** One worker that is no thread of its own: it may stop in the middle of a packet, and goes on as a thread would. */
class ThisThread implements LanePool {
  readonly #shelf: EpochShelf;
  readonly #settings: LaneSettings;
  readonly #parcels: readonly Parcel[];
  readonly #memory: WorkerMemory;
  readonly #recovery: Recovery;
  readonly #checkpoints: Checkpoints = [new StateBuffer(), new StateBuffer()];
  readonly #faults: Faults | null;
  #epoch: number;
  #keeper: LaneKeeper | null = null;
  #failure: Error | null = null;

  constructor(
    epoch: EpochEntry,
    settings: SentSettings,
    parcels: readonly Parcel[],
    { createChoices }: LaneProgram,
  ) {
    this.#epoch = epoch.number;
    this.#shelf = new EpochShelf([epoch]);
    this.#settings = { ...settings, createChoices };
    this.#parcels = parcels;
    this.#memory = createWorkerMemory(parcels, epoch.number);
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

  get oldestEpoch(): number {
    return this.#memory.control[CONTROL.EPOCH]!;
  }

  use(entry: EpochEntry): void {
    this.#shelf.take(entry);
    this.#epoch = entry.number;
  }

  async run(slot: number, { at: drainAt, untilNs } = WALK): Promise<readonly (GroupOutcome | Error)[]> {
    if (this.#failure !== null) return [this.#failure];
    const task = { slot, epoch: this.#epoch, drainAt, untilNs };
    const serial = giveTask(this.#memory, this.#parcels, task, doneTasks(this.#memory));
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
      shelf: this.#shelf,
      // All were put there when they were given.
      onEpochMissing: () => {},
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
  #epoch: number;

  constructor(
    epoch: EpochEntry,
    settings: SentSettings,
    workers: readonly (readonly Parcel[])[],
    { module }: LaneProgram,
  ) {
    this.#epoch = epoch.number;
    const faults = parseFaults(process.env[FAULT_VARIABLE]);
    this.#threads = workers.map((parcels) => new LaneThread(epoch, settings, parcels, module, faults));
  }

  get recovered(): number {
    return this.#threads.reduce((sum, { recovery }) => sum + recovery.recovered, 0);
  }

  get quarantined(): number {
    return this.#threads.reduce((sum, { recovery }) => sum + recovery.quarantined, 0);
  }

  get oldestEpoch(): number {
    return Math.min(...this.#threads.map((thread) => thread.oldestEpoch));
  }

  use(entry: EpochEntry): void {
    this.#epoch = entry.number;
    for (const thread of this.#threads) thread.use(entry);
  }

  run(slot: number, { at: drainAt, untilNs } = WALK): Promise<readonly (GroupOutcome | Error)[]> {
    const task = { slot, epoch: this.#epoch, drainAt, untilNs };
    return Promise.all(this.#threads.map((thread) => thread.run(task)));
  }

  sleep(ms: number): boolean {
    return this.#threads.every((thread) => thread.sleep(ms));
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }
}
