/** Gives every lane to a worker for the whole run: worker threads, or this thread when there is one worker. */
import { Piscina } from 'piscina';
import type { Epoch } from '../tables/epoch.js';
import { type GroupOutcome, LaneGroup } from './lane-group.js';
import type { LaneSettings } from './lane-runner.js';
import type { Parcel } from './parcel.js';
import type { WorkerSetup, WorkerTask } from './worker.js';

export interface LanePool {
  /** Walk the parcels of a slot, one for each worker; `drainAt` >= 0 fires the timers that are left instead. An answer
   *  is an Error where that worker failed: its parcel is lost, and so is all that it is given later. */
  run(slot: number, drainAt?: number): Promise<readonly (GroupOutcome | Error)[]>;
  close(): Promise<void>;
}

/** `parcels[slot][worker]`. */
export function createLanePool(
  epoch: Epoch,
  settings: LaneSettings,
  parcels: readonly (readonly Parcel[])[],
): LanePool {
  const workers = parcels[0]!.length;
  return workers === 1
    ? new ThisThread(epoch, settings, parcels)
    : new WorkerThreads(epoch, settings, parcels);
}

class ThisThread implements LanePool {
  readonly #group: LaneGroup;
  #isSound = true;
  readonly #parcels: readonly (readonly Parcel[])[];

  constructor(epoch: Epoch, settings: LaneSettings, parcels: readonly (readonly Parcel[])[]) {
    this.#parcels = parcels;
    this.#group = new LaneGroup(epoch, parcels[0]![0]!.lanes.length, settings);
  }

  async run(slot: number, drainAt = -1): Promise<readonly (GroupOutcome | Error)[]> {
    const parcel = this.#parcels[slot]![0]!;
    if (!this.#isSound) return [new Error('the engines stopped and their connections are gone')];
    try {
      return [drainAt < 0 ? this.#group.run(parcel) : this.#group.drain(parcel, drainAt)];
    } catch (error) {
      this.#isSound = false;
      return [error instanceof Error ? error : new Error(String(error))];
    }
  }

  async close(): Promise<void> {}
}

/** A pool of one thread for each worker: a pool of many would give a lane's parcels to any thread, but its connections
 *  live in one. */
class WorkerThreads implements LanePool {
  readonly #parcels: readonly (readonly Parcel[])[];
  readonly #pools: readonly Piscina<WorkerTask, GroupOutcome>[];
  readonly #serial: number[];

  constructor(epoch: Epoch, settings: LaneSettings, parcels: readonly (readonly Parcel[])[]) {
    this.#parcels = parcels;
    this.#serial = parcels[0]!.map(() => 0);
    this.#pools = parcels[0]!.map((_, worker) => {
      const setup: WorkerSetup = {
        epoch: epoch.buffer,
        settings,
        parcels: parcels.map((slot) => slot[worker]!),
      };
      return new Piscina<WorkerTask, GroupOutcome>({
        filename: new URL('./worker.js', import.meta.url).href,
        name: 'runTask',
        minThreads: 1,
        maxThreads: 1,
        // Else a task that finds the thread busy goes behind later ones.
        stricterFIFO: true,
        workerData: setup,
      });
    });
  }

  run(slot: number, drainAt = -1): Promise<readonly (GroupOutcome | Error)[]> {
    return Promise.all(
      this.#parcels[slot]!.map((parcel, worker) => this.#runOne(parcel, worker, slot, drainAt)),
    );
  }

  async close(): Promise<void> {
    await Promise.all(this.#pools.map((pool) => pool.destroy()));
  }

  async #runOne(
    parcel: Parcel,
    worker: number,
    slot: number,
    drainAt: number,
  ): Promise<GroupOutcome | Error> {
    const task: WorkerTask = {
      serial: this.#serial[worker]!++,
      slot,
      counts: parcel.lanes.map((rows) => rows.input.count),
      used: parcel.arena.used,
      drainAt,
    };
    try {
      const outcome = await this.#pools[worker]!.run(task);
      outcome.lanes.forEach((lane, i) => {
        parcel.lanes[i]!.output.count = lane.count;
      });
      return outcome;
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }
}
