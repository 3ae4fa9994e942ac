/** What a run has its lanes do beside walking rows. Whoever runs the lanes brings it: they know nothing of it themselves. */
import type { StateBuffer } from '../layout/state-buffer.js';
import type { Tables } from '../tables/epoch.js';
import type { LaneRows } from './parcel.js';

/** The endpoints that one lane's rules chose, and the recorded servers' packets that are to follow them. */
export interface LaneChoices {
  /** Go on by another table set: rows are those of `tables` from now on. */
  use(tables: Tables): void;
  /** Is the choice for the client of input row `i` known? */
  has(rows: LaneRows, i: number): boolean;
  /** Output row `out` is what became of input row `i`. */
  note(rows: LaneRows, i: number, out: number): void;
  /** Make input row `i`, a recorded server's packet, the chosen endpoint's. False when it stays as it is. */
  follow(rows: LaneRows, i: number): boolean;
  save(to: StateBuffer): void;
  /** Become what save() copied. */
  restore(from: StateBuffer): void;
}

export type CreateChoices = (tables: Tables) => LaneChoices;

export interface LaneProgram {
  /** Called in every lane of this thread; null: rows are walked as they are. */
  readonly createChoices: CreateChoices | null;
  /** Address of the module whose `runTasks` does the same in a thread (see worker). */
  readonly module: string;
}

export const WALK_ONLY: LaneProgram = {
  createChoices: null,
  module: new URL('./worker.js', import.meta.url).href,
};
