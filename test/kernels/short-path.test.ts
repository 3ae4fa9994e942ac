/** Twins: the native short way does to every column what the TypeScript one does, and never leaves a column. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import fc from 'fast-check';
import { loadKernels } from '../../src/kernels/backend.js';
import { CONNECTION, WINDOW } from '../../src/kernels/connection-columns.js';
import { layoutHeader } from '../../src/kernels/layout-header.js';
import { PATH, PATH_FLAG } from '../../src/kernels/path-columns.js';
import type { ShortPathViews } from '../../src/kernels/short-path.js';
import { needsNative } from '../support/native.js';
import {
  type ConnectionWish,
  connectionLists,
  copyOf,
  NOW_NS,
  PATHS,
  type PacketWish,
  type PathWish,
  packets,
  paths,
  viewsOf,
} from './short-path-views.js';

const skip = needsNative();
const require = createRequire(import.meta.url);
const root = require.resolve('@mapbox/node-pre-gyp/package.json').replace(/node_modules.*/, '');

const lists = fc.tuple(
  fc.array(packets, { minLength: 1, maxLength: 80 }),
  fc.array(paths, { minLength: PATHS, maxLength: PATHS }),
  connectionLists,
);
const limits = fc.constantFrom(Number.POSITIVE_INFINITY, NOW_NS + 1e9);

/** Take all rows, stepping over those that the kernel leaves to the long way. Returns the rows taken. */
function takeAll(
  kernel: ReturnType<typeof loadKernels>['shortPath'],
  v: ShortPathViews,
  limitNs: number,
): number[] {
  const count = v.offset.length;
  const taken: number[] = [];
  for (let from = 0; from < count; ) {
    const next = kernel(v, from, count, 0, taken.length, 100 + taken.length, limitNs);
    for (let i = from; i < next; i++) taken.push(i);
    from = next + 1;
  }
  return taken;
}

test('native does to every column what TypeScript does', skip, () => {
  const typescript = loadKernels('typescript');
  const native = loadKernels('native');
  let hits = 0;
  fc.assert(
    fc.property(lists, limits, ([packetList, pathList, connectionList], limitNs) => {
      const one = viewsOf(packetList, pathList, connectionList);
      const other = copyOf(one);
      const taken = takeAll(typescript.shortPath, one, limitNs);
      assert.deepEqual(takeAll(native.shortPath, other, limitNs), taken);
      hits += taken.length;
      // The first count is scratch.
      one.counts[0] = other.counts[0] = 0;
      const { p: _, ...columns } = one;
      for (const [name, column] of Object.entries(columns))
        assert.deepEqual(other[name as keyof ShortPathViews], column, name);
    }),
    { numRuns: 400, seed: 20260103 },
  );
  assert.ok(hits > 400, `${hits} packets took the short way`);
});

/** A path that meets no connection and changes nothing. */
const PLAIN: PathWish = {
  touches: 0,
  repeats: 0,
  forwards: 0,
  flags: 0,
  outcome: 1,
  deltas: 0,
  ends: [1, 2, 3],
  macs: [1, 2, 3],
  mtu: 1_450,
  touch: [0, 0, 0, 0],
  born: 1,
};

for (const kernels of skip.skip === false
  ? [loadKernels('typescript'), loadKernels('native')]
  : [loadKernels('typescript')])
  test(`${kernels.name}: a UDP checksum that becomes zero is sent as all ones, one that is none stays none`, () => {
    const udp = fc.sample(packets, { numRuns: 1, seed: 1 }).map(
      (wish): PacketWish => ({
        ...wish,
        ...{ protocol: 'udp', path: 0, found: 0, port: 0, tsNs: NOW_NS, ttl: 64, spoilt: undefined },
      }),
    );
    for (const [isNone, out] of [
      [false, 0xffff],
      [true, 0],
    ] as const) {
      const v = viewsOf(udp, [{ ...PLAIN, flags: PATH_FLAG.NAT }], []);
      const at = v.offset[0]! + 40;
      if (isNone) v.p.setUint16(at, 0);
      // The difference that makes the field zero is the field itself.
      v.paths[PATH.DELTAS] = v.p.getUint16(at) << 16;
      assert.equal(kernels.shortPath(v, 0, 1, 0, 0, 0, Number.POSITIVE_INFINITY), 1);
      assert.equal(v.p.getUint16(at), out);
    }
  });

/** An open connection in the middle of its life. END, MAX_END, MAX_WINDOW, MAX_ACK of both sides; the last segment; window
 *  options. */
const OPEN: ConnectionWish = {
  ...{ isTcp: true, state: 3, flags: 3, expiresNs: NOW_NS + 5e9, streamNs: 0 },
  windows: [
    ...[1_000, 9_000, 8_000, 1_000],
    ...[1_000, 9_000, 8_000, 1_000],
    ...[1_000, 1_000, 8_000, 0x20_0020],
  ],
};
/** As a connection whose last segment went the other way has its flags: LAST_DIRECTION is bit 19 of the marks. */
const TURNED = 3 | (1 << 11);
const ACK: PacketWish = {
  ...{ protocol: 'tcp', path: 0, found: 0, port: 0, flags: 0x10, seq: 1_000, ack: 1_000, window: 8_000 },
  ...{ sack: null, payload: new Uint8Array(0), ttl: 64, tsNs: NOW_NS, spoilt: undefined, shift: 0 },
};
const THREE: PathWish = { ...PLAIN, touches: 3, touch: [0, 2, 4, 0] };
const other = fc.record({
  /** Which connection is unlike the others, by how much in which word, or in the last segment's direction. */
  connection: fc.nat(2),
  isTurned: fc.boolean(),
  word: fc.nat(WINDOW.WORDS - 1),
  by: fc.oneof(
    fc.integer({ min: -2, max: 2 }),
    fc.constantFrom(8_000, -8_000, 0x10, 0x10_0000, -0x20, 1 << 22),
  ),
  isReply: fc.boolean(),
  repeats: fc.nat(63),
  /** The last segment once more, or another. */
  packet: fc.oneof(
    fc.constant({}),
    fc.record({
      seq: fc.integer({ min: 985, max: 1_010 }),
      ack: fc.integer({ min: 985, max: 1_010 }),
      window: fc.constantFrom(0, 1, 8_000, 8_001),
      payload: fc.uint8Array({ maxLength: 12 }),
    }),
  ),
});
for (const kernels of skip.skip === false
  ? [loadKernels('typescript'), loadKernels('native')]
  : [loadKernels('typescript')])
  test(`${kernels.name}: connections that are judged as one learn what they learn one by one`, () => {
    const seen = { taken: 0, refused: 0, unlike: 0 };
    fc.assert(
      fc.property(other, ({ connection, isTurned, word, by, isReply, repeats, packet }) => {
        const windows = OPEN.windows.with(word, (OPEN.windows[word]! + by) | 0);
        const unlike = isTurned ? { ...OPEN, flags: TURNED } : { ...OPEN, windows };
        const touch = THREE.touch.map((one) => one + Number(isReply));
        const v = viewsOf(
          [{ ...ACK, ...packet }],
          [{ ...THREE, touch, repeats }],
          [OPEN, OPEN, OPEN].with(connection, unlike),
        );
        const each = copyOf(v);
        // Of connections that may be one and the same, none is taken for another.
        each.paths[PATH.SHAPE]! &= ~(PATH_FLAG.DISTINCT << 16);
        const taken = kernels.shortPath(v, 0, 1, 0, 0, 0, Number.POSITIVE_INFINITY);
        assert.equal(kernels.shortPath(each, 0, 1, 0, 0, 0, Number.POSITIVE_INFINITY), taken);
        assert.deepEqual(v.connections, each.connections);
        if (taken === 1) seen.taken++;
        else seen.refused++;
        const learnt = [0, 1, 2].map((i) =>
          v.connections.subarray(i * CONNECTION.ROW + WINDOW.SIDES, i * CONNECTION.ROW + 16).join(),
        );
        if (taken === 1 && new Set(learnt).size > 1) seen.unlike++;
      }),
      { numRuns: 5_000, seed: 20261130 },
    );
    assert.ok(seen.taken > 500 && seen.refused > 50 && seen.unlike > 500, JSON.stringify(seen));
  });

const GUARD = 64;
const wild = fc.oneof(
  fc.nat(600),
  fc.constantFrom(-1, -2, 0x7fffffff, -0x80000000, 0xffff, 0x10000),
  fc.integer({ min: -0x80000000, max: 0x7fffffff }),
);

test('native never writes outside a column, whatever columns and numbers say', skip, () => {
  const { shortPath } = loadKernels('native');
  fc.assert(
    fc.property(
      lists,
      fc.array(fc.tuple(fc.nat(), fc.nat(), wild), { maxLength: 30 }),
      fc.array(fc.tuple(fc.nat(), fc.nat(40)), { maxLength: 3 }),
      fc.tuple(fc.nat(90), fc.nat(90), fc.nat(5), fc.nat(90)),
      ([packetList, pathList, connectionList], spoilt, cut, [first, end, base, out]) => {
        const v = viewsOf(packetList, pathList, connectionList);
        const { p: _, times: __, ...columns } = v;
        const names = Object.keys(columns) as (keyof typeof columns)[];
        for (const [name, at, value] of spoilt) {
          const column = v[names[name % names.length]!];
          column[at % column.length] = value;
        }
        const lengths = new Map(names.map((name) => [name, v[name].length]));
        for (const [name, length] of cut) lengths.set(names[name % names.length]!, length);
        const guarded = names.map((name) => guard(v, name, lengths.get(name)!));
        const next = shortPath(v, first, end, base, out, 0, Number.POSITIVE_INFINITY);
        assert.ok(next >= first && next <= Math.max(first, end), `${first} ${end}: ${next}`);
        for (const [i, around] of guarded.entries()) assert.ok(isUntouched(around), names[i]!);
      },
    ),
    { numRuns: 1_000, seed: 20260104 },
  );
});

interface Guarded {
  readonly whole: Uint8Array;
  readonly from: number;
  readonly to: number;
}

/** Put the column, cut to `length` elements at most, between guards. */
function guard(
  v: ShortPathViews,
  name: Exclude<keyof ShortPathViews, 'p' | 'times'>,
  length: number,
): Guarded {
  const column = v[name];
  const kept = Math.min(length, column.length);
  const whole = new Uint8Array(2 * GUARD + kept * column.BYTES_PER_ELEMENT).fill(0x55);
  const Column = column.constructor as new (buffer: ArrayBuffer, at: number, length: number) => typeof column;
  const inside = new Column(whole.buffer as ArrayBuffer, GUARD, kept);
  inside.set(column.subarray(0, kept) as never);
  Object.assign(v, { [name]: inside });
  return { whole, from: GUARD, to: GUARD + kept * column.BYTES_PER_ELEMENT };
}

const isUntouched = ({ whole, from, to }: Guarded): boolean =>
  whole.every((byte, i) => (i >= from && i < to) || byte === 0x55);

test('native/tables.h is what the layout gives: npm run header writes it', () => {
  const { LAYOUT_VERSION } = require(`${root}scripts/addon-load.cjs`) as { LAYOUT_VERSION: number };
  assert.equal(readFileSync(`${root}native/tables.h`, 'utf8'), layoutHeader(LAYOUT_VERSION));
});
