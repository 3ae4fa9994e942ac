/** The documents say what is so: links lead to files, drawings are the code's, and the README's runs print what it shows. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { EPOCH_ORDER } from '../src/tables/epoch.js';

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = packageRoot(HERE);
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

/** Fenced blocks of a document, without their fences. */
const blocks = (text: string, language: string): string[] =>
  [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)]
    .filter((block) => block[1] === language)
    .map((block) => block[2]!);

/** What node prints, run in the checkout. */
function nodeOutput(args: readonly string[], input = ''): string {
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8', input });
  assert.equal(stderr, '');
  return stdout;
}

test('the commands of README.md print what stands below them', () => {
  const cli = join(HERE, '..', 'src', 'cli.js');
  const shown = blocks(readFileSync(join(ROOT, 'README.md'), 'utf8'), '').filter((block) =>
    block.startsWith('$ npx podplane '),
  );
  assert.ok(shown.length >= 2, `${shown.length} commands are shown`);
  for (const block of shown) {
    const [command, ...lines] = block.trimEnd().split('\n');
    const printed = nodeOutput([cli, ...command!.split(' ').slice(3)])
      .trimEnd()
      .split('\n');
    // A first line of three dots stands for all lines before those shown.
    if (lines[0] === '…') assert.deepEqual(printed.slice(1 - lines.length), lines.slice(1));
    else assert.deepEqual(printed, lines);
  }
});

test('the library example of README.md prints what stands below it', () => {
  const text = readFileSync(join(ROOT, 'README.md'), 'utf8');
  const [program] = blocks(text, 'js');
  const library = pathToFileURL(join(HERE, '..', 'src', 'index.js')).href;
  const printed = nodeOutput(
    ['--input-type=module', '-'],
    program!.replace("from 'podplane'", `from '${library}'`),
  );
  assert.notEqual(printed, '');
  assert.ok(blocks(text, '').includes(printed), `it prints what README.md does not show:\n${printed}`);
});
