/** What OpenShift 4 keeps pods and nodes from: the machine config server and the cloud's metadata. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compile } from '../../src/compile/compile.js';
import { cases, endOf } from '../support/cases.js';
import { testCluster, testEpoch } from '../support/cluster.js';
import { Journey } from '../support/journey.js';

const IN_POD = 'node1: eth0';
/** Precedence "internetwork control". */
const TOS = 'tos=192';

cases('in the pod: the packet never leaves it, and its own socket is told', testEpoch(), [
  {
    why: 'a SYN to the machine config server, whoever has the address',
    at: 'a',
    in: 'a:40000 > out:22623 SYN id=5',
    ends: 'rejected machine-config-blocked',
    path: IN_POD,
    causes: [
      {
        ends: 'delivered a',
        frame: `lo > lo | a > a icmp 3/3 ${TOS} id=* (a:40000 > out:22623 SYN id=5)`,
        path: 'node1: lo',
      },
    ],
  },
  {
    why: 'the second port',
    at: 'a',
    in: 'a:40000 > b:22624 SYN',
    ends: 'rejected machine-config-blocked',
    causes: [{ ends: 'delivered a' }],
  },
  {
    why: 'its neighbours are ports as all others',
    at: 'a',
    in: 'a:40000 > out:22625 SYN',
    ends: 'left nic1',
  },
  {
    why: 'what opens nothing passes: SYN-ACK',
    at: 'a',
    in: 'a:40000 > s:22623 SYNACK',
    ends: 'delivered s',
  },
  {
    why: 'UDP of that port passes',
    at: 'a',
    in: 'a:40000 > out:22623 udp "x"',
    ends: 'left nic1',
  },
  {
    why: 'metadata by TCP',
    at: 'a',
    in: 'a:40000 > 169.254.169.254:80 SYN',
    ends: 'rejected metadata-blocked',
    path: IN_POD,
    causes: [{ ends: 'delivered a', path: 'node1: lo' }],
  },
  {
    why: 'every segment of it, not the first alone',
    at: 'a',
    in: 'a:40000 > 169.254.169.254:80 ACK',
    ends: 'rejected metadata-blocked',
    causes: [{ ends: 'delivered a' }],
  },
  {
    why: 'metadata by UDP',
    at: 'a',
    in: 'a:40000 > 169.254.169.254:123 udp "time"',
    ends: 'rejected metadata-blocked',
    causes: [{ ends: 'delivered a' }],
  },
  {
    why: 'its DNS is let through',
    at: 'a',
    in: 'a:40000 > 169.254.169.254:53 udp "q"',
    ends: 'left nic1',
  },
  {
    why: 'the rules are about ports: a ping passes',
    at: 'a',
    in: 'a:7 > 169.254.169.254 ping',
    ends: 'left nic1',
  },
]);

cases('on the host', testEpoch(), [
  {
    why: 'a node’s own SYN is rejected to the node itself',
    at: 'tun1',
    in: 'n1:40000 > out:22623 SYN',
    ends: 'rejected machine-config-blocked',
    causes: [{ ends: 'delivered tun1' }],
  },
  {
    why: 'to a pod as well',
    at: 'tun1',
    in: 'g1:40000 > b:22624 SYN',
    ends: 'rejected machine-config-blocked',
    causes: [{ ends: 'delivered tun1' }],
  },
  {
    why: 'what opens nothing is let through',
    at: 'tun1',
    in: 'n1:40000 > out:22623 ACK',
    ends: 'left nic1',
  },
  {
    why: 'forwarded from outside to outside: neither end is of the pod network',
    at: 'nic1',
    in: 'out:40000 > 198.51.100.7:22623 SYN',
    via: 'router > nic1',
    ends: 'rejected machine-config-blocked',
    causes: [{ ends: 'left nic1' }],
  },
]);

test('a Service whose target is that port: FORWARD accepts what comes from the pod network before it looks', () => {
  const cluster = testCluster();
  const services = cluster.services.map((service) => ({
    ...service,
    ports: service.ports.map((port) => ({
      ...port,
      endpoints: port.endpoints.map((endpoint) => ({ ...endpoint, port: 22_623 })),
    })),
  }));
  const pods = cluster.pods.map((pod) => ({ ...pod, ports: [] }));
  const epoch = compile({ ...cluster, services, pods });
  const ends = (at: string, text: string): string[] => new Journey(epoch).send(at, text).map(endOf);
  assert.deepEqual(ends('a', 'a:40000 > far:80 SYN'), ['delivered pod:web/b']);
  // The node's own packet is in OUTPUT, where the port is that of the endpoint already.
  assert.deepEqual(ends('tun1', 'n1:40000 > far:80 SYN'), [
    'rejected machine-config-blocked',
    'delivered node1:tun0',
  ]);
});

for (const platform of ['ocp3', 'kubernetes'] as const)
  cases(`${platform} has no machine config server and no such filter`, testEpoch({ platform }), [
    { why: 'pod', at: 'a', in: 'a:40000 > out:22623 SYN', ends: 'left nic1' },
    { why: 'metadata', at: 'a', in: 'a:40000 > 169.254.169.254:80 SYN', ends: 'left nic1' },
    { why: 'host', at: 'tun1', in: 'n1:40000 > out:22624 SYN', ends: 'left nic1' },
  ]);
