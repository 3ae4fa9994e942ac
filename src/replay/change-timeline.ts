/** Makes the changes of a run one after the other, and remembers from which packet on each is in force. */
import type { Epoch } from '../tables/epoch.js';
import {
  type ChangeCounts,
  type ChangeGroup,
  type ClusterChanges,
  groupChanges,
  rehearse,
  type TakenChange,
} from './changes.js';
import { splitState } from './default-lanes.js';
import type { Servers } from './servers.js';

export class ChangeTimeline {
  /** All that answer at some time of the run; undefined when nothing changes. */
  readonly servers: Servers | undefined;
  /** What is exact in one lane alone at some time of the run; empty when nothing is. */
  readonly splitState: string;
  readonly #changes: ClusterChanges | undefined;
  readonly #groups: readonly ChangeGroup[];
  readonly #make: ((changes: readonly number[]) => Epoch) | undefined;
  readonly #epochNs: bigint;
  readonly #taken: TakenChange[] = [];
  #next = 0;

  /** `start`: the tables before all changes.
   *  @throws InputError with the problems of all changes that do not fit to the cluster. */
  constructor(
    start: Epoch,
    changes: ClusterChanges | undefined,
    { epochNs, firstNs }: { readonly epochNs: bigint; readonly firstNs: bigint },
  ) {
    this.#changes = changes;
    this.#epochNs = epochNs;
    this.#groups = changes === undefined ? [] : groupChanges(changes.list, epochNs, firstNs);
    const run = changes === undefined ? undefined : rehearse(start, changes, this.#groups);
    this.servers = run?.servers;
    this.splitState = run?.splitState ?? splitState(start.tables);
    this.#make = changes?.begin();
  }

  /** When the next ones take force, on the scale of the packets' times; Infinity when none are left. */
  get nextNs(): number {
    return this.#groups[this.#next]?.atNs ?? Number.POSITIVE_INFINITY;
  }

  /** Make the next ones, before packet `sequence`, counted from 0; returns the tables after them. */
  take(sequence: number): Epoch {
    const { atNs, changes } = this.#groups[this.#next++]!;
    const epoch = this.#make!(changes);
    const unixNs = this.#epochNs + BigInt(Math.round(atNs));
    for (const change of changes)
      this.#taken.push({ name: this.#changes!.list[change]!.name, unixNs, packet: sequence + 1 });
    return epoch;
  }

  /** Null when there was nothing to change. */
  get counts(): ChangeCounts | null {
    if (this.#changes === undefined) return null;
    const taken = this.#taken.length;
    return { taken, later: this.#changes.list.length - taken, list: this.#taken };
  }
}
