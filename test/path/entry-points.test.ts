/** Every place where packets come in, and everything odd that may come in there: each has a named end. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testEpoch } from '../support/cluster.js';
import { fragment, withSum } from '../support/fragments.js';
import { patched } from '../support/frames.js';
import { frameOf, Journey } from '../support/journey.js';
import { macsOf, sentMacs } from '../support/macs.js';

const LONG = '"0123456789abcdef01234567" id=9 fragment=0';
const PLACES = [
  { at: 'a', good: frameOf(`a:40000 > c:9000 udp ${LONG}`, sentMacs('a', 'a:40000 > c:9000 udp')) },
  { at: 'nic1', good: frameOf(`out:53 > n1:40000 udp ${LONG}`, macsOf('router > nic1')) },
  { at: 'tun1', good: frameOf(`g1:40000 > c:9000 udp ${LONG}`, sentMacs('tun1', 'g1:40000 > c:9000 udp')) },
] as const;

/** Source address, checksum made right. */
const from = (frame: Uint8Array, ...address: number[]): Uint8Array => withSum(patched(frame, 26, ...address));
const typed = (frame: Uint8Array, type: number): Uint8Array => patched(frame, 12, type >> 8, type & 255);
/** `inner` through the tunnel to node1. */
function wrapped(inner: Uint8Array): Uint8Array {
  const around = frameOf('vxlan n2 > n1 vni 1001 | b:1 > c:2 udp');
  const frame = Uint8Array.of(...around.subarray(0, 50), ...inner);
  const [total, datagram] = [frame.length - 14, frame.length - 34];
  frame.set([total >> 8, total & 255], 16);
  frame.set([datagram >> 8, datagram & 255, 0, 0], 38);
  return withSum(frame);
}
const INNER = frameOf(`b:40000 > c:9000 udp ${LONG}`);

const ODD = {
  'a fragment': (frame: Uint8Array) => fragment(frame, 8, 32),
  'a loopback source': (frame: Uint8Array) => from(frame, 127, 0, 0, 1),
  IPv6: (frame: Uint8Array) => typed(frame, 0x86dd),
  '802.1Q': (frame: Uint8Array) => typed(frame, 0x8100),
  'cut in the IPv4 header': (frame: Uint8Array) => frame.subarray(0, 30),
};

const ENDS: Readonly<
  Record<keyof typeof ODD, readonly [pod: string, nic: string, host: string, tunnel: string]>
> = {
  'a fragment': ['fragment-pending', 'fragment-pending', 'fragment-pending', 'fragment-pending'],
  'a loopback source': ['source-spoofed', 'source-martian', 'source-martian', 'source-martian'],
  IPv6: ['ipv6-unsupported', 'ipv6-unsupported', 'ipv6-unsupported', 'tunnel-outside-cluster'],
  '802.1Q': ['vlan-tagged', 'ether-type-unsupported', 'ether-type-unsupported', 'tunnel-outside-cluster'],
  'cut in the IPv4 header': ['ipv4-truncated', 'ipv4-truncated', 'ipv4-truncated', 'ipv4-truncated'],
};

for (const [what, make] of Object.entries(ODD))
  [...PLACES, { at: 'vxlan', good: INNER }].forEach(({ at, good }, place) => {
    test(`${what} at ${at}`, () => {
      const frame = make(good);
      const journey = new Journey(testEpoch());
      journey.sendBytes(at === 'vxlan' ? 'nic1' : at, at === 'vxlan' ? wrapped(frame) : frame);
      const [trace] = journey.engine.explain(0);
      assert.equal(trace!.reason, ENDS[what as keyof typeof ODD][place]);
    });
  });

test('undamaged, each of them arrives', () => {
  for (const { at, good } of PLACES)
    assert.equal(new Journey(testEpoch()).sendBytes(at, good)[0]!.verdict, 'delivered', at);
  assert.equal(new Journey(testEpoch()).sendBytes('nic1', wrapped(INNER))[0]!.verdict, 'delivered');
});
