/** Pods: which are on the network, and what is read of them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatIpv4 } from '../../src/addr/ipv4.js';
import { loadWith, pod } from './support.js';

const raw = (spec: string, status: string): string =>
  `apiVersion: v1\nkind: Pod\nmetadata: { name: p }\nspec: { ${spec} }\nstatus: { ${status} }\n`;

const READY = 'conditions: [{ type: Ready, status: "True" }]';

const CASES: { why: string; text: string; gives: string }[] = [
  {
    why: 'running and ready',
    text: raw('nodeName: n1', `podIP: 10.128.0.2, phase: Running, ${READY}`),
    gives: 'n1 10.128.0.2 ready',
  },
  {
    why: 'written by hand, no phase',
    text: raw('nodeName: n1', 'podIP: 10.128.0.2'),
    gives: 'n1 10.128.0.2 ready',
  },
  {
    why: 'no conditions, running',
    text: raw('nodeName: n1', 'podIP: 10.128.0.2, phase: Running'),
    gives: 'n1 10.128.0.2 ready',
  },
  {
    why: 'the condition says no',
    text: raw(
      'nodeName: n1',
      'podIP: 10.128.0.2, phase: Running, conditions: [{ type: Ready, status: "False" }]',
    ),
    gives: 'n1 10.128.0.2 unready',
  },
  {
    why: 'conditions without Ready',
    text: raw(
      'nodeName: n1',
      'podIP: 10.128.0.2, phase: Running, conditions: [{ type: Initialized, status: "True" }]',
    ),
    gives: 'n1 10.128.0.2 unready',
  },
  {
    why: 'init containers run',
    text: raw('nodeName: n1', 'podIP: 10.128.0.2, phase: Pending'),
    gives: 'n1 10.128.0.2 unready',
  },
  { why: 'no node yet', text: raw('', 'podIP: 10.128.0.2'), gives: 'left out' },
  { why: 'no address yet', text: raw('nodeName: n1', 'phase: Pending'), gives: 'left out' },
  { why: 'no status at all', text: 'apiVersion: v1\nkind: Pod\nmetadata: { name: p }\n', gives: 'left out' },
  { why: 'done', text: raw('nodeName: n1', 'podIP: 10.128.0.2, phase: Succeeded'), gives: 'left out' },
  {
    why: 'failed on a node that is gone',
    text: raw('nodeName: gone', 'podIP: 10.128.0.2, phase: Failed'),
    gives: 'left out',
  },
  {
    why: 'on the host’s network',
    text: raw('nodeName: n2, hostNetwork: true', 'phase: Running'),
    gives: 'n2 192.168.1.2 host ready',
  },
  {
    why: 'dual-stack',
    text: raw('nodeName: n1', 'podIP: "fd01::2", podIPs: [{ ip: "fd01::2" }, { ip: 10.128.0.7 }]'),
    gives: 'n1 10.128.0.7 ready',
  },
  { why: 'IPv6 alone', text: raw('nodeName: n1', 'podIP: "fd01::2"'), gives: 'left out' },
];

for (const { why, text, gives } of CASES) {
  test(`pod: ${why}`, async () => {
    const { cluster, notes } = await loadWith(text);
    const [found] = cluster.pods;
    const words = found && [
      found.node,
      formatIpv4(found.address),
      ...(found.isHostNetwork ? ['host'] : []),
      found.isReady ? 'ready' : 'unready',
    ];
    assert.equal(words?.join(' ') ?? 'left out', gives);
    if (found === undefined)
      assert.ok(
        notes.some((note) => /^pods left out, as they .*: 1$/.test(note)),
        notes.join('\n'),
      );
  });
}

test('several pods may share their node’s address', async () => {
  const host = (name: string): string => pod(name, '192.168.1.1', 'hostNetwork: true');
  assert.equal((await loadWith(host('a'), host('b'))).cluster.pods.length, 2);
});

test('ports come from containers and from sidecars, not from init containers that end', async () => {
  const spec =
    'containers: [{ ports: [{ containerPort: 80, name: http }] }, { ports: [{ containerPort: 53, protocol: UDP }] }], ' +
    'initContainers: [{ ports: [{ containerPort: 1 }] }, { restartPolicy: Always, ports: [{ containerPort: 9 }] }]';
  const { cluster } = await loadWith(pod('p', '10.128.0.2', spec));
  assert.deepEqual(
    cluster.pods[0]?.ports.map((port) => `${port.name}:${port.port}/${port.protocol}`),
    ['http:80/TCP', ':53/UDP', ':9/TCP'],
  );
});

test('what a resolver needs is read', async () => {
  const spec =
    'hostname: h, subdomain: s, dnsPolicy: None, dnsConfig: { nameservers: [1.1.1.1], searches: [x.y], options: [{ name: ndots, value: "2" }, { name: edns0 }] }';
  const [found] = (await loadWith(pod('p', '10.128.0.2', spec))).cluster.pods;
  assert.equal(`${found?.hostname} ${found?.subdomain} ${found?.dnsPolicy}`, 'h s None');
  assert.deepEqual(found?.dnsConfig, {
    nameservers: ['1.1.1.1'],
    searches: ['x.y'],
    options: [
      { name: 'ndots', value: '2' },
      { name: 'edns0', value: null },
    ],
  });
});
