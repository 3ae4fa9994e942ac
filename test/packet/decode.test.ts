/** Decoding for reports: whatever the bytes, it answers and never throws. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeFrame } from '../../src/packet/decode.js';
import { packetBytes } from '../support/packets.js';

const FRAMES = [
  '10.128.0.2:40000 > 172.30.10.20:8080 SYN',
  '10.128.0.2:40000 > 10.129.0.2:53 udp "x"',
  '10.128.0.2 > 10.129.0.2 ping',
  'arp 10.128.0.2 who-has 10.129.0.2',
  'vxlan 192.168.1.101 > 192.168.1.102 vni 1001 | 10.128.0.2:40000 > 10.129.0.2:8080 SYN',
].map((line) => packetBytes(line));

test('random bytes are decoded without an error', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const frame = decodeFrame(bytes);
      assert.equal(frame === null, bytes.length < 14);
    }),
  );
});

test('frames with a few bytes changed, or cut, are decoded without an error', () => {
  const change = fc.record({ at: fc.nat(200), to: fc.nat(255) });
  fc.assert(
    fc.property(
      fc.constantFrom(...FRAMES),
      fc.array(change, { maxLength: 6 }),
      fc.nat(200),
      (frame, changes, cut) => {
        const bytes = frame.slice(0, Math.max(0, frame.length - cut));
        for (const { at, to } of changes) if (at < bytes.length) bytes[at] = to;
        assert.equal(decodeFrame(bytes)?.length ?? bytes.length, bytes.length);
      },
    ),
  );
});

test('an ICMP error shows the packet that it quotes', () => {
  const quoted = FRAMES[0]!.subarray(14);
  const bytes = packetBytes('10.128.0.1 > 10.128.0.2 ping');
  const error = new Uint8Array(bytes.length + quoted.length);
  error.set(bytes);
  error.set([3, 3], 34);
  error.set(quoted, 42);
  const { icmp } = decodeFrame(error)!.ip!;
  assert.deepEqual([icmp!.type, icmp!.code], [3, 3]);
  assert.deepEqual([icmp!.quoted!.sport, icmp!.quoted!.dport, icmp!.quoted!.tcp!.flags], [40_000, 8080, 2]);
});
