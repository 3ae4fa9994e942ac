/** What a capture means: what is injected, what is only compared, what is neither. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { replay } from '../../src/replay/replay.js';
import { packetBytes } from '../support/packets.js';
import { type Seen, twoNodes, writeTrace } from './traces.js';

const epoch = await twoNodes();

interface Case {
  readonly why: string;
  readonly seen: readonly Seen[];
  readonly injected: number;
  readonly verdicts: Readonly<Record<string, number>>;
  readonly reasons?: Readonly<Record<string, number>>;
  /** matched, different, missing, uncompared */
  readonly observed?: readonly [number, number, number, number];
  readonly difference?: RegExp;
}

const SYN = 'shell:40000 > web:8080 SYN id=1';
const SYN_AT_POD3 = 'shell:40000 > pod-3:8080 SYN id=1';
const SYNACK = 'pod-3:8080 > shell:40000 SYNACK id=7';

/** Neither end nor MAC is the cluster's. */
const FOREIGN = packetBytes('198.51.100.1:1 > 203.0.113.7:2 SYN', { srcMac: { hi: 0x0200, lo: 1 } });

const CASES: readonly Case[] = [
  {
    why: 'a pod is where its own packets enter',
    seen: [['a', 'shell:40000 > pod-3:8080 SYN']],
    injected: 1,
    verdicts: { delivered: 1 },
  },
  {
    why: 'the recorded reply reveals the endpoint',
    seen: [
      ['shell', SYN],
      ['pod-3', SYNACK],
    ],
    injected: 2,
    verdicts: { delivered: 2 },
  },
  {
    why: 'copies in the tunnel and at the endpoint are compared, not injected again',
    seen: [
      ['shell', SYN],
      ['node1', `vxlan n1 > n2 vni 1001 | ${SYN_AT_POD3}`],
      ['pod-3', SYN_AT_POD3],
      ['pod-3', SYNACK],
    ],
    injected: 2,
    verdicts: { delivered: 2 },
    observed: [2, 0, 0, 0],
  },
  {
    why: "a Service's reply at its client is what podplane delivers there",
    seen: [
      ['shell', SYN],
      ['pod-3', SYNACK],
      ['shell', 'web:8080 > shell:40000 SYNACK id=7'],
    ],
    injected: 2,
    verdicts: { delivered: 2 },
    observed: [1, 0, 0, 0],
  },
  {
    why: 'a reply that arrived with another TTL is a difference',
    seen: [
      ['shell', SYN],
      ['pod-3', SYNACK],
      ['shell', 'web:8080 > shell:40000 SYNACK id=7 ttl=9'],
    ],
    injected: 2,
    verdicts: { delivered: 2 },
    observed: [0, 1, 0, 0],
    difference:
      /^packet 3, 172\.30\.10\.20:8080 > 10\.128\.0\.5:40000: the TTL .* of packet 2 is 64, seen is 9$/,
  },
  {
    why: "a Service's reply without the endpoint's own packet has nothing to equal",
    seen: [
      ['shell', SYN],
      ['shell', 'web:8080 > shell:40000 SYNACK id=7'],
    ],
    injected: 1,
    verdicts: { delivered: 1 },
    observed: [0, 0, 1, 0],
  },
  {
    why: 'what the real cluster carried on and podplane drops is a difference',
    seen: [
      ['shell', 'shell:40000 > vault:8200 SYN id=3'],
      ['vault', 'shell:40000 > vault:8200 SYN id=3'],
    ],
    injected: 1,
    verdicts: { dropped: 1 },
    reasons: { 'policy-ingress': 1 },
    observed: [0, 1, 0, 0],
    difference: /podplane dropped packet 1: policy-ingress$/,
  },
  {
    why: 'the same bytes on the same interface are sent again',
    seen: [
      ['shell', 'shell:40000 > pod-3:8080 SYN id=3'],
      ['shell', 'shell:40000 > pod-3:8080 SYN id=3'],
    ],
    injected: 2,
    verdicts: { delivered: 2 },
  },
  {
    why: 'a tunnel frame alone enters at the NIC that owns its outer destination',
    seen: [['node2', 'vxlan n1 > n2 vni 1001 | shell:40000 > pod-3:8080 SYN']],
    injected: 1,
    verdicts: { delivered: 1 },
  },
  {
    why: "the node's own stack sends by tun0",
    seen: [['pod-1', 'gw1:50000 > pod-1:8080 SYN']],
    injected: 1,
    verdicts: { delivered: 1 },
  },
  {
    why: "an outsider's packet at a pod has been translated already",
    seen: [['shell', 'world:443 > shell:40000 SYNACK']],
    injected: 0,
    verdicts: {},
    observed: [0, 0, 0, 1],
  },
  {
    why: 'nobody in the cluster sends or gets it',
    seen: [['x', FOREIGN]],
    injected: 0,
    verdicts: { dropped: 1 },
    reasons: { 'entry-unknown': 1 },
  },
];

for (const { why, seen, injected, verdicts, reasons = {}, observed = [0, 0, 0, 0], difference } of CASES)
  test(why, async () => {
    const result = await replay(epoch, { traces: [await writeTrace(seen)] });
    const byName = (counts: readonly { name: string; packets: number }[]) =>
      Object.fromEntries(counts.map(({ name, packets }) => [name, packets]));
    assert.deepEqual(byName(result.verdicts), verdicts);
    assert.deepEqual(byName(result.reasons), reasons);
    const { matched, different, missing, uncompared, total } = result.observations;
    assert.deepEqual([matched, different, missing, uncompared], observed);
    assert.equal(result.packets, seen.length);
    const dropped = seen.length - injected - total;
    assert.equal(result.ledger.in, injected + dropped);
    assert.equal(result.balanced, true);
    if (difference !== undefined) assert.match(result.differences[0] ?? '', difference);
  });

test('--at says where packets enter, and others of that interface are observations', async () => {
  const path = await writeTrace([
    ['eth0', 'shell:40000 > pod-3:8080 SYN id=1'],
    ['eth0', 'pod-3:8080 > shell:40000 SYNACK id=2'],
  ]);
  const places = [{ file: path, interfaceName: 'eth0', place: 'pod:web/shell' }];
  const result = await replay(epoch, { traces: [path], places });
  assert.equal(result.ledger.in, 1);
  assert.equal(result.observations.uncompared, 1);
});
