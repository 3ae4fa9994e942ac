/** A matrix for machines: JSON, a letter for each pair, and CSV, a line for each. */
import { REASONS } from '../../verdict/reasons.js';
import { REACH, REACH_NAMES, type ReachMatrix } from '../matrix/reach.js';

/** By REACH. */
export const LETTERS = ['-', '+', 'o', 'x', '?'] as const;
/** Letters that stand for reasons, given in the order in which they are met. */
export interface MatrixQuestion {
  readonly port?: number;
  readonly proto: string;
}

/** How many pairs there are of each kind, those with oneself left out. */
export function countReach({ reach }: ReachMatrix): Record<(typeof REACH_NAMES)[number], number> {
  const counts = REACH_NAMES.map(() => 0);
  for (const kind of reach) counts[kind]!++;
  return Object.fromEntries(REACH_NAMES.map((name, i) => [name, counts[i]!])) as ReturnType<
    typeof countReach
  >;
}

/** Pairs by the name of the reason, most first. */
export function countReasons({ reason }: ReachMatrix): readonly (readonly [name: string, pairs: number])[] {
  const counts = new Map<number, number>();
  for (const number of reason) if (number !== 0) counts.set(number, (counts.get(number) ?? 0) + 1);
  return [...counts]
    .map(([number, pairs]) => [REASONS[number]!.name, pairs] as const)
    .sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
}

/** Rows are strings of one letter a destination; `reasons` has the name for each pair that was not taken, by row. */
export function matrixJson(matrix: ReachMatrix, { port, proto }: MatrixQuestion): object {
  const { sources, destinations, reach } = matrix;
  const width = destinations.length;
  return {
    protocol: proto,
    ...(port === undefined ? {} : { port }),
    sources: sources.map(({ name }) => name),
    destinations: destinations.map(({ name }) => name),
    legend: Object.fromEntries(LETTERS.map((letter, kind) => [letter, REACH_NAMES[kind]!])),
    rows: sources.map((_, row) =>
      Array.from(reach.subarray(row * width, (row + 1) * width), (kind) => LETTERS[kind]!).join(''),
    ),
    counts: countReach(matrix),
    reasons: Object.fromEntries(countReasons(matrix)),
  };
}

/** Lines with a head, a piece of text a row. A pair with oneself has none. */
export function* matrixCsv(matrix: ReachMatrix): Generator<string> {
  const { sources, destinations, reach, reason } = matrix;
  yield 'from,to,reach,reason\n';
  let at = 0;
  for (const { name: from } of sources) {
    let text = '';
    for (const { name: to } of destinations) {
      const kind = reach[at]!;
      const why = reason[at]! === 0 ? '' : REASONS[reason[at]!]!.name;
      at++;
      if (kind !== REACH.SELF) text += `${from},${to},${REACH_NAMES[kind]!},${why}\n`;
    }
    yield text;
  }
}
