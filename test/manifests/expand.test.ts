/** Owners expanded to pods: how many, their names, where they go. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatIpv4 } from '../../src/addr/ipv4.js';
import { loadTexts, pod, service, TWO_NODES } from './support.js';

const owner = (kind: string, spec: string, metadata = ''): string => {
  const group =
    kind === 'Job' ? 'batch/v1' : kind === 'DeploymentConfig' ? 'apps.openshift.io/v1' : 'apps/v1';
  return (
    `apiVersion: ${group}\nkind: ${kind}\nmetadata: { name: w, namespace: web, ${metadata} }\n` +
    `spec: { ${spec}, template: { metadata: { labels: { app: web } }, spec: { containers: [{ ports: [{ containerPort: 8080 }] }] } } }\n`
  );
};

const podsOf = async (...texts: string[]): Promise<string[]> => {
  const { cluster } = await loadTexts([TWO_NODES, ...texts], { expand: true });
  return cluster.pods.map((found) => `${found.name} ${found.node} ${formatIpv4(found.address)}`);
};

/** `#` stands for a letter or digit of a suffix. */
const CASES: { why: string; texts: string[]; gives: string[] }[] = [
  {
    why: 'a Deployment, in turn over the nodes',
    texts: [owner('Deployment', 'replicas: 3')],
    gives: [
      'w-##########-##### n1 10.128.0.2',
      'w-##########-##### n1 10.128.0.3',
      'w-##########-##### n2 10.129.0.2',
    ],
  },
  {
    why: 'one replica by default',
    texts: [owner('ReplicaSet', 'paused: false')],
    gives: ['w-##### n1 10.128.0.2'],
  },
  { why: 'none when none is wanted', texts: [owner('Deployment', 'replicas: 0')], gives: [] },
  {
    why: 'a StatefulSet counts',
    texts: [owner('StatefulSet', 'replicas: 2, ordinals: { start: 3 }')],
    gives: ['w-3 n1 10.128.0.2', 'w-4 n2 10.129.0.2'],
  },
  {
    why: 'a DaemonSet on each node',
    texts: [owner('DaemonSet', 'minReadySeconds: 0')],
    gives: ['w-##### n1 10.128.0.2', 'w-##### n2 10.129.0.2'],
  },
  {
    why: 'a Job’s parallel pods',
    texts: [owner('Job', 'parallelism: 3, completions: 1')],
    gives: ['w-##### n1 10.128.0.2'],
  },
  {
    why: 'a DeploymentConfig',
    texts: [owner('DeploymentConfig', 'replicas: 1')],
    gives: ['w-1-##### n1 10.128.0.2'],
  },
  {
    why: 'addresses that are taken are passed over',
    texts: [
      owner('Deployment', 'replicas: 1'),
      pod('a', '10.128.0.2', '', 'app: x'),
      pod('b', '10.128.0.4', '', 'app: x'),
    ],
    gives: ['a n1 10.128.0.2', 'b n1 10.128.0.4', 'w-##########-##### n1 10.128.0.3'],
  },
  {
    why: 'pods that the owner has already count',
    texts: [
      owner('StatefulSet', 'replicas: 2'),
      pod('w-0', '10.128.0.9').replace(
        'labels:',
        'ownerReferences: [{ kind: StatefulSet, name: w }], labels:',
      ),
    ],
    gives: ['w-0 n1 10.128.0.9', 'w-1 n1 10.128.0.2'],
  },
  {
    why: 'a Deployment whose ReplicaSet is there leaves the pods to it',
    texts: [
      owner('Deployment', 'replicas: 2'),
      owner('ReplicaSet', 'replicas: 1', 'ownerReferences: [{ kind: Deployment, name: w }]'),
    ],
    gives: ['w-##### n1 10.128.0.2'],
  },
  {
    why: 'a bare pod that nobody has placed',
    texts: ['apiVersion: v1\nkind: Pod\nmetadata: { name: p }\n'],
    gives: ['p n1 10.128.0.2'],
  },
];

for (const { why, texts, gives } of CASES) {
  test(`expands: ${why}`, async () => {
    const found = await podsOf(...texts);
    assert.equal(found.length, gives.length, found.join('\n'));
    const sorted = found.map((line) =>
      line.replace(/(?<=w-(?:1-)?|w-[a-z\d]{10}-)[bcdfghjklmnpqrstvwxz2456789]{5,10}(?= |-)/g, (text) =>
        '#'.repeat(text.length),
      ),
    );
    assert.deepEqual(sorted.sort(), [...gives].sort());
  });
}

test('expanded pods are endpoints of the Service that selects them', async () => {
  const texts = [
    TWO_NODES,
    owner('Deployment', 'replicas: 2'),
    service('s', 'clusterIP: 172.30.1.2, selector: { app: web }, ports: [{ port: 80, targetPort: 8080 }]'),
  ];
  const { cluster, unused } = await loadTexts(texts, { expand: true });
  assert.equal(cluster.services[0]?.ports[0]?.endpoints.filter((endpoint) => endpoint.isReady).length, 2);
  assert.deepEqual(unused, []);
});

test('unasked, owners make no pods and are named as unused', async () => {
  const { cluster, unused } = await loadTexts([TWO_NODES, owner('Deployment', 'replicas: 2')]);
  assert.deepEqual(cluster.pods, []);
  assert.deepEqual(unused, [{ apiVersion: 'apps/v1', kind: 'Deployment', count: 1 }]);
});

test('the same owners give the same pods', async () => {
  const texts = [
    owner('Deployment', 'replicas: 5'),
    owner('DaemonSet', 'minReadySeconds: 0').replace('name: w', 'name: x'),
  ];
  assert.deepEqual(await podsOf(...texts), await podsOf(...texts.reverse()));
});
