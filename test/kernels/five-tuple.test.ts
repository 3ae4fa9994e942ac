/** Tests of the five-tuple kernel: which frames have a key, and which key. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { loadKernels } from '../../src/kernels/backend.js';
import { fiveTupleBatch, tupleHash } from '../../src/kernels/five-tuple.js';
import { needsNative } from '../support/native.js';
import { batchOf, frame, frames } from './frames.js';

/** The key of one frame in conntrack space 3, as hexadecimal words, or 'none'. */
function keyOf(bytes: Uint8Array, length = bytes.length, kernel = fiveTupleBatch): string {
  const keys = new Int32Array(4).fill(-1);
  const hashes = new Uint32Array(1).fill(7);
  const [offset, lengths, one] = [Uint32Array.of(0), Uint32Array.of(length), new Int32Array(1)];
  kernel(bytes, offset, lengths, one, new Uint32Array(1), 1, 3, 0, 1, 99, keys, hashes);
  const words = [...keys].map((word) => (word >>> 0).toString(16).padStart(8, '0'));
  const hash = keys[3] === 0 ? 0 : tupleHash(99, keys[0]!, keys[1]!, keys[2]!, keys[3]!);
  assert.equal(hashes[0], hash);
  return keys.every((word) => word === 0) ? 'none' : words.join(' ');
}

const echo = (type: number, size = 8) => Uint8Array.of(type, 0, 0, 0, 0x12, 0x34, 0, 1).subarray(0, size);
const options = frame({ versionAndSize: 0x46 });

const CASES: readonly { why: string; in: Uint8Array; length?: number; out: string }[] = [
  { why: 'UDP', in: frame(), out: '0a000001 0a000002 03e80035 00000311' },
  {
    why: 'TCP, by its ports alone',
    in: frame({ protocol: 6, payload: Uint8Array.of(255, 255, 0, 80) }),
    out: '0a000001 0a000002 ffff0050 00000306',
  },
  { why: 'SCTP', in: frame({ protocol: 132 }), out: '0a000001 0a000002 03e80035 00000384' },
  {
    why: 'addresses above 127.255.255.255',
    in: frame({ source: 0xffffffff, destination: 0xac1e0001 }),
    out: 'ffffffff ac1e0001 03e80035 00000311',
  },
  {
    why: 'ports 0 and 0 are ports',
    in: frame({ payload: new Uint8Array(8) }),
    out: '0a000001 0a000002 00000000 00000311',
  },
  {
    why: 'ICMP echo request',
    in: frame({ protocol: 1, payload: echo(8) }),
    out: '0a000001 0a000002 12340800 00000301',
  },
  {
    why: 'ICMP echo reply',
    in: frame({ protocol: 1, payload: echo(0) }),
    out: '0a000001 0a000002 12340000 00000301',
  },
  { why: 'IPv4 options', in: options, out: '0a000001 0a000002 03e80035 00000311' },
  {
    why: "don't-fragment is no fragment",
    in: frame({ fragment: 0x4000 }),
    out: '0a000001 0a000002 03e80035 00000311',
  },
  {
    why: 'total length past the frame (capture cut short)',
    in: frame({ totalLength: 1500 }),
    out: '0a000001 0a000002 03e80035 00000311',
  },
  { why: 'first fragment', in: frame({ fragment: 0x2000 }), out: 'none' },
  { why: 'later fragment', in: frame({ fragment: 0x0001 }), out: 'none' },
  { why: 'ICMP that is no echo', in: frame({ protocol: 1, payload: echo(3) }), out: 'none' },
  { why: 'ICMP echo of 7 bytes', in: frame({ protocol: 1, payload: echo(8, 7) }), out: 'none' },
  { why: 'GRE', in: frame({ protocol: 47 }), out: 'none' },
  { why: 'ARP', in: frame({ etherType: 0x0806 }), out: 'none' },
  { why: 'IPv6 by its type', in: frame({ etherType: 0x86dd }), out: 'none' },
  { why: 'version 6 under the IPv4 type', in: frame({ versionAndSize: 0x65 }), out: 'none' },
  { why: 'header size 16', in: frame({ versionAndSize: 0x44 }), out: 'none' },
  { why: 'header size past the frame', in: options, length: 36, out: 'none' },
  { why: 'ports cut off', in: frame(), length: 37, out: 'none' },
  { why: 'ports that are Ethernet padding', in: frame({ totalLength: 22 }), out: 'none' },
  { why: 'header cut off', in: frame(), length: 33, out: 'none' },
  { why: 'empty frame', in: frame(), length: 0, out: 'none' },
  { why: 'frame past the end of the arena', in: frame(), length: 43, out: 'none' },
];

for (const { why, in: bytes, length, out } of CASES) {
  test(`key: ${why}`, () => assert.equal(keyOf(bytes, length), out));
  test(`key, native: ${why}`, needsNative(), () =>
    assert.equal(keyOf(bytes, length, loadKernels('native').fiveTupleBatch), out),
  );
}

test('only the rows asked for are written', () => {
  const { bytes, offset, length, space } = batchOf([frame(), frame(), frame()]);
  const keys = new Int32Array(12).fill(-1);
  const hashes = new Uint32Array(3).fill(7);
  fiveTupleBatch(
    bytes,
    offset,
    length,
    Int32Array.of(2, 1, 0),
    Uint32Array.from(space),
    3,
    0,
    1,
    1,
    0,
    keys,
    hashes,
  );
  assert.deepEqual([...keys.subarray(4)], Array(8).fill(-1));
  assert.deepEqual([hashes[1], hashes[2]], [7, 7]);
  assert.equal(keys[3], (space[1]! << 8) | 17);
});

test('a frame has the same key wherever it lies and whatever lies beside it', () => {
  fc.assert(
    fc.property(
      frames,
      fc.uint8Array({ maxLength: 9 }),
      fc.uint8Array({ maxLength: 60 }),
      (one, before, after) => {
        const bytes = Uint8Array.from([...before, ...one, ...after]);
        const keys = new Int32Array(4);
        fiveTupleBatch(
          bytes,
          Uint32Array.of(before.length),
          Uint32Array.of(one.length),
          new Int32Array(1),
          new Uint32Array(1),
          1,
          3,
          0,
          1,
          99,
          keys,
          new Uint32Array(1),
        );
        const alone = keyOf(one);
        const words = [...keys].map((word) => (word >>> 0).toString(16).padStart(8, '0')).join(' ');
        assert.equal(keys[3] === 0 ? 'none' : words, alone);
      },
    ),
  );
});
