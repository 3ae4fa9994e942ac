/** Chooses the back end of the kernels: the addon where it is built and sound, else TypeScript. */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { conntrackLookupBatch } from './conntrack-lookup.js';
import { fiveTupleBatch } from './five-tuple.js';
import { memoryFloor } from './memory-floor.js';
import { type ShortPathViews, shortPath } from './short-path.js';

export type BackendName = 'native' | 'typescript';

/** The kernels of one back end. Both back ends write the same bytes. */
export interface Kernels {
  readonly name: BackendName;
  /** Why this back end runs, in a few words for a person. */
  readonly why: string;
  readonly fiveTupleBatch: typeof fiveTupleBatch;
  readonly conntrackLookupBatch: typeof conntrackLookupBatch;
  readonly shortPath: typeof shortPath;
  /** For the bench alone. */
  readonly memoryFloor: typeof memoryFloor;
}

/** What the addon exports: the kernels; the one that answers nothing here answers the number of rows done. */
interface Addon {
  readonly fiveTupleBatch: typeof fiveTupleBatch;
  readonly conntrackLookupBatch: (...args: Parameters<typeof conntrackLookupBatch>) => number;
  /** first, end, base, out, number, limitNs, then the views but for `p` and `times`, in the order in which ShortPathViews has them. */
  readonly shortPath: (...args: (number | ArrayBufferView)[]) => number;
  readonly memoryFloor: typeof memoryFloor;
}
type LoadedAddon = { readonly addon: Addon | undefined; readonly why: string };

let found: LoadedAddon | undefined;

/** The kernels to use: `want`, else the environment's PODPLANE_BACKEND, else 'auto' (the addon where it is sound).
 *  The addon is looked for once a process.
 *  @throws RangeError for any other name, Error when 'native' is wanted and there is no sound addon. */
export function loadKernels(want: string = process.env['PODPLANE_BACKEND'] || 'auto'): Kernels {
  if (want !== 'auto' && want !== 'native' && want !== 'typescript') {
    throw new RangeError(`back end "${want}": there is native, typescript, auto`);
  }
  if (want === 'typescript') return typescriptKernels('asked for');
  found ??= findAddon();
  if (found.addon !== undefined) return nativeKernels(found.addon, found.why);
  if (want === 'native') throw new Error(`the native back end is asked for, but ${found.why}`);
  return typescriptKernels(found.why);
}

const typescriptKernels = (why: string): Kernels => ({
  name: 'typescript',
  why,
  fiveTupleBatch,
  conntrackLookupBatch,
  shortPath,
  memoryFloor,
});

/** The addon stops at the end of the shortest column instead of reading past it; here that becomes an error. */
function nativeKernels(addon: Addon, why: string): Kernels {
  return {
    name: 'native',
    why,
    fiveTupleBatch: addon.fiveTupleBatch,
    conntrackLookupBatch(slots, rows, keyAt, keys, hashes, first, count, found) {
      const done = addon.conntrackLookupBatch(slots, rows, keyAt, keys, hashes, first, count, found);
      if (done !== count) throw tooShort('conntrackLookupBatch', first, count, done);
    },
    shortPath: (v, first, end, base, out, number, limitNs) =>
      nativeShortPath(addon, v, first, end, base, out, number, limitNs),
    memoryFloor: addon.memoryFloor,
  };
}

/** Views go one by one: fetching them from an object costs the addon twice as much. */
const nativeShortPath = (
  addon: Addon,
  v: ShortPathViews,
  first: number,
  end: number,
  base: number,
  out: number,
  number: number,
  limitNs: number,
): number =>
  addon.shortPath(
    first,
    end,
    base,
    out,
    number,
    limitNs,
    v.bytes,
    v.offset,
    v.length,
    v.tsNs,
    v.port,
    v.sequence,
    v.found,
    v.paths,
    v.connections,
    v.origin,
    v.packet,
    v.parent,
    v.root,
    v.verdict,
    v.reason,
    v.exit,
    v.outOffset,
    v.outLength,
    v.outTsNs,
    v.endpoint,
    v.service,
    v.counts,
  );

const tooShort = (kernel: string, first: number, count: number, done: number): RangeError =>
  new RangeError(`${kernel}: rows ${first} to ${first + count} asked for, the columns hold ${done} of them`);

function findAddon(): LoadedAddon {
  const root = packageRoot(dirname(fileURLToPath(import.meta.url)));
  const require = createRequire(join(root, 'package.json'));
  let file: string;
  try {
    file = addonPath(require, join(root, 'package.json'));
  } catch (error) {
    return { addon: undefined, why: `addon not looked for: ${(error as Error).message.split('\n')[0]}` };
  }
  if (!existsSync(file)) return { addon: undefined, why: `addon not built: ${installOutcome(root)}` };
  const { loadAddon } = require('./scripts/addon-load.cjs') as { loadAddon: (path: string) => LoadedAddon };
  const loaded = loadAddon(file);
  return loaded.addon === undefined
    ? { addon: undefined, why: `addon refused: ${loaded.why}` }
    : { addon: loaded.addon, why: `addon ${file}` };
}

/** Where node-pre-gyp keeps the addon. It reads process.argv as its own command line, where ours would mislead it. */
function addonPath(require: NodeJS.Require, packageJson: string): string {
  const preGyp = require('@mapbox/node-pre-gyp') as { find: (path: string) => string };
  const argv = process.argv;
  process.argv = argv.slice(0, 2);
  try {
    return preGyp.find(packageJson);
  } finally {
    process.argv = argv;
  }
}

/** What the install script left in build/addon.json about an addon that is not there. */
function installOutcome(root: string): string {
  try {
    const { why } = JSON.parse(readFileSync(join(root, 'build', 'addon.json'), 'utf8')) as { why?: unknown };
    if (typeof why === 'string') return why;
  } catch {
    // No outcome was written: the install script did not run (npm's ignore-scripts).
  }
  return 'the install script has not run';
}

/** The folder of package.json: compiled files lie at different depths in a checkout and in a package. */
function packageRoot(folder: string): string {
  if (existsSync(join(folder, 'package.json'))) return folder;
  const parent = dirname(folder);
  if (parent === folder)
    throw new Error('podplane lies outside its package: there is no package.json above it');
  return packageRoot(parent);
}
