/** `podplane reasons`: why packets end, each with one sentence and the layer in which the real system does it. */
import type { Command } from 'commander';
import { REASONS } from '../verdict/reasons.js';
import { plainCommand } from './options.js';
import { paintFor } from './print/colour.js';
import { writeJson, writeText } from './print/output.js';
import { textTable } from './print/table.js';

interface ReasonsOptions {
  readonly json?: boolean;
  readonly markdown?: boolean;
}

interface ReasonRow {
  readonly number: number;
  readonly name: string;
  readonly sentence: string;
  readonly layer: string;
}

export function reasonsCommand(): Command {
  return plainCommand('reasons')
    .description('list why packets end, and the layer in which the real system does it')
    .option('--markdown', 'write a Markdown page')
    .addHelpText('after', '\nExample:\n  podplane reasons --json | jq -r .[].name')
    .action((options: ReasonsOptions) => {
      const rows = reasonRows();
      if (options.json === true) writeJson(rows);
      else if (options.markdown === true) writeText(reasonsPage(rows));
      else writeText(reasonsTable(rows));
    });
}

/** Number 0 stands for no reason. */
const reasonRows = (): ReasonRow[] =>
  REASONS.map(({ name, sentence, layer }, number) => ({ number, name, sentence, layer })).slice(1);

const reasonsTable = (rows: readonly ReasonRow[]): string =>
  textTable(
    [{ head: 'REASON' }, { head: 'WHAT HAPPENED' }, { head: 'LAYER' }],
    rows.map((row) => [row.name, row.sentence, row.layer]),
    paintFor(process.stdout),
  );

function reasonsPage(rows: readonly ReasonRow[]): string {
  const cell = (text: string): string => text.replaceAll('|', '\\|');
  return [
    '# Why packets end',
    '',
    'Made by `podplane reasons --markdown`. The layer is where the real system does it.',
    '',
    '| Reason | What happened | Layer |',
    '| --- | --- | --- |',
    ...rows.map((row) => `| \`${row.name}\` | ${cell(row.sentence)} | ${cell(row.layer)} |`),
    '',
  ].join('\n');
}
