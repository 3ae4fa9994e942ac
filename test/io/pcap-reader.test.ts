/** Classic pcap: every magic number, both byte orders, damage. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InputError } from '../../src/verdict/input-error.js';
import { pcapHeader, pcapRecord, readAll } from './capture-bytes.js';

const MICRO = 0xa1b2c3d4;
const NANO = 0xa1b23c4d;
const KUZNETZOV = 0xa1b2cd34;
const ETHERNET = 1;
const HAS_FCS_OF_4 = 0x2400_0000;

const frame = Buffer.from('0123456789abcdef0800450000', 'hex');

for (const [name, magic, nsPerUnit, extra] of [
  ['microseconds', MICRO, 1000n, 0],
  ['nanoseconds', NANO, 1n, 0],
  ['Kuznetzov records', KUZNETZOV, 1000n, 8],
] as const) {
  for (const isLittle of [true, false]) {
    test(`${name}, ${isLittle ? 'little' : 'big'}-endian: bytes and times are the file's`, async () => {
      const file = Buffer.concat([
        pcapHeader(isLittle, magic, ETHERNET),
        pcapRecord(isLittle, 1_700_000_000, 123_456, frame, frame.length, extra),
        pcapRecord(isLittle, 1_707_776_000, 999_999, frame.subarray(0, 5), 1500, extra),
      ]);
      const { packets, error, firstEpochNs } = await readAll(file);
      assert.equal(error, null);
      assert.equal(firstEpochNs, 1_700_000_000_000_000_000n);
      assert.deepEqual(
        packets.map((p) => [p.tsNs, p.data.toString('hex'), p.originalLength, p.truncated, p.kind]),
        [
          [1_700_000_000_000_000_000n + 123_456n * nsPerUnit, frame.toString('hex'), frame.length, 0, 0],
          [1_707_776_000_000_000_000n + 999_999n * nsPerUnit, '0123456789', 1500, 1, 0],
        ],
      );
    });
  }
}

test('seconds are unsigned: times reach to the year 2106', async () => {
  const record = pcapRecord(true, 4_294_967_295, 999_999, frame);
  const { packets } = await readAll(Buffer.concat([pcapHeader(true, MICRO, ETHERNET), record]));
  assert.deepEqual(
    packets.map((p) => p.tsNs),
    [4_294_967_295_999_999_000n],
  );
});

test('a file without packets is read as such', async () => {
  const { packets, error, interfaces } = await readAll(pcapHeader(true, MICRO, ETHERNET));
  assert.deepEqual([packets.length, error, interfaces.length], [0, null, 1]);
});

test('a frame check sequence that the link type word announces is cut off, and only that', async () => {
  const whole = Buffer.concat([frame, Buffer.from('deadbeef', 'hex')]);
  const cut = whole.subarray(0, 15);
  const { packets } = await readAll(
    Buffer.concat([
      pcapHeader(true, MICRO, ETHERNET | HAS_FCS_OF_4),
      pcapRecord(true, 1, 0, whole),
      pcapRecord(true, 1, 0, cut, whole.length),
      pcapRecord(true, 1, 0, frame.subarray(0, 4), whole.length),
    ]),
  );
  assert.deepEqual(
    packets.map((p) => [p.data.length, p.originalLength]),
    [
      [13, 13],
      [13, 13],
      [4, 13],
    ],
  );
});

test('version 2.3 with lengths the other way round is understood', async () => {
  const record = pcapRecord(true, 1, 0, frame);
  record.writeUInt32LE(1500, 8);
  record.writeUInt32LE(frame.length, 12);
  const { packets } = await readAll(Buffer.concat([pcapHeader(true, MICRO, ETHERNET, 3), record]));
  assert.deepEqual([packets[0]?.data.length, packets[0]?.originalLength], [frame.length, 1500]);
});

const good = Buffer.concat([pcapHeader(true, MICRO, ETHERNET), pcapRecord(true, 1, 0, frame)]);
const tooLong = pcapRecord(true, 1, 0, frame);
tooLong.writeUInt32LE(262_145, 8);
const oldVersion = pcapHeader(true, MICRO, ETHERNET);
oldVersion.writeUInt16LE(1, 4);

for (const [name, file, packets, message] of [
  [
    'a length that no packet has',
    Buffer.concat([good, tooLong]),
    1,
    /byte 61: packet 2: captured length: 262145/,
  ],
  ['a record cut short', good.subarray(0, 50), 0, /byte 24: .*cut short after 26 bytes/],
  ['a file header cut short', good.subarray(0, 20), 0, /byte 20: pcap file header: 20 bytes/],
  ['another version', oldVersion, 0, /byte 4: pcap file header: version: 1\.4/],
  ['reserved link type bits', pcapHeader(true, MICRO, 0x0030_0001), 0, /byte 20: .*0x00300001/],
  ['another kind of file', Buffer.from('GIF89a'), 0, /byte 0: magic: 47 49 46 38 \("GIF8"\)/],
  ['an empty file', Buffer.alloc(0), 0, /byte 0: magic: an empty file/],
] as const) {
  test(`${name}: the packets before it come, then an InputError with its place`, async () => {
    const result = await readAll(file);
    assert.ok(result.error instanceof InputError, String(result.error));
    assert.match(result.error.message, message);
    assert.equal(result.packets.length, packets);
  });
}
