/** What is written is read back the same, by this reader, tshark and tcpdump. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import fc from 'fast-check';
import { createCapture } from '../../src/io/capture-writer.js';
import { InputError } from '../../src/verdict/input-error.js';
import { needs } from '../support/needs.js';
import { readAll } from './capture-bytes.js';

interface Packet {
  readonly interfaceId: number;
  readonly tsNs: number;
  readonly data: Uint8Array;
  readonly comment: string | undefined;
  readonly cut: number;
}

const EPOCH_NS = 1_700_000_000_999_999_999n;

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'podplane-'));
  try {
    await run(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function write(path: string | Writable, packets: readonly Packet[], interfaces = 3): Promise<void> {
  await using writer = await createCapture(path, { epochNs: EPOCH_NS });
  for (let i = 0; i < interfaces; i++) {
    const name = `pod:web/pod-${i}`;
    writer.addInterface(i === 0 ? { name } : { name, description: 'überall'.repeat(i) });
  }
  for (const { interfaceId, tsNs, data, comment, cut } of packets) {
    const bytes = Buffer.concat([Buffer.alloc(5, 0xff), data]);
    writer.write(interfaceId, tsNs, bytes, 5, data.length, comment, data.length + cut);
    await writer.drain();
  }
}

const packetOf = (interfaces: number): fc.Arbitrary<Packet> =>
  fc.record({
    interfaceId: fc.integer({ min: 0, max: interfaces - 1 }),
    tsNs: fc.integer({ min: 0, max: 2 ** 52 }),
    data: fc.uint8Array({ maxLength: 300 }),
    comment: fc.option(fc.string({ unit: 'grapheme', maxLength: 40 }), { nil: undefined }),
    cut: fc.integer({ min: 0, max: 2000 }),
  });

for (const [ending, interfaces] of [
  ['pcapng', 3],
  ['pcapng.gz', 3],
  ['pcap', 1],
  ['pcap.gz', 1],
] as const) {
  test(`reading what was written to .${ending} gives the same packets`, () =>
    inFolder(async (folder) => {
      const path = join(folder, `out.${ending}`);
      await fc.assert(
        fc.asyncProperty(fc.array(packetOf(interfaces), { maxLength: 20 }), async (packets) => {
          await write(path, packets, interfaces);
          const result = await readAll(path);
          assert.equal(result.error, null);
          assert.deepEqual(
            result.packets.map((p) => [p.interfaceId, p.tsNs, p.data, p.originalLength, p.kind]),
            packets.map((p) => {
              const wire = p.data.length + p.cut;
              return [p.interfaceId, EPOCH_NS + BigInt(p.tsNs), Buffer.from(p.data), wire, 0];
            }),
          );
        }),
        { numRuns: 30 },
      );
    }));
}

const frame = Buffer.from(
  'ffffffffffff0a580a800002080600010800060400010a580a8000020a80000200000000000' + '00a800001',
  'hex',
);
const three: readonly Packet[] = [
  { interfaceId: 0, tsNs: 0, data: frame, comment: 'delivered', cut: 0 },
  { interfaceId: 2, tsNs: 1, data: frame.subarray(0, 41), comment: undefined, cut: 1 },
  { interfaceId: 1, tsNs: 5_000_000_000, data: frame, comment: 'dropped: no route ✓', cut: 0 },
];

test('the same packets give the same bytes, whatever the blocks held before', async () => {
  const collect = async (packets: readonly Packet[]): Promise<Buffer> => {
    const chunks: Buffer[] = [];
    const sink = new Writable({
      write(chunk: Buffer, _encoding, done) {
        chunks.push(Buffer.from(chunk));
        done();
      },
    });
    await write(sink, packets);
    assert.equal(sink.writableEnded, false);
    return Buffer.concat(chunks);
  };
  const long = { interfaceId: 0, tsNs: 9, data: Buffer.alloc(262_143, 0xab), comment: undefined, cut: 0 };
  const many = [...Array.from({ length: 12 }, () => long), ...Array.from({ length: 3 }, () => three[1]!)];
  const first = await collect(many);
  assert.deepEqual(await collect(many), first);
  const { packets } = await readAll(first, 100, 0, 100_000);
  assert.equal(packets.length, 15);
  // 41 bytes are padded with 3: they must be zero though the block was full of 0xab.
  assert.equal(first.subarray(-7, -4).toString('hex'), '000000');
});

test('interfaces keep name and description', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'a.pcapng');
    await write(path, three);
    const { interfaces } = await readAll(path);
    assert.deepEqual(
      interfaces.map((i) => [i.name, i.description, i.linkTypeName, i.snapLength, i.tsResolution, i.packets]),
      [
        ['pod:web/pod-0', '', 'ETHERNET', 262_144, 1e-9, 1],
        ['pod:web/pod-1', 'überall', 'ETHERNET', 262_144, 1e-9, 1],
        ['pod:web/pod-2', 'überallüberall', 'ETHERNET', 262_144, 1e-9, 1],
      ],
    );
  }));

test('a comment too long for its option is cut between characters', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'a.pcapng');
    await write(path, [{ ...three[0]!, comment: `x${'é'.repeat(40_000)}` }]);
    const bytes = readFileSync(path);
    const comment = bytes.indexOf('xé');
    assert.equal(bytes.readUInt16LE(comment - 2), 65_531);
    assert.equal((await readAll(path)).error, null);
  }));

test('what no capture can hold is a RangeError, and the rest is written', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'a.pcap');
    const writer = await createCapture(path, { epochNs: 0n });
    assert.throws(() => writer.write(1, 0, frame, 0, 4), RangeError);
    assert.throws(() => writer.write(0, 0, frame, 0, frame.length + 1), RangeError);
    assert.throws(() => writer.write(0, -1, frame, 0, 4), RangeError);
    assert.throws(() => writer.write(0, 0, new Uint8Array(300_000), 0, 262_145), RangeError);
    writer.write(0, 7, frame, 0, frame.length);
    await writer.close();
    assert.deepEqual(
      (await readAll(path)).packets.map((p) => p.tsNs),
      [7n],
    );
  }));

test('a file that cannot be made is an InputError; a sink that fails is one at drain or close', async () => {
  await assert.rejects(createCapture('/absent-folder/a.pcapng', { epochNs: 0n }), InputError);
  const broken = new Writable({ write: (_chunk, _encoding, done) => done(new Error('disk full')) });
  const writer = await createCapture(broken, { epochNs: 0n });
  await assert.rejects(writer.close(), /disk full/);
});

test("a name's ending says the format; one that says none is an error, and the file stays as it was", () =>
  inFolder(async (folder) => {
    const first = async (name: string): Promise<string> => {
      const writer = await createCapture(join(folder, name), { epochNs: 0n });
      await writer.close();
      return readFileSync(join(folder, name)).toString('hex', 0, 4);
    };
    assert.deepEqual([await first('a.pcapng'), await first('a.pcap')], ['0a0d0d0a', '4d3cb2a1']);
    assert.deepEqual([await first('b.pcapng.gz'), await first('b.pcap.gz')], ['1f8b0800', '1f8b0800']);
    for (const name of ['out.txt', 'out', 'pcap', 'a.pcap.zst', 'a.PCAPNG', 'a.pcapng.']) {
      writeFileSync(join(folder, name), 'notes');
      const says = { name: 'InputError', message: /this ending stands for no format, would do: \.pcapng or/ };
      await assert.rejects(createCapture(join(folder, name), { epochNs: 0n }), says, name);
      assert.equal(readFileSync(join(folder, name), 'utf8'), 'notes');
    }
    await (await createCapture(join(folder, 'out.txt'), { epochNs: 0n, format: 'pcap' })).close();
    assert.equal((await readAll(join(folder, 'out.txt'))).error, null);
    await (await createCapture('/dev/null', { epochNs: 0n })).close();
  }));

const FIELDS = ['frame.time_epoch', 'frame.interface_name', 'frame.cap_len', 'frame.len', 'frame.comment'];

test('tshark reads names, nanoseconds, lengths and comments of a written pcapng', needs('tshark'), () =>
  inFolder(async (folder) => {
    const path = join(folder, 'a.pcapng');
    await write(path, three);
    const flags = ['-r', path, '-T', 'fields', ...FIELDS.flatMap((field) => ['-e', field])];
    const { stdout } = spawnSync('tshark', flags, { encoding: 'utf8' });
    assert.deepEqual(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => line.split('\t')),
      [
        ['1700000000.999999999', 'pod:web/pod-0', '42', '42', 'delivered'],
        ['1700000001.000000000', 'pod:web/pod-2', '41', '42', ''],
        ['1700000005.999999999', 'pod:web/pod-1', '42', '42', 'dropped: no route ✓'],
      ],
    );
  }),
);

for (const ending of ['pcapng', 'pcap']) {
  test(`tcpdump reads a written ${ending}`, needs('tcpdump'), () =>
    inFolder(async (folder) => {
      const path = join(folder, `a.${ending}`);
      const packets = ending === 'pcap' ? three.map((p) => ({ ...p, interfaceId: 0 })) : three;
      await write(path, packets);
      const flags = ['-r', path, '-nn', '-tt', '--time-stamp-precision=nano'];
      const { stdout, status } = spawnSync('tcpdump', flags, { encoding: 'utf8' });
      assert.equal(status, 0);
      const lines = stdout.trimEnd().split('\n');
      assert.equal(lines.length, 3);
      assert.match(lines[0]!, /^1700000000\.999999999 ARP, Request who-has 10\.128\.0\.1 tell 10\.128\.0\.2/);
    }),
  );
}
