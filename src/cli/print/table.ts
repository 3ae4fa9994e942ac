/** Tables of text: columns aligned by spaces, no frames, so that they can be read and cut by other programs. */
import CliTable from 'cli-table3';
import type { Paint } from './colour.js';

export interface Column {
  readonly head: string;
  readonly align?: 'left' | 'right';
}

const NO_FRAME = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '',
};

/** The table as lines with a newline at the end; empty when there are no rows. A column of nothing is left out. */
export function textTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  paint: Paint,
): string {
  const used = columns.map((_, i) => i).filter((i) => rows.some((row) => row[i] !== ''));
  if (used.length === 0) return '';
  const table = new CliTable({
    chars: NO_FRAME,
    head: used.map((i) => paint('dim', columns[i]!.head)),
    colAligns: used.map((i) => columns[i]!.align ?? 'left'),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
  });
  for (const row of rows) table.push(used.map((i) => row[i]!));
  return `${table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')}\n`;
}
