/** A matrix for people: a sign for each pair, or, of many pods, the share of each pair of namespaces. */
import { REACH, type ReachMatrix } from '../matrix/reach.js';
import type { Colour, Paint } from './colour.js';
import { countReach, countReasons, type MatrixQuestion } from './matrix-data.js';
import { textTable } from './table.js';

/** By REACH. */
const SIGNS: readonly (readonly [sign: string, colour: Colour])[] = [
  ['·', 'dim'],
  ['✔', 'green'],
  ['○', 'yellow'],
  ['✘', 'red'],
  ['?', 'magenta'],
];
/** More columns than this do not stand side by side on a terminal. */
const COLUMNS_MAX = 40;

interface Form extends MatrixQuestion {
  readonly by?: 'pod' | 'namespace';
}

export function matrixText(matrix: ReachMatrix, form: Form, paint: Paint): string {
  const { sources, destinations } = matrix;
  const isSmall = Math.max(sources.length, destinations.length) <= COLUMNS_MAX;
  const by = form.by ?? (isSmall ? 'pod' : 'namespace');
  const table = by === 'pod' ? pairTable(matrix, paint) : groupTable(matrix, paint);
  return `${headline(form, matrix)}\n\n${table}\n${summary(matrix, paint)}`;
}

const headline = ({ proto, port }: Form, { sources, destinations }: ReachMatrix): string =>
  `${proto}${port === undefined ? '' : ` ${port}`}: from ${sources.length} (rows) to ${destinations.length} (columns)`;

/** Columns have numbers; the row of the same number says who that is, or the list behind the table does. */
function pairTable(matrix: ReachMatrix, paint: Paint): string {
  const { sources, destinations, reach } = matrix;
  const isSquare =
    sources.length === destinations.length && sources.every(({ name }, i) => name === destinations[i]!.name);
  const columns = [
    { head: '', align: 'right' as const },
    { head: 'FROM' },
    ...destinations.map((_, i) => ({ head: String(i + 1), align: 'right' as const })),
  ];
  const rows = sources.map(({ name }, row) => [
    isSquare ? String(row + 1) : '',
    name,
    ...destinations.map((_, i) => {
      const [sign, colour] = SIGNS[reach[row * destinations.length + i]!]!;
      return paint(colour, sign);
    }),
  ]);
  const list = isSquare ? '' : `\nTO\n${destinations.map(({ name }, i) => `  ${i + 1}  ${name}\n`).join('')}`;
  return `${textTable(columns, rows, paint)}${list}`;
}

/** How many of the pairs of two groups are open or closed: arrive, that is. */
function groupTable(matrix: ReachMatrix, paint: Paint): string {
  const { sources, destinations, reach } = matrix;
  const from = [...new Set(sources.map(({ group }) => group))];
  const to = [...new Set(destinations.map(({ group }) => group))];
  const place = new Map(to.map((group, i) => [group, i]));
  const columnOf = destinations.map(({ group }) => place.get(group)!);
  const arrived = new Map(from.map((group) => [group, new Float64Array(to.length)]));
  const asked = new Map(from.map((group) => [group, new Float64Array(to.length)]));
  let at = 0;
  for (const { group } of sources)
    for (const column of columnOf) {
      const kind = reach[at++]!;
      if (kind === REACH.SELF) continue;
      asked.get(group)![column]!++;
      if (kind === REACH.OPEN || kind === REACH.CLOSED) arrived.get(group)![column]!++;
    }
  const columns = [{ head: 'FROM \\ TO' }, ...to.map((head) => ({ head, align: 'right' as const }))];
  const rows = from.map((group) => [
    group,
    ...to.map((_, i) => share(arrived.get(group)![i]!, asked.get(group)![i]!, paint)),
  ]);
  return `${textTable(columns, rows, paint)}\npairs that arrive / all pairs\n`;
}

function share(arrived: number, asked: number, paint: Paint): string {
  if (asked === 0) return '·';
  const colour = arrived === asked ? 'green' : arrived === 0 ? 'red' : 'yellow';
  return paint(colour, `${arrived}/${asked}`);
}

function summary(matrix: ReachMatrix, paint: Paint): string {
  const { open, closed, isolated, lost } = countReach(matrix);
  const parts = [
    `${paint('green', '✔')} ${open} open`,
    `${paint('yellow', '○')} ${closed} arrive at a closed port`,
    `${paint('red', '✘')} ${isolated} isolated`,
    `${paint('magenta', '?')} ${lost} end otherwise`,
  ];
  const reasons = countReasons(matrix).map(([name, pairs]) => `  ${name}  ${pairs}`);
  return [parts.join('   '), ...reasons].join('\n');
}
