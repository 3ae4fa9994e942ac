/** Built frames: right checksums, headroom in front, and what decode reads back. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createCapture } from '../../src/io/capture-writer.js';
import { createArena, HEADROOM } from '../../src/packet/batch.js';
import { buildTcp, placeFrame, synOptions } from '../../src/packet/build.js';
import { decodeFrame } from '../../src/packet/decode.js';
import { needs } from '../support/needs.js';
import { buildPacket, describePacket, packetBytes } from '../support/packets.js';

const names = {
  a: '10.128.0.2',
  b: '10.129.0.2',
  web: '172.30.10.20',
  n1: '192.168.1.101',
  n2: '192.168.1.102',
};

const LINES = [
  'a:40000 > web:8080 SYN',
  'b:8080 > a:40000 SYNACK',
  'a:40000 > web:8080 ACK',
  'a:40000 > web:8080 RST',
  'a:40000 > b:53 udp',
  'a > b ping',
  'b > a pong',
  'arp a who-has b',
  'vxlan n1 > n2 vni 1001 | a:40000 > b:8080 SYN',
];

for (const line of LINES)
  test(`"${line}" is built and read back as the same line`, () => {
    assert.equal(describePacket(packetBytes(line, { names }), names), line);
  });

test('every frame has its headroom, and the next one follows', () => {
  const arena = createArena(1024);
  const first = buildPacket(arena, 'a:1 > b:2 udp "x"', { names });
  const second = buildPacket(arena, 'a:1 > b:2 udp "y"', { names });
  assert.ok(first.offset >= HEADROOM);
  assert.ok(second.offset - (first.offset + first.length) >= HEADROOM);
  assert.equal(arena.used, second.offset + second.length);
  assert.equal((first.offset + 14) % 4, 0, 'the IPv4 header is aligned');
});

test('a full arena is a RangeError and leaves the arena as it was', () => {
  const arena = createArena(100);
  assert.throws(() => buildPacket(arena, 'a:1 > b:2 udp', { names }), RangeError);
  assert.equal(arena.used, 0);
});

test('what no header can hold is a RangeError', () => {
  const arena = createArena(100_000);
  const long = 'x'.repeat(65_536);
  assert.throws(() => buildPacket(arena, `a:1 > b:2 udp "${long}"`, { names }), /longer than an IPv4 packet/);
});

test('TCP options lie between header and payload', () => {
  const arena = createArena(1024);
  const macs = { dstMacHi: 1, dstMacLo: 2, srcMacHi: 3, srcMacLo: 4 };
  const { offset, length } = buildTcp(arena, {
    ...macs,
    src: 1,
    dst: 2,
    sport: 3,
    dport: 4,
    flags: 2,
    options: synOptions(1410),
    payload: Uint8Array.of(0xaa),
  });
  assert.equal(length, 14 + 20 + 32 + 1);
  assert.equal(arena.bytes[offset + 14 + 20 + 12]! >> 4, 8, 'data offset in words');
  assert.equal(arena.view.getUint16(offset + 14 + 20 + 22), 1410);
  assert.equal(arena.bytes[offset + length - 1], 0xaa);
});

test('a frame cut inside a header is decoded as far as it goes', () => {
  const whole = packetBytes('a:40000 > web:8080 SYN', { names });
  const cases: [cut: number, expected: string][] = [
    [13, 'nothing'],
    [20, 'ethernet'],
    [40, 'ip'],
    [42, 'ports'],
    [54, 'tcp'],
  ];
  for (const [cut, expected] of cases) {
    const arena = createArena(512);
    const { offset, length } = placeFrame(arena, whole.subarray(0, cut));
    const frame = decodeFrame(arena.bytes, offset, length);
    const depth =
      frame === null
        ? 'nothing'
        : frame.ip === undefined
          ? 'ethernet'
          : frame.ip.sport === undefined
            ? 'ip'
            : frame.ip.tcp === undefined
              ? 'ports'
              : 'tcp';
    assert.equal(depth, expected, `${cut} bytes`);
  }
});

test('tshark finds every checksum right', needs('tshark'), async () => {
  const folder = mkdtempSync(join(tmpdir(), 'podplane-build-'));
  try {
    const file = join(folder, 'built.pcapng');
    const capture = await createCapture(file, { epochNs: 1_767_225_600_000_000_000n });
    const id = capture.addInterface({ name: 'eth0' });
    LINES.forEach((line, i) => {
      const bytes = packetBytes(line, { names });
      capture.write(id, i * 1000, bytes, 0, bytes.length);
    });
    await capture.close();
    const checks = ['ip.check_checksum', 'tcp.check_checksum', 'udp.check_checksum'].flatMap((o) => [
      '-o',
      `${o}:TRUE`,
    ]);
    const bad =
      'ip.checksum.status == 0 || tcp.checksum.status == 0 || udp.checksum.status == 0 || icmp.checksum.status == 0 || _ws.malformed';
    const marked = spawnSync('tshark', ['-r', file, ...checks, '-Y', bad], { encoding: 'utf8' });
    assert.equal(marked.status, 0, marked.stderr);
    assert.equal(marked.stdout, '');
    const all = spawnSync('tshark', ['-r', file], { encoding: 'utf8' });
    assert.equal(all.stdout.trim().split('\n').length, LINES.length);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
