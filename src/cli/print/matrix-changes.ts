/** What two matrices differ in, for people and for machines. */
import { REASONS } from '../../verdict/reasons.js';
import type { MatrixChanges, PairChange } from '../matrix/changes.js';
import { REACH, REACH_NAMES } from '../matrix/reach.js';
import type { Paint } from './colour.js';
import { textTable } from './table.js';

const reachText = (reach: number): string => REACH_NAMES[reach]!;
const reasonText = (reason: number): string => (reason === 0 ? '' : REASONS[reason]!.name);

const arrives = (reach: number): boolean => reach === REACH.OPEN || reach === REACH.CLOSED;

export function changesText(changes: MatrixChanges, paint: Paint): string {
  const { pairs, compared, onlyBefore, onlyAfter } = changes;
  const rows = pairs.map(({ from, to, before, after, reasonBefore, reasonAfter }) => [
    from,
    to,
    paint(arrives(before) ? 'green' : 'red', reachText(before)),
    paint(arrives(after) ? 'green' : 'red', reachText(after)),
    reasonText(reasonAfter === 0 ? reasonBefore : reasonAfter),
  ]);
  const columns = ['FROM', 'TO', 'BEFORE', 'AFTER', 'REASON'].map((head) => ({ head }));
  const table = textTable(columns, rows, paint);
  const gained = pairs.filter(({ before, after }) => !arrives(before) && arrives(after)).length;
  const cut = pairs.filter(({ before, after }) => arrives(before) && !arrives(after)).length;
  return [
    ...(table === '' ? [] : [table]),
    `${pairs.length} of ${compared} pairs change: ${gained} arrive that did not, ${cut} arrive no more`,
    ...onlyText('only before', onlyBefore),
    ...onlyText('only after', onlyAfter),
  ].join('\n');
}

const onlyText = (head: string, names: readonly string[]): string[] =>
  names.length === 0 ? [] : [`${head}: ${names.join(', ')}`];

export const changesJson = ({ pairs, ...rest }: MatrixChanges): object => ({
  ...rest,
  changes: pairs.map(named),
});

export const changesCsv = ({ pairs }: MatrixChanges): string =>
  [
    'from,to,before,after,reasonBefore,reasonAfter',
    ...pairs.map((pair) => Object.values(named(pair)).join(',')),
    '',
  ].join('\n');

const named = ({ from, to, before, after, reasonBefore, reasonAfter }: PairChange): object => ({
  from,
  to,
  before: reachText(before),
  after: reachText(after),
  reasonBefore: reasonText(reasonBefore),
  reasonAfter: reasonText(reasonAfter),
});
