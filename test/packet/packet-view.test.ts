/** A frame as numbers: its digest tells payloads apart to the byte, and leaves out what the way changes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PacketView } from '../../src/packet/packet-view.js';

const ETHERNET_SIZE = 14;
const L4 = ETHERNET_SIZE + 20;
const PROTOCOLS = { tcp: 6, udp: 17 } as const;
/** Where the transport's checksum stands, and where its payload begins. */
const SHAPE = { tcp: { checksum: 16, size: 20 }, udp: { checksum: 6, size: 8 } } as const;

/** A frame of IPv4 whose transport header is zero but for what `payload` brings. */
function frameOf(protocol: keyof typeof PROTOCOLS, payload: Uint8Array): Uint8Array {
  const { size } = SHAPE[protocol];
  const bytes = new Uint8Array(L4 + size + payload.length);
  const p = new DataView(bytes.buffer);
  p.setUint16(12, 0x0800);
  p.setUint8(ETHERNET_SIZE, 0x45);
  p.setUint16(ETHERNET_SIZE + 2, bytes.length - ETHERNET_SIZE);
  p.setUint8(ETHERNET_SIZE + 8, 64);
  p.setUint8(ETHERNET_SIZE + 9, PROTOCOLS[protocol]);
  bytes.set(payload, L4 + size);
  return bytes;
}

function digestOf(frame: Uint8Array, at: number): readonly [number, number] {
  const bytes = new Uint8Array(at + frame.length + 8).fill(0xaa);
  bytes.set(frame, at);
  const p = new DataView(bytes.buffer);
  const view = new PacketView();
  view.read(p, at, frame.length, 4789);
  view.digest(p);
  return [view.digest0, view.digest1];
}

const protocols = fc.constantFrom('tcp', 'udp');
const payloads = fc.uint8Array({ maxLength: 80 });

test('where a frame lies in memory does not matter', () => {
  fc.assert(
    fc.property(protocols, payloads, fc.nat(7), (protocol, payload, at) => {
      const frame = frameOf(protocol, payload);
      assert.deepEqual(digestOf(frame, at), digestOf(frame, 0));
    }),
  );
});

test('one changed byte of the payload, or one more, is another digest', () => {
  fc.assert(
    fc.property(
      protocols,
      fc.uint8Array({ minLength: 1, maxLength: 80 }),
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      (protocol, payload, place, bits) => {
        const other = payload.slice();
        other[place % payload.length]! ^= bits;
        const digest = digestOf(frameOf(protocol, payload), 0);
        assert.notDeepEqual(digestOf(frameOf(protocol, other), 0), digest);
        assert.notDeepEqual(digestOf(frameOf(protocol, Uint8Array.of(...payload, 0)), 0), digest);
      },
    ),
  );
});

test('two words that changed places are another digest', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 48, maxLength: 80 }), fc.nat(11), fc.nat(11), (payload, a, b) => {
      const words = payload.slice();
      words.set(payload.subarray(a * 4, a * 4 + 4), b * 4);
      words.set(payload.subarray(b * 4, b * 4 + 4), a * 4);
      fc.pre(!words.every((octet, i) => octet === payload[i]));
      assert.notDeepEqual(digestOf(frameOf('udp', words), 0), digestOf(frameOf('udp', payload), 0));
    }),
  );
});

for (const protocol of ['tcp', 'udp'] as const)
  test(`${protocol}: MACs, TTL, addresses, ports and checksums stay out of the digest`, () => {
    const frame = frameOf(protocol, Uint8Array.of(1, 2, 3));
    const changed = frame.slice();
    const checksum = L4 + SHAPE[protocol].checksum;
    const places = [
      0,
      6,
      ETHERNET_SIZE + 8,
      ETHERNET_SIZE + 10,
      ETHERNET_SIZE + 12,
      ETHERNET_SIZE + 19,
      L4,
      L4 + 3,
    ];
    for (const at of [...places, checksum, checksum + 1]) changed[at]! ^= 0x5a;
    assert.deepEqual(digestOf(changed, 0), digestOf(frame, 0));
  });
