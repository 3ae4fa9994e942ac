/** The documents: every relative link leads to a file, and the drawings of the tables are those that the code declares. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { EPOCH_ORDER } from '../src/tables/epoch.js';

const ROOT = packageRoot(dirname(fileURLToPath(import.meta.url)));
/** Folders with documents of ours; the top level is read beside them. */
const FOLDERS = ['docs', 'bench', 'examples', 'native', 'test'];

function packageRoot(folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : packageRoot(dirname(folder));
}

function documents(): string[] {
  const top = readdirSync(ROOT).filter((name) => name.endsWith('.md'));
  const inner = FOLDERS.filter((folder) => existsSync(join(ROOT, folder))).flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.md'))
      .map((name) => join(folder, name)),
  );
  return [...top, ...inner].sort();
}

/** Targets of `[text](target)` outside code, without web addresses and without the part behind #. */
function relativeLinks(text: string): string[] {
  const prose = text.replaceAll(/^```[\s\S]*?^```/gm, '').replaceAll(/`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map((match) => match[1]!)
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => target.replace(/#.*$/, ''))
    .filter((target) => target !== '');
}

const columnsOf = (columns: Readonly<Record<string, string>>): string =>
  Object.entries(columns)
    .map(([name, type]) => `${name} ${type}`)
    .join(', ');

test('every relative link of every document leads to a file', () => {
  const files = documents();
  assert.ok(files.includes('README.md') && files.includes(join('docs', 'path.md')), 'documents are found');
  const broken: string[] = [];
  let links = 0;
  for (const file of files)
    for (const target of relativeLinks(readFileSync(join(ROOT, file), 'utf8'))) {
      links++;
      const path = join(ROOT, dirname(file), target);
      if (relative(ROOT, path).startsWith('..') || !existsSync(path)) broken.push(`${file}: ${target}`);
    }
  assert.deepEqual(broken, []);
  assert.ok(links > 50, `only ${links} links were found`);
});

test('links in code are no links, and web addresses are left alone', () => {
  const text = 'see [a](a.md#top) and `[b](b.md)`\n```\n[c](c.md)\n```\n[d](https://example.org/d) [e](#e)';
  assert.deepEqual(relativeLinks(text), ['a.md']);
});

test('docs/tables.md lists every table of an epoch with its columns, in order', () => {
  const text = readFileSync(join(ROOT, 'docs', 'tables.md'), 'utf8');
  const rows = [...text.matchAll(/^\| (\d+) \| `(\w{4})` \| (.*) \|$/gm)].map((row) => row.slice(1));
  const declared = EPOCH_ORDER.map((table, i) => [String(i), table.magic, columnsOf(table.columns)]);
  assert.deepEqual(rows, declared);
});
