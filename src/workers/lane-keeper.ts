/** Keeps the engines of a worker's lanes: brings them to where a dead predecessor left off, then walks task by task. */
import type { StateBuffer } from '../layout/state-buffer.js';
import type { Epoch } from '../tables/epoch.js';
import type { Faults } from './faults.js';
import { Journal } from './journal.js';
import { type GroupOutcome, LaneGroup } from './lane-group.js';
import type { LaneSettings } from './lane-runner.js';
import { createParcel, type Parcel } from './parcel.js';
import { RowsInHand } from './rows-in-hand.js';
import { CONTROL, entrySizeMax, finishTask, takeTask, type WorkerMemory } from './worker-memory.js';

/** One is in force while the other is written. */
export type Checkpoints = readonly [StateBuffer, StateBuffer];

export interface KeeperSetup {
  readonly epoch: Epoch;
  readonly settings: LaneSettings;
  /** By slot. */
  readonly parcels: readonly Parcel[];
  readonly memory: WorkerMemory;
  readonly checkpoints: Checkpoints;
  /** Told that a checkpoint has got another buffer, before it is in force. */
  readonly onCheckpointMoved: (which: 0 | 1) => void;
  readonly faults: Faults | null;
}

export class LaneKeeper {
  readonly #parcels: readonly Parcel[];
  readonly #memory: WorkerMemory;
  readonly #checkpoints: Checkpoints;
  readonly #onCheckpointMoved: (which: 0 | 1) => void;
  readonly #faults: Faults | null;
  readonly #journal: Journal;
  readonly #entrySizeMax: number;
  readonly #checkpointSize: number;
  readonly #inHand: RowsInHand;
  readonly #group: LaneGroup;
  /** Size of the last checkpoint. */
  #stateSize = 0;

  /** Rolls back to the last checkpoint and walks what was walked since; what that gives was given out before. */
  constructor(setup: KeeperSetup) {
    const { parcels, memory, faults } = setup;
    this.#parcels = parcels;
    this.#memory = memory;
    this.#checkpoints = setup.checkpoints;
    this.#onCheckpointMoved = setup.onCheckpointMoved;
    this.#faults = faults;
    this.#journal = new Journal(memory.journal);
    this.#entrySizeMax = entrySizeMax(parcels[0]!);
    this.#checkpointSize = setup.settings.checkpointSize;
    this.#inHand = new RowsInHand(memory, faults);
    const lanes = parcels[0]!.lanes.map(({ lane }) => lane);
    this.#group = new LaneGroup(setup.epoch, lanes, setup.settings, this.#inHand);
    this.#recover();
  }

  /** Walk task `serial`, the next one. Its answer is to be kept safe before finish() is called. */
  run(serial: number): GroupOutcome {
    const { control } = this.#memory;
    const { slot, drainAt } = takeTask(this.#memory, this.#parcels, serial);
    const parcel = this.#parcels[slot]!;
    if (Atomics.load(control, CONTROL.JOURNALED) <= serial) {
      this.#faults?.at('journal', serial);
      this.#journal.put(parcel, drainAt);
      Atomics.store(control, CONTROL.JOURNALED, serial + 1);
    } else this.#journal.take(parcel);
    return this.#group.walk(parcel, drainAt);
  }

  /** Task `serial` is answered: it will not be asked for again. */
  finish(serial: number): void {
    this.#faults?.at('answer', serial);
    finishTask(this.#memory, serial);
    this.#inHand.trust();
  }

  /** Write down what all lanes know after task `serial`, once the journal has got long. */
  checkpointIfDue(serial: number): void {
    // As much state is copied as packets were, at most, so that neither costs more than the other.
    const isDue = this.#journal.used >= Math.max(this.#checkpointSize, this.#stateSize);
    if (isDue || this.#journal.room < this.#entrySizeMax) this.#checkpoint(serial);
  }

  #checkpoint(serial: number): void {
    const { control } = this.#memory;
    const which = (Atomics.load(control, CONTROL.CHECKPOINT) & 1) === 0 ? 1 : 0;
    const to = this.#checkpoints[which];
    const { buffer } = to;
    to.rewind();
    this.#group.save(to);
    this.#faults?.at('checkpoint', serial);
    if (to.buffer !== buffer) this.#onCheckpointMoved(which);
    this.#stateSize = to.position;
    Atomics.store(control, CONTROL.CHECKPOINT, (serial + 1) * 2 + which);
    this.#journal.rewind();
  }

  #recover(): void {
    const { control } = this.#memory;
    const checkpoint = Atomics.load(control, CONTROL.CHECKPOINT);
    const done = Atomics.load(control, CONTROL.DONE);
    const first = checkpoint >> 1;
    if (first > 0) {
      const from = this.#checkpoints[(checkpoint & 1) as 0 | 1];
      from.rewind();
      this.#group.restore(from);
      this.#stateSize = from.position;
    }
    if (first === done) return;
    // Slots hold answers that were not fetched yet, so what is walked again lies elsewhere.
    const { lanes, arena } = this.#parcels[0]!;
    const numbers = lanes.map(({ lane }) => lane);
    const parcel = createParcel(numbers, lanes[0]!.sequence.length, arena.bytes.length);
    for (let serial = first; serial < done; serial++) {
      const drainAt = this.#journal.take(parcel);
      this.#group.walk(parcel, drainAt);
    }
  }
}
