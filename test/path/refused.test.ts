/** What the host turns away with ICMP: no endpoints, TTL, too big, nobody there. Each error octet by octet. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cases, checkEnd, endOf } from '../support/cases.js';
import { testEpoch } from '../support/cluster.js';
import { patched } from '../support/frames.js';
import { frameOf, Journey } from '../support/journey.js';
import { sentMacs } from '../support/macs.js';

const OUT = 'node1: eth0 br0[0 0 20 27 30 31 60] tun0 netfilter';
const BACK = 'node1: host tun0 br0[0 30 31 70 80] eth0';
/** Precedence "internetwork control". */
const TOS = 'tos=192';

cases('a Service without endpoints: port unreachable, for TCP as well', testEpoch(), [
  {
    why: 'from tun0’s address, quoting the packet as routed: TTL 63, no translation',
    at: 'a',
    in: 'a:40000 > none:80 SYN id=5',
    ends: 'rejected no-endpoints',
    path: OUT,
    service: 'web/none:http',
    endpoint: '',
    causes: [
      {
        ends: 'delivered a',
        frame: `tun1 > a | g1 > a icmp 3/3 ${TOS} id=* (a:40000 > none:80 SYN id=5 ttl=63)`,
        path: BACK,
      },
    ],
  },
  {
    why: 'UDP',
    at: 'a',
    in: 'a:40000 > none:90 udp "data"',
    ends: 'rejected no-endpoints',
    causes: [
      {
        ends: 'delivered a',
        frame: `tun1 > a | g1 > a icmp 3/3 ${TOS} (a:40000 > none:90 udp "data" ttl=63)`,
      },
    ],
  },
  {
    why: 'a packet with a TOS: the error keeps its low bits',
    at: 'a',
    in: 'a:40001 > none:90 udp "data" tos=16',
    ends: 'rejected no-endpoints',
    causes: [
      {
        ends: 'delivered a',
        frame: 'tun1 > a | g1 > a icmp 3/3 tos=208 (a:40001 > none:90 udp "data" ttl=63 tos=16)',
      },
    ],
  },
  {
    why: 'a wrong transport checksum: REJECT says nothing, conntrack has called it INVALID before',
    at: 'a',
    in: patched(frameOf('a:40002 > none:90 udp "data"', sentMacs('a', 'a > none')), 40, 1, 1),
    ends: 'dropped conntrack-invalid',
    path: OUT,
  },
]);

test('an error is at most 576 bytes long', () => {
  const text = `a:40000 > none:90 udp "${'x'.repeat(1000)}"`;
  const [, error] = new Journey(testEpoch()).send('a', text);
  assert.equal(error!.bytes.length, 14 + 576);
  const quoted = `a:40000 > none:90 udp "${'x'.repeat(1000)}" ttl=63`;
  checkEnd(error!, { ends: '', frame: `tun1 > a | g1 > a icmp 3/3 ${TOS} (${quoted})` }, 'long');
});

cases('TTL 1 to a Service runs out on the host', testEpoch(), [
  {
    why: 'time exceeded comes from the ClusterIP itself, quoting the original destination',
    at: 'a',
    in: 'a:40000 > far:80 SYN ttl=1 id=6',
    ends: 'rejected ttl-exceeded',
    path: OUT,
    service: 'web/far:http',
    causes: [
      {
        ends: 'delivered a',
        frame: `tun1 > a | far > a icmp 11/0 ${TOS} (a:40000 > far:80 SYN ttl=1 id=6)`,
        path: BACK,
      },
    ],
  },
  {
    why: 'of a known connection too',
    at: 'a',
    in: 'a:40001 > near:90 udp "1"',
    ends: 'delivered c',
  },
  {
    why: 'its second packet with TTL 1',
    at: 'a',
    in: 'a:40001 > near:90 udp "2" ttl=1',
    ends: 'rejected ttl-exceeded',
    causes: [
      {
        ends: 'delivered a',
        frame: `tun1 > a | near > a icmp 11/0 ${TOS} (a:40001 > near:90 udp "2" ttl=1)`,
      },
    ],
  },
  {
    why: 'on the way out of the cluster the gateway says so',
    at: 'a',
    in: 'a:40002 > out:53 udp "x" ttl=1',
    ends: 'rejected ttl-exceeded',
    causes: [
      { ends: 'delivered a', frame: `tun1 > a | g1 > a icmp 11/0 ${TOS} (a:40002 > out:53 udp "x" ttl=1)` },
    ],
  },
  { why: 'TTL 2 suffices', at: 'a', in: 'a:40003 > near:80 SYN ttl=2', ends: 'delivered c' },
]);

const long = (size: number): string => 'y'.repeat(size - 28);

cases('too big for tun0 (MTU 1450) with DF set', testEpoch(), [
  {
    why: '1450 octets fit',
    at: 'a',
    in: `a:40000 > far:90 udp "${long(1450)}"`,
    ends: 'delivered b',
    frame: `tun1 > b | a:40000 > b:9000 udp "${long(1450)}" ttl=63`,
  },
  {
    why: '1451 do not: fragmentation needed, from the ClusterIP, with the MTU',
    at: 'a',
    in: `a:40001 > far:90 udp "${long(1451)}"`,
    ends: 'rejected fragmentation-needed',
    path: OUT,
    causes: [
      {
        ends: 'delivered a',
        frame: `tun1 > a | far > a icmp 3/4 ${TOS} rest=1450 (a:40001 > far:90 udp "${long(1451)}")`,
      },
    ],
  },
  {
    why: 'straight to a pod no host looks at the size',
    at: 'a',
    in: `a:40002 > b:9000 udp "${long(1451)}"`,
    ends: 'delivered b',
  },
]);

test('ping to a ClusterIP: host unreachable after three seconds of packet time, from the gateway', () => {
  const journey = new Journey(testEpoch());
  assert.deepEqual(journey.send('a', 'a:9 > web ping id=4'), [], 'it waits for an ARP answer');
  assert.equal(journey.engine.ledger.pending, 1);
  assert.equal(journey.engine.nextTimerNs(), 3e9);
  assert.deepEqual(journey.wait(2.999), [], 'not yet');
  const [request, error] = journey.wait(0.001);
  assert.equal(endOf(request!), 'rejected host-unreachable');
  assert.equal(request!.tsNs, 3e9);
  assert.equal(endOf(error!), 'delivered pod:web/a');
  assert.equal(error!.parent, request!.packet);
  const frame = `tun1 > a | g1 > a icmp 3/1 ${TOS} (a:9 > web ping id=4 ttl=63)`;
  checkEnd(error!, { ends: '', frame, path: BACK }, 'error');
  assert.equal(journey.engine.ledger.pending, 0);
  assert.equal(journey.engine.nextTimerNs(), Number.POSITIVE_INFINITY);
});

for (const [text, why] of [
  ['a:40000 > web:81 SYN', 'a port that the Service does not have'],
  ['a:40000 > unused:80 SYN', 'a ClusterIP that no Service has'],
  ['a:40000 > far:80 udp', 'another protocol'],
] as const)
  test(`host unreachable as well: ${why}`, () => {
    const journey = new Journey(testEpoch());
    assert.deepEqual(journey.send('a', text), []);
    const ends = journey.wait(3);
    assert.deepEqual(ends.map(endOf), ['rejected host-unreachable', 'delivered pod:web/a']);
    const frame = `tun1 > a | g1 > a icmp 3/1 ${TOS} (${text} ttl=63)`;
    checkEnd(ends[1]!, { ends: '', frame }, text);
  });

test('packets for one neighbour wait for the same answer and come back in their order', () => {
  const journey = new Journey(testEpoch());
  journey.send('a', 'a:1 > web ping');
  journey.wait(1);
  journey.send('a', 'a:2 > web ping');
  journey.send('c', 'c:3 > web ping');
  const ends = journey.wait(2);
  assert.deepEqual(
    ends.map((one) => one.text),
    [
      'g1 > web ping',
      'g1 > a icmp 3/1 (a > web ping)',
      'g1 > web ping',
      'g1 > a icmp 3/1 (a > web ping)',
      'g1 > web ping',
      'g1 > c icmp 3/1 (c > web ping)',
    ],
  );
});
