/** The shipped example, from its manifests to delivered packets. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadCluster } from '../../src/cluster.js';
import { endOf } from '../support/cases.js';
import { frameFaults } from '../support/checksum.js';
import { frameOf, Journey } from '../support/journey.js';

/** The checkout's root, from a compiled file two or three folders below it. */
const example = (): string => fileURLToPath(new URL('../../../examples/two-nodes', import.meta.url));
const macs = (src: number, dst: number) => ({
  srcMac: { hi: 0x0a58, lo: src },
  dstMac: dst === 0x0a800001 ? { hi: 0xc200, lo: dst } : { hi: 0x0a58, lo: dst },
});
const POD1 = 0x0a800002;
const GATEWAY1 = 0x0a800001;

for (const [why, text, dst, ends] of [
  ['same node', '10.128.0.2:40000 > 10.128.0.3:8080 SYN', 0x0a800003, 'delivered pod:web/pod-2'],
  ['other node', '10.128.0.2:40000 > 10.129.0.2:8080 SYN', 0x0a810002, 'delivered pod:web/pod-3'],
  [
    'another namespace',
    '10.128.0.2:40000 > 10.129.0.4:9090 SYN',
    0x0a810004,
    'delivered pod:openshift-monitoring/prometheus-k8s-0',
  ],
  ['isolated', '10.128.0.2:40000 > 10.129.0.5:8200 SYN', 0x0a810005, 'dropped policy-ingress'],
  ['no endpoints', '10.128.0.2:40000 > 172.30.10.99:80 SYN', GATEWAY1, 'rejected no-endpoints'],
  [
    'DNS stays on the node',
    '10.128.0.2:40000 > 172.30.0.10:53 udp',
    GATEWAY1,
    'delivered pod:openshift-dns/dns-default-a',
  ],
  [
    'a Service with one endpoint',
    '10.128.0.2:40000 > 172.30.20.90:9090 SYN',
    GATEWAY1,
    'delivered pod:openshift-monitoring/prometheus-k8s-0',
  ],
] as const)
  test(`two-nodes: ${why}`, async () => {
    const cluster = await loadCluster(example());
    const journey = new Journey(cluster.compile());
    const [end] = journey.sendBytes('pod:web/pod-1', frameOf(text, macs(POD1, dst)));
    assert.equal(endOf(end!), ends);
    assert.deepEqual(frameFaults(end!.bytes), []);
  });

test('two-nodes: the endpoint that is not ready is never chosen, the two others both are', async () => {
  const journey = new Journey((await loadCluster(example())).compile());
  const chosen = new Map<string, number>();
  for (let port = 40_000; port < 40_400; port++) {
    const frame = frameOf(`10.128.0.2:${port} > 172.30.10.20:8080 SYN`, macs(POD1, GATEWAY1));
    const [end] = journey.sendBytes('pod:web/pod-1', frame);
    chosen.set(end!.endpoint, (chosen.get(end!.endpoint) ?? 0) + 1);
  }
  assert.deepEqual([...chosen.keys()].sort(), ['pod:web/pod-1', 'pod:web/pod-3']);
  // 400 fair draws: five standard deviations are 50.
  assert.ok(Math.abs(chosen.get('pod:web/pod-1')! - 200) < 50, `${[...chosen]}`);
});

test('two-nodes: the same manifests compile to the same bytes', async () => {
  const [one, two] = await Promise.all([loadCluster(example()), loadCluster(example())]);
  assert.deepEqual(one.compile().save(), two.compile().save());
});
