/** pcapng: sections, interfaces, packet blocks, timestamps, blocks that are passed over, damage. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InputError } from '../../src/verdict/input-error.js';
import {
  block,
  enhancedPacket,
  interfaceBlock,
  option,
  pack,
  readAll,
  sectionHeader,
} from './capture-bytes.js';

const frame = Buffer.from('0123456789abcdef0800450000', 'hex');
const IF_NAME = 2;
const IF_DESCRIPTION = 3;
const IF_TSRESOL = 9;
const IF_FCSLEN = 13;
const IF_TSOFFSET = 14;

for (const isLittle of [true, false]) {
  const order = isLittle ? 'little' : 'big';

  test(`${order}-endian: every packet block is read, other blocks are passed over`, async () => {
    const obsolete = pack(isLittle, [2, 1], [2, 0xffff], [4, 0], [4, 5_000_000], [4, 2], [4, 60]);
    const { packets, interfaces, error } = await readAll(
      Buffer.concat([
        sectionHeader(isLittle),
        interfaceBlock(isLittle, 1, 0, option(isLittle, IF_NAME, Buffer.from('eth0'))),
        interfaceBlock(isLittle, 105, 0, option(isLittle, IF_DESCRIPTION, Buffer.from('radio\0'))),
        block(isLittle, 4, pack(isLittle, [4, 0])),
        enhancedPacket(isLittle, 0, 4_000_001n, frame),
        block(isLittle, 2, obsolete, frame.subarray(0, 2)),
        block(isLittle, 0x40000bad, Buffer.alloc(7)),
        block(isLittle, 3, pack(isLittle, [4, 3]), frame.subarray(0, 3)),
        block(isLittle, 5, pack(isLittle, [4, 0], [4, 0], [4, 0])),
        block(isLittle, 10, pack(isLittle, [4, 0x544c534b], [4, 0])),
      ]),
    );
    assert.equal(error, null);
    assert.deepEqual(
      packets.map((p) => [p.interfaceId, p.tsNs, p.data.length, p.originalLength, p.truncated, p.kind]),
      [
        [0, 4_000_001_000n, 13, 13, 0, 0],
        [1, 5_000_000_000n, 2, 60, 1, 2],
        [0, 5_000_000_000n, 3, 3, 0, 0],
      ],
    );
    assert.deepEqual(
      interfaces.map((i) => [i.name, i.description, i.linkTypeName, i.packets, i.unsupported]),
      [
        ['eth0', '', 'ETHERNET', 2, 0],
        ['', 'radio', 'IEEE802_11', 1, 1],
      ],
    );
  });
}

test('a second section has its own byte order and interface numbers; ids go on', async () => {
  const { packets, interfaces } = await readAll(
    Buffer.concat([
      sectionHeader(true),
      interfaceBlock(true, 1, 0),
      enhancedPacket(true, 0, 1n, frame),
      sectionHeader(false, 2),
      interfaceBlock(false, 101, 0),
      interfaceBlock(false, 1, 0),
      enhancedPacket(false, 1, 2n, frame),
    ]),
  );
  assert.deepEqual(
    packets.map((p) => p.interfaceId),
    [0, 2],
  );
  assert.deepEqual(
    interfaces.map((i) => i.linkType),
    [1, 101, 1],
  );
});

for (const [why, snapLength, original, captured] of [
  ['no limit', 0, 13, 13],
  ['limit above', 64, 13, 13],
  ['limit below', 5, 13, 5],
] as const) {
  test(`a simple packet is as long as the snapshot length of interface 0 lets it be: ${why}`, async () => {
    const { packets } = await readAll(
      Buffer.concat([
        sectionHeader(true),
        interfaceBlock(true, 1, snapLength),
        block(true, 3, pack(true, [4, original]), frame.subarray(0, captured)),
      ]),
    );
    assert.deepEqual(
      packets.map((p) => [p.data.length, p.originalLength]),
      [[captured, original]],
    );
  });
}

test('the frame check sequence of an interface is cut off, its length given in bytes or in bits', async () => {
  const whole = Buffer.concat([frame, Buffer.from('deadbeef', 'hex')]);
  for (const length of [4, 32]) {
    const { packets } = await readAll(
      Buffer.concat([
        sectionHeader(true),
        interfaceBlock(true, 1, 0, option(true, IF_FCSLEN, Buffer.from([length]))),
        enhancedPacket(true, 0, 0n, whole),
      ]),
    );
    assert.deepEqual(
      packets.map((p) => [p.data.length, p.originalLength]),
      [[13, 13]],
    );
  }
});

const offsetOption = Buffer.alloc(8);
offsetOption.writeBigInt64LE(-100n);
for (const [why, tsresol, units, tsNs] of [
  ['seconds', 0, 1_700_000_000n, 1_700_000_000_000_000_000n],
  ['milliseconds', 3, 1_700_000_000_123n, 1_700_000_000_123_000_000n],
  ['microseconds', 6, 1_700_000_000_123_456n, 1_700_000_000_123_456_000n],
  ['nanoseconds', 9, 1_700_000_000_123_456_789n, 1_700_000_000_123_456_789n],
  ['picoseconds', 12, 1_700_000_123_456_789_123n, 1_700_000_123_456_789n],
  ['half seconds', 0x81, 3_400_000_001n, 1_700_000_000_500_000_000n],
  ['2^-20 s', 0x94, (1_700_000_000n << 20n) + 1n, 1_700_000_000_000_000_953n],
  ['2^-32 s', 0xa0, (1_700_000_000n << 32n) + (1n << 31n), 1_700_000_000_500_000_000n],
] as const) {
  test(`timestamps in ${why} are exact to the nanosecond`, async () => {
    const { packets } = await readAll(
      Buffer.concat([
        sectionHeader(true),
        interfaceBlock(true, 1, 0, option(true, IF_TSRESOL, Buffer.from([tsresol]))),
        interfaceBlock(
          true,
          1,
          0,
          option(true, IF_TSRESOL, Buffer.from([tsresol])),
          option(true, IF_TSOFFSET, offsetOption),
        ),
        enhancedPacket(true, 0, units, frame),
        enhancedPacket(true, 1, units, frame),
      ]),
    );
    assert.deepEqual(
      packets.map((p) => p.tsNs),
      [tsNs, tsNs - 100_000_000_000n],
    );
  });
}

const head = Buffer.concat([
  sectionHeader(true),
  interfaceBlock(true, 1, 0),
  enhancedPacket(true, 0, 1n, frame),
]);
const badTrailer = enhancedPacket(true, 0, 1n, frame);
badTrailer.writeUInt32LE(0, badTrailer.length - 4);
const badCaptured = enhancedPacket(true, 0, 1n, frame);
badCaptured.writeUInt32LE(17, 20);
const badOption = interfaceBlock(true, 1, 0, pack(true, [2, IF_NAME], [2, 9]));
const badSimple = block(true, 3, pack(true, [4, 14]), frame.subarray(0, 8));
const badOrder = sectionHeader(true);
badOrder.writeUInt32LE(0x11223344, 8);

for (const [name, tail, message] of [
  ['lengths that differ', badTrailer, /byte 140: block: total length at the end: 0, would do: 48/],
  ['a length that is no multiple of 4', pack(true, [4, 6], [4, 33], [4, 0]), /byte 100: .*total length: 33/],
  ['a length too small', pack(true, [4, 6], [4, 8], [4, 8]), /total length: 8/],
  ['a length too large', pack(true, [4, 99], [4, 0x7ffffffc], [4, 0]), /type 0x63: total length: 2147483644/],
  [
    'a packet longer than its block',
    badCaptured,
    /packet 2: captured length: 17 bytes, would do: at most 16/,
  ],
  ['a simple packet longer than its block', badSimple, /packet 2: captured length: 14 bytes/],
  ['an interface that the section lacks', enhancedPacket(true, 1, 1n, frame), /packet 2: interface: 1/],
  ['an option longer than its block', badOption, /interface description: option 2: 9 bytes/],
  ['a section of version 1.1', sectionHeader(true, 1), /section header: version: 1\.1/],
  ['a section in no byte order', badOrder, /byte-order magic: 0x11223344/],
  [
    'a block cut short',
    enhancedPacket(true, 0, 1n, frame).subarray(0, 20),
    /byte 96: .*cut short after 20 bytes/,
  ],
] as const) {
  test(`${name}: the packets before it come, then an InputError with its place`, async () => {
    const result = await readAll(Buffer.concat([head, tail]));
    assert.equal(result.packets.length, 1);
    assert.ok(result.error instanceof InputError, String(result.error));
    assert.match(result.error.message, message);
  });
}
