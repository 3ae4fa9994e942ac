/** The reader as a stream: bursts, alignment, gzip, shared epochs, files cut anywhere. */

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { columnsOfInput, createColumns } from '../../src/io/capture-columns.js';
import { openCapture } from '../../src/io/capture-reader.js';
import { createArena, createInput, HEADROOM } from '../../src/packet/batch.js';
import { InputError } from '../../src/verdict/input-error.js';
import {
  block,
  chunked,
  enhancedPacket,
  interfaceBlock,
  option,
  pack,
  pcapHeader,
  pcapRecord,
  readAll,
  sectionHeader,
} from './capture-bytes.js';

const MICRO = 0xa1b2c3d4;

/** Packets of 0, 1, 2 … bytes, one a second. */
function pcapOf(count: number, start = 1_700_000_000): Buffer {
  const packet = (i: number): Buffer => pcapRecord(true, start + i, i, Buffer.alloc(i, i), i + 1);
  return Buffer.concat([pcapHeader(true, MICRO, 1), ...Array.from({ length: count }, (_, i) => packet(i))]);
}

const everyBlock = Buffer.concat([
  sectionHeader(true),
  interfaceBlock(true, 1, 64, option(true, 2, Buffer.from('eth0'))),
  enhancedPacket(true, 0, 1_700_000_000_000_000n, Buffer.alloc(61, 1)),
  block(true, 3, pack(true, [4, 9]), Buffer.alloc(9, 2)),
  sectionHeader(false),
  interfaceBlock(false, 101, 0),
  block(false, 5, Buffer.alloc(12)),
  enhancedPacket(false, 0, 1_700_000_000_000_001n, Buffer.alloc(30, 0x45)),
]);

test('bursts, headroom and the pieces of the stream do not change what is read', async () => {
  for (const file of [pcapOf(40), everyBlock]) {
    const whole = await readAll(file, 1000);
    const facts = (result: typeof whole): unknown[] => result.packets.map((p) => ({ ...p, offset: 0 }));
    assert.equal(whole.error, null);
    for (const rows of [1, 2, 13]) {
      for (const chunkSize of [1, 3, 100]) {
        assert.deepEqual(facts(await readAll(file, rows, rows * 3, chunkSize)), facts(whole));
      }
    }
  }
});

test('each packet has its headroom, and the network header behind it is aligned to 4', async () => {
  for (const headroom of [0, 50, 64, 65]) {
    const { packets } = await readAll(pcapOf(30), 1000, headroom);
    let end = 0;
    for (const { offset, data } of packets) {
      assert.equal((offset + 14) % 4, 0);
      assert.ok(offset - end >= headroom, `${offset} after ${end}`);
      end = offset + data.length;
    }
  }
});

test('long packets are copied as they are', async () => {
  const sizes = [191, 192, 193, 1514, 65_549, 262_144];
  const data = sizes.map((size) => Buffer.from(Uint8Array.from({ length: size }, (_, i) => (i * 7) & 0xff)));
  const file = Buffer.concat([
    pcapHeader(true, MICRO, 1),
    ...data.map((each) => pcapRecord(true, 1, 0, each)),
  ]);
  const { packets } = await readAll(file, 100, 64, 65_536);
  assert.deepEqual(
    packets.map((p) => p.data.compare(data[sizes.indexOf(p.data.length)]!)),
    sizes.map(() => 0),
  );
});

test('a burst ends where the arena or its limit ends, and the next goes on', async () => {
  const reader = await openCapture(chunked(pcapOf(40), 100_000));
  const columns = createColumns(createArena(4096), 100, 64, 1024);
  const counts: number[] = [];
  let next = 0;
  while ((await reader.read(columns)) > 0) {
    counts.push(columns.count);
    assert.ok(columns.arena.used <= 1024);
    for (let i = 0; i < columns.count; i++) assert.equal(columns.length[i], next++);
  }
  assert.equal(next, 40);
  assert.ok(counts.length > 2, counts.join());
});

test('an arena that cannot hold one packet is a RangeError', async () => {
  const reader = await openCapture(chunked(pcapOf(20), 1000));
  const columns = createColumns(createArena(16), 100);
  await assert.rejects(async () => {
    while ((await reader.read(columns)) > 0);
  }, RangeError);
  await reader.close();
});

test('columns of an engine input are filled in place', async () => {
  const input = createInput(createArena(65_536), 64);
  const columns = columnsOfInput(input);
  const reader = await openCapture(chunked(pcapOf(5), 1000));
  assert.equal(await reader.read(columns), 5);
  assert.deepEqual([...input.length.subarray(0, 5)], [0, 1, 2, 3, 4]);
  assert.deepEqual([...input.tsNs.subarray(0, 3)], [0, 1_000_001_000, 2_000_002_000]);
  assert.ok(input.offset[0]! >= HEADROOM);
});

test('two captures can share an epoch, given at the start or set later', async () => {
  const early = await openCapture(chunked(pcapOf(1, 1000), 1000));
  const late = await openCapture(chunked(pcapOf(3, 1010), 1000), { epochNs: early.firstEpochNs });
  const columns = createColumns(createArena(1024), 1);
  await late.read(columns);
  assert.equal(columns.tsNs[0], 10_000_000_000);
  late.epochNs = 1_000_000_000_005n;
  await late.read(columns);
  assert.equal(columns.tsNs[0], 11_000_001_000 - 5);
  assert.equal(late.firstEpochNs, 1_010_000_000_000n);
  await late.close();
});

test('gzip is told by its first bytes and unpacked, several members too', async () => {
  const plain = pcapOf(40);
  const packed = Buffer.concat([gzipSync(plain.subarray(0, 500)), gzipSync(plain.subarray(500))]);
  const expected = await readAll(plain);
  for (const chunkSize of [1, 17, 100_000]) {
    const result = await readAll(packed, 7, 0, chunkSize);
    assert.equal(result.error, null);
    assert.deepEqual(
      result.packets.map((p) => [p.tsNs, p.data]),
      expected.packets.map((p) => [p.tsNs, p.data]),
    );
  }
});

test('cut gzip gives all packets before the cut, then an InputError', async () => {
  const packed = gzipSync(pcapOf(200));
  const { packets, error } = await readAll(packed.subarray(0, packed.length - 200));
  assert.ok(error instanceof InputError);
  assert.match(error.message, /damaged gzip/);
  assert.ok(packets.length > 0 && packets.length < 200, `${packets.length}`);
});

test('gzip with a wrong checksum gives the packets of the steps before it, then an InputError', async () => {
  let state = 1;
  const noise = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 24;
  };
  const records = Array.from({ length: 100 }, () => Buffer.from(Array.from({ length: 1000 }, noise)));
  const plain = Buffer.concat([pcapHeader(true, MICRO, 1), ...records.map((r) => pcapRecord(true, 1, 0, r))]);
  const packed = gzipSync(plain);
  packed.writeUInt32LE(0, packed.length - 8);
  const { packets, error } = await readAll(packed, 7, 0, 65_536);
  assert.ok(error instanceof InputError);
  assert.ok(packets.length >= 80, `${packets.length}`);
  assert.ok(packets.every((p, i) => p.data.equals(records[i]!)));
});

for (const [name, file, total] of [
  ['pcap', pcapOf(6), 6],
  ['pcapng', everyBlock, 3],
] as const) {
  test(`a ${name} file cut at any byte gives its whole packets and at most an InputError`, async () => {
    const whole = await readAll(file);
    assert.equal(whole.packets.length, total);
    let before = 0;
    for (let size = 0; size < file.length; size++) {
      const { packets, error } = await readAll(file.subarray(0, size), 2, 0, 50);
      assert.ok(error === null || error instanceof InputError, `${size} bytes: ${error?.stack}`);
      assert.deepEqual(packets, (await readAll(file, 2, 0, 50)).packets.slice(0, packets.length));
      assert.ok(packets.length >= before && packets.length <= total);
      before = packets.length;
    }
  });
}

test('a path that is not there, or a folder, is an InputError that names it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'podplane-'));
  try {
    for (const path of [join(folder, 'absent.pcap'), folder]) {
      const { error } = await readAll(path);
      assert.ok(error instanceof InputError);
      assert.ok(error.message.startsWith(`${path}: cannot be read`), error.message);
    }
    const path = join(folder, 'a.pcap');
    await writeFile(path, pcapOf(3));
    assert.equal((await readAll(path)).packets.length, 3);
  } finally {
    await rm(folder, { recursive: true });
  }
});
