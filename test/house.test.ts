/** The rules of the house, read from the sources: who imports whom, no cycles, how a file begins, what it may not use. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative, sep } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Folder of src: the folders that it may import. Files directly in src stand under their own names. */
const MAY_IMPORT: Readonly<Record<string, string>> = {
  addr: '',
  verdict: '',
  layout: '',
  wire: 'verdict addr',
  model: 'addr verdict',
  manifests: 'model addr verdict',
  packet: 'layout wire verdict',
  kernels: 'layout wire verdict',
  tables: 'layout kernels verdict',
  compile: 'model tables addr layout verdict',
  stages: 'tables kernels packet wire verdict',
  engine: 'stages tables packet wire layout verdict kernels addr',
  io: 'packet wire verdict',
  registry: 'manifests model verdict',
  resolver: 'model wire verdict',
  dump: 'tables model addr verdict',
  replay: 'workers engine io packet wire tables verdict model addr layout kernels',
  workers: 'engine packet layout tables verdict wire',
  'cluster.ts': 'compile manifests model tables',
  'index.ts': 'cluster.ts engine io layout manifests model packet tables verdict',
  'cli.ts': 'cli',
};
/** The command line may import everything; of the workers, only what they show. */
const EVERYTHING = new Set(['cli']);

const sources = new Map(
  list(join(ROOT, 'src'))
    .filter((file) => file.endsWith('.ts'))
    .map((file) => [relative(join(ROOT, 'src'), file).split(sep).join('/'), readFileSync(file, 'utf8')]),
);

function list(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? list(path) : [path];
  });
}

const folderOf = (file: string): string => file.split('/')[0]!;

/** Files of src that `file` imports, as paths inside src. */
function importsOf(file: string): string[] {
  const found = [...sources.get(file)!.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)];
  return found.map(([, path]) => posix.join(dirname(file), path!).replace(/\.js$/, '.ts'));
}

test('there is something to look at', () => assert.ok(sources.size > 100, `${sources.size} files`));

test('imports follow the table of folders', () => {
  const wrong: string[] = [];
  for (const file of sources.keys()) {
    const from = folderOf(file);
    if (EVERYTHING.has(from)) continue;
    const allowed = (MAY_IMPORT[from] ?? '').split(' ');
    if (MAY_IMPORT[from] === undefined) wrong.push(`${from} is not in the table`);
    for (const to of importsOf(file))
      if (folderOf(to) !== from && !allowed.includes(folderOf(to))) wrong.push(`${file} imports ${to}`);
  }
  assert.deepEqual(wrong, []);
});

test('every import names a file that is there, with its .js ending', () => {
  const wrong: string[] = [];
  for (const file of sources.keys())
    for (const to of importsOf(file)) if (!sources.has(to)) wrong.push(`${file} imports ${to}`);
  assert.deepEqual(wrong, []);
});

test('no file imports itself by way of others', () => {
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (file: string, trail: readonly string[]): void => {
    const seen = trail.indexOf(file);
    if (seen >= 0) cycles.push([...trail.slice(seen), file].join(' > '));
    if (seen >= 0 || done.has(file)) return;
    for (const to of valueImportsOf(file)) if (sources.has(to)) visit(to, [...trail, file]);
    done.add(file);
  };
  for (const file of sources.keys()) visit(file, []);
  assert.deepEqual(cycles, []);
});

/** Imports that remain when types are gone: two files may know each other's types. */
function valueImportsOf(file: string): string[] {
  const text = sources.get(file)!.replaceAll(/^(?:import|export) type [^;]*;/gm, '');
  const found = [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)];
  return found.map(([, path]) => posix.join(dirname(file), path!).replace(/\.js$/, '.ts'));
}

/** Files whose text matches, with the first match. */
function filesWith(pattern: RegExp, isExempt: (file: string) => boolean = () => false): string[] {
  return [...sources].flatMap(([file, text]) => {
    const found = isExempt(file) ? null : pattern.exec(text);
    return found === null ? [] : [`${file}: ${found[0].trim()}`];
  });
}

test('every file begins with its one job', () => {
  const wrong = [...sources].filter(([, text]) => !/^(#![^\n]*\n)?\/\*\* [^\n]{15,}/.test(text));
  assert.deepEqual(
    wrong.map(([file]) => file),
    [],
  );
});

test('no file is longer than 400 lines, the catalogue of reasons apart', () => {
  const long = [...sources].filter(
    ([file, text]) => file !== 'verdict/reasons.ts' && text.split('\n').length > 401,
  );
  assert.deepEqual(
    long.map(([file]) => file),
    [],
  );
});

test('no default exports', () => {
  // A worker thread's file must export its function as default: piscina calls that.
  assert.deepEqual(
    filesWith(/^export default .*$/m, (file) => file === 'workers/worker.ts'),
    [],
  );
});

test('no randomness and no wall clock: the result is a function of what goes in', () => {
  // The command line, and the rate in a replay's summary.
  const isEdge = (file: string): boolean => folderOf(file) === 'cli' || file === 'replay/replay.ts';
  assert.deepEqual(filesWith(/Math\.random|Date\.now|new Date\(\)|performance\.now|randomBytes/, isEdge), []);
});

test('file names are kebab-case, folders plain words', () => {
  const wrong = [...sources.keys()].filter((file) => !/^([a-z]+\/)*[a-z0-9]+(-[a-z0-9]+)*\.ts$/.test(file));
  assert.deepEqual(wrong, []);
});

test('no notes to self, and nothing switched off', () => {
  assert.deepEqual(filesWith(/\b(TODO|FIXME|XXX|HACK)\b|@ts-ignore|@ts-nocheck/), []);
  const isTyped = ([, text]: [string, string]): boolean => !/[:<] ?any\b(?!\()|\bas any\b/.test(codeOf(text));
  const untyped = [...sources].filter((source) => !isTyped(source)).map(([file]) => file);
  // A list of tables of different columns has no narrower type.
  assert.deepEqual(untyped, ['layout/builder.ts']);
});

test('the packet path has no BigInt, no Map, no JSON, no try', () => {
  const isElsewhere = (file: string): boolean => folderOf(file) !== 'stages';
  assert.deepEqual(filesWith(/BigInt|new Map|\btry \{|JSON\./, isElsewhere), []);
});

/** Source without its comments. */
const codeOf = (text: string): string => text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/\/\/.*$/gm, '');
