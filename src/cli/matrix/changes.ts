/** What differs between two matrices: pairs of ends that both have. */
import type { ReachMatrix } from './reach.js';

export interface PairChange {
  readonly from: string;
  readonly to: string;
  /** REACH before and after, and the reasons. */
  readonly before: number;
  readonly after: number;
  readonly reasonBefore: number;
  readonly reasonAfter: number;
}

export interface MatrixChanges {
  readonly pairs: readonly PairChange[];
  /** Pairs that both matrices have. */
  readonly compared: number;
  /** Ends that only one of the two has. */
  readonly onlyBefore: readonly string[];
  readonly onlyAfter: readonly string[];
}

export function changesOf(before: ReachMatrix, after: ReachMatrix): MatrixChanges {
  const rows = placesOf(after.sources);
  const columns = placesOf(after.destinations);
  const pairs: PairChange[] = [];
  let compared = 0;
  let at = -1;
  for (const { name: from } of before.sources)
    for (const { name: to } of before.destinations) {
      at++;
      const row = rows.get(from);
      const column = columns.get(to);
      if (row === undefined || column === undefined) continue;
      compared++;
      const other = row * after.destinations.length + column;
      if (before.reach[at] === after.reach[other] && before.reason[at] === after.reason[other]) continue;
      pairs.push({
        from,
        to,
        before: before.reach[at]!,
        after: after.reach[other]!,
        reasonBefore: before.reason[at]!,
        reasonAfter: after.reason[other]!,
      });
    }
  const [old, fresh] = [namesOf(before), namesOf(after)];
  return {
    pairs,
    compared,
    onlyBefore: [...old].filter((name) => !fresh.has(name)),
    onlyAfter: [...fresh].filter((name) => !old.has(name)),
  };
}

const placesOf = (ends: ReachMatrix['sources']): Map<string, number> =>
  new Map(ends.map(({ name }, i) => [name, i]));

const namesOf = ({ sources, destinations }: ReachMatrix): Set<string> =>
  new Set([...sources, ...destinations].map(({ name }) => name));
