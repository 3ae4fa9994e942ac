/** Keeps the engines of a worker's lanes: brings them to where a dead predecessor left off, then walks task by task. */
import type { StateBuffer } from '../layout/state-buffer.js';
import type { EpochShelf, ShelvedEpoch } from './epoch-shelf.js';
import type { Faults } from './faults.js';
import { Journal } from './journal.js';
import { type GroupOutcome, LaneGroup } from './lane-group.js';
import type { LaneSettings } from './lane-runner.js';
import { createParcel, type Parcel } from './parcel.js';
import { RowsInHand } from './rows-in-hand.js';
import {
  CONTROL,
  entrySizeMax,
  finishTask,
  takeTask,
  type Work,
  type WorkerMemory,
} from './worker-memory.js';

/** One is in force while the other is written. */
export type Checkpoints = readonly [StateBuffer, StateBuffer];

/** Table sets that a checkpoint may be behind: those since it cannot be overwritten. */
const INSTALLS_MAX = 4;

export interface KeeperSetup {
  /** All sets from the checkpoint's on; those of tasks to come may come later. */
  readonly shelf: EpochShelf;
  /** Told when a set is not on the shelf yet. */
  readonly onEpochMissing: () => void;
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
  readonly #shelf: EpochShelf;
  readonly #onEpochMissing: () => void;
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
  #installs = 0;
  /** Size of the last checkpoint. */
  #stateSize = 0;

  /** Rolls back to the last checkpoint and walks what was walked since; what that gives was given out before. */
  constructor(setup: KeeperSetup) {
    const { parcels, memory, faults } = setup;
    this.#shelf = setup.shelf;
    this.#onEpochMissing = setup.onEpochMissing;
    this.#parcels = parcels;
    this.#memory = memory;
    this.#checkpoints = setup.checkpoints;
    this.#onCheckpointMoved = setup.onCheckpointMoved;
    this.#faults = faults;
    this.#journal = new Journal(memory.journal, setup.settings.createChoices !== null);
    this.#entrySizeMax = entrySizeMax(parcels[0]!);
    this.#checkpointSize = setup.settings.checkpointSize;
    this.#inHand = new RowsInHand(memory, faults);
    this.#group = this.#restore(setup.settings);
    this.#walkAgain();
  }

  /** Walk task `serial`, the next one. Its answer is to be kept safe before finish() is called. */
  run(serial: number): GroupOutcome {
    const { control } = this.#memory;
    const task = takeTask(this.#memory, this.#parcels, serial);
    const parcel = this.#parcels[task.slot]!;
    this.#use(task.epoch, serial);
    if (Atomics.load(control, CONTROL.JOURNALED) <= serial) {
      this.#faults?.at('journal', serial);
      this.#journal.put(parcel, task);
      Atomics.store(control, CONTROL.JOURNALED, serial + 1);
    } else this.#journal.take(parcel);
    return this.#group.walk(parcel, task);
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
    const isBehind = this.#installs >= INSTALLS_MAX;
    if (isDue || isBehind || this.#journal.room < this.#entrySizeMax) this.#checkpoint(serial);
  }

  #checkpoint(serial: number): void {
    const { control } = this.#memory;
    const which = (Atomics.load(control, CONTROL.CHECKPOINT) & 1) === 0 ? 1 : 0;
    const to = this.#checkpoints[which];
    const { buffer } = to;
    const { epoch } = this.#group;
    to.rewind();
    to.putNumber(epoch);
    this.#group.save(to);
    this.#faults?.at('checkpoint', serial);
    if (to.buffer !== buffer) this.#onCheckpointMoved(which);
    this.#stateSize = to.position;
    Atomics.store(control, CONTROL.CHECKPOINT, (serial + 1) * 2 + which);
    this.#journal.rewind();
    this.#installs = 0;
    // Only now: what the checkpoint before was of could have been asked for until then.
    Atomics.store(control, CONTROL.EPOCH, epoch);
    this.#shelf.dropBefore(epoch);
  }

  /** See that the lanes work by table set `number`. */
  #use(number: number, serial: number): void {
    if (this.#group.epoch === number) return;
    this.#faults?.at('install', serial);
    this.#group.install(this.#epochOf(number));
    this.#installs++;
  }

  #epochOf(number: number): ShelvedEpoch {
    if (!this.#shelf.has(number)) this.#onEpochMissing();
    return this.#shelf.get(number);
  }

  /** The lanes as they were at the last checkpoint, or at the beginning. */
  #restore(settings: LaneSettings): LaneGroup {
    const { control } = this.#memory;
    const lanes = this.#parcels[0]!.lanes.map(({ lane }) => lane);
    const checkpoint = Atomics.load(control, CONTROL.CHECKPOINT);
    if (checkpoint >> 1 === 0)
      return new LaneGroup(
        this.#epochOf(Atomics.load(control, CONTROL.EPOCH)),
        lanes,
        settings,
        this.#inHand,
      );
    const from = this.#checkpoints[(checkpoint & 1) as 0 | 1];
    from.rewind();
    const group = new LaneGroup(this.#epochOf(from.takeNumber()), lanes, settings, this.#inHand);
    group.restore(from);
    this.#stateSize = from.position;
    return group;
  }

  /** Walk what was walked since the checkpoint. */
  #walkAgain(): void {
    const { control } = this.#memory;
    const first = Atomics.load(control, CONTROL.CHECKPOINT) >> 1;
    const done = Atomics.load(control, CONTROL.DONE);
    if (first === done) return;
    // Slots hold answers that were not fetched yet, so what is walked again lies elsewhere.
    const { lanes, arena } = this.#parcels[0]!;
    const numbers = lanes.map(({ lane }) => lane);
    const parcel = createParcel(numbers, lanes[0]!.sequence.length, arena.bytes.length);
    for (let serial = first; serial < done; serial++) {
      const work: Work = this.#journal.take(parcel);
      this.#use(work.epoch, serial);
      this.#group.walk(parcel, work);
    }
  }
}
