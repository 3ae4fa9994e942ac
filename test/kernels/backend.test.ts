/** Tests of the choice of back end. */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { loadKernels } from '../../src/kernels/backend.js';
import { conntrackLookupBatch } from '../../src/kernels/conntrack-lookup.js';
import { fiveTupleBatch } from '../../src/kernels/five-tuple.js';
import { needsNative } from '../support/native.js';

const require = createRequire(import.meta.url);
const root = require.resolve('@mapbox/node-pre-gyp/package.json').replace(/node_modules.*/, '');
const { LAYOUT_VERSION, whyUnfit } = require(`${root}scripts/addon-load.cjs`) as {
  LAYOUT_VERSION: number;
  whyUnfit: (addon: object) => string;
};
const sound = { layoutVersion: LAYOUT_VERSION, fiveTupleBatch, conntrackLookupBatch };

test('the TypeScript kernels pass the check that an addon must pass', () =>
  assert.equal(whyUnfit(sound), ''));

const UNFIT: readonly { why: string; addon: object; out: RegExp }[] = [
  {
    why: 'another layout',
    addon: { ...sound, layoutVersion: 0 },
    out: /its table layout is 0, this release has/,
  },
  { why: 'a kernel that does nothing', addon: { ...sound, fiveTupleBatch: () => 2 }, out: /wrong keys/ },
  {
    why: 'another hash',
    addon: {
      ...sound,
      fiveTupleBatch: (...args: Parameters<typeof fiveTupleBatch>) =>
        fiveTupleBatch(...(args.with(9, 1) as typeof args)),
    },
    out: /wrong hashes/,
  },
  {
    why: 'a lookup that finds nothing',
    addon: { ...sound, conntrackLookupBatch: () => 2 },
    out: /wrong rows/,
  },
];
for (const { why, addon, out } of UNFIT) test(`unfit: ${why}`, () => assert.match(whyUnfit(addon), out));

test('TypeScript is there when asked for', () => {
  assert.equal(loadKernels('typescript').name, 'typescript');
});

test('an unknown back end is refused by name', () => {
  assert.throws(() => loadKernels('wasm'), {
    name: 'RangeError',
    message: /"wasm".*native, typescript, auto/,
  });
});

test('the addon is chosen by default', needsNative(), () => {
  assert.equal(loadKernels('auto').name, 'native');
  assert.equal(loadKernels('native').name, 'native');
});

test('the native back end refuses columns that are too short', needsNative(), () => {
  const { fiveTupleBatch: tuple, conntrackLookupBatch: lookup } = loadKernels('native');
  const one = new Uint32Array(1);
  const message = /rows 0 to 2 asked for, the columns hold/;
  const port = new Int32Array(1);
  // The caller sees that a row is missing.
  assert.equal(tuple(new Uint8Array(9), one, one, port, one, 1, 1, 0, 2, 0, new Int32Array(4), one), 1);
  assert.throws(
    () =>
      lookup(
        new Int32Array(3),
        new Int32Array(8),
        0,
        new Int32Array(8),
        new Uint32Array(2),
        0,
        2,
        new Int32Array(2),
      ),
    message,
  );
});
