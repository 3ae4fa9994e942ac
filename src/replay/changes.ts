/** The changes of the cluster in the course of a trace: when each takes force, in what order, and what servers they bring. */
import { changesBetween, type Epoch } from '../tables/epoch.js';
import { InputError, type Problem } from '../verdict/input-error.js';
import { splitState } from './default-lanes.js';
import { Servers } from './servers.js';

/** When a change takes force: at a time, or so long after the first packet of the trace. */
export type ChangeTime = { readonly unixNs: bigint } | { readonly afterNs: number };

export interface ClusterChange {
  readonly time: ChangeTime;
  /** As `MODIFIED Pod web/pod-1`. */
  readonly name: string;
}

/** Changes of one cluster. */
export interface ClusterChanges {
  readonly list: readonly ClusterChange[];
  /** A cluster as it is before all changes, for whoever asks its own; what is answered makes those of `list` with these
   *  numbers, in this order and as one, and answers the tables after them.
   *  @throws InputError when they do not fit to the cluster, which is then as before. */
  begin(): (changes: readonly number[]) => Epoch;
}

/** Changes that take force together. */
export interface ChangeGroup {
  /** On the scale of the packets' times. */
  readonly atNs: number;
  /** Numbers in the list. */
  readonly changes: readonly number[];
}

/** What a run did with its changes. */
export interface ChangeCounts {
  /** Changes that took force, and those that come after the last packet. */
  readonly taken: number;
  readonly later: number;
  /** Those that took force, in order. */
  readonly list: readonly TakenChange[];
}

export interface TakenChange {
  readonly name: string;
  /** Nanoseconds since 1970. */
  readonly unixNs: bigint;
  /** Number of the first packet, from 1, that it is in force for. */
  readonly packet: number;
}

/** Those of one time take force together, in the order of `list`. Packets' times count from `epochNs`; the first packet is at `firstNs`. */
export function groupChanges(
  list: readonly ClusterChange[],
  epochNs: bigint,
  firstNs: bigint,
): readonly ChangeGroup[] {
  const atNs = list.map(({ time }) =>
    Number(('unixNs' in time ? time.unixNs : firstNs + BigInt(Math.round(time.afterNs))) - epochNs),
  );
  const order = [...list.keys()].sort((a, b) => atNs[a]! - atNs[b]! || a - b);
  const first = Number(firstNs - epochNs);
  const groups: { atNs: number; changes: number[] }[] = [];
  for (const change of order) {
    // Before the first packet there is nothing that could tell one time from another.
    const at = Math.max(atNs[change]!, first);
    const last = groups.at(-1);
    if (last !== undefined && last.atNs === at) last.changes.push(change);
    else groups.push({ atNs: at, changes: [change] });
  }
  return groups;
}

/** What is to be known of all tables of a run before its first packet. */
export interface WholeRun {
  /** All that answer at some time. */
  readonly servers: Servers;
  /** What is exact in one lane alone at some time, see default-lanes. */
  readonly splitState: string;
}

/** Make all changes once, to see that they can be made, before anything is written.
 *  @throws InputError with the problems of all changes that cannot. */
export function rehearse(start: Epoch, changes: ClusterChanges, groups: readonly ChangeGroup[]): WholeRun {
  const servers = Servers.of(start.tables);
  let split = splitState(start.tables);
  const make = changes.begin();
  const problems: Problem[] = [];
  let before = start;
  for (const group of groups) {
    try {
      const epoch = make(group.changes);
      const changed = changesBetween(before, epoch);
      if (changed === null) servers.addAll(epoch.tables);
      else for (const row of changed.services) servers.addService(epoch.tables, row);
      if (split === '' && changed?.services.length !== 0) split = splitState(epoch.tables);
      before = epoch;
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      const names = group.changes.map((change) => changes.list[change]!.name);
      problems.push(...error.problems.map((problem) => blame(problem, names)));
    }
  }
  if (problems.length > 0) throw new InputError(problems);
  return { servers, splitState: split };
}

/** Names that are told of a group. */
const NAMES_MAX = 3;

/** What is wrong with an object that no change has brought came with a change all the same: say with which. */
function blame(problem: Problem, names: readonly string[]): Problem {
  if (names.some((name) => name.endsWith(problem.subject))) return problem;
  const told = names.slice(0, NAMES_MAX).join(', ');
  return { ...problem, found: `${problem.found} (after ${told}${names.length > NAMES_MAX ? ', …' : ''})` };
}

/** Has `to` not all nodes of `from`? */
export function nodesGone(from: Epoch, to: Epoch): boolean {
  if (changesBetween(from, to) !== null) return false;
  const names = new Set(nodeNames(to));
  return nodeNames(from).some((name) => !names.has(name));
}

function nodeNames(epoch: Epoch): string[] {
  const { nodes } = epoch.tables;
  return Array.from({ length: nodes.rows }, (_, row) => epoch.text(nodes.name[row]!));
}
