/** Whole loads: the example cluster, the order of files, the forms that sources take. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatIpv4, formatPrefix } from '../../src/addr/ipv4.js';
import { loadManifests } from '../../src/manifests/load.js';
import { packagePath, problemLines } from './support.js';

const EXAMPLE = packagePath('examples', 'two-nodes');

test('the example is the cluster that everybody draws', async () => {
  const { cluster, unused, notes } = await loadManifests([{ path: EXAMPLE }]);
  assert.deepEqual([unused, notes], [[], []]);
  assert.equal(
    `${cluster.platform} ${cluster.mode} ${formatIpv4(cluster.dns.address)}`,
    'ocp4 networkpolicy 172.30.0.10',
  );
  assert.deepEqual(
    cluster.nodes.map((node) => `${node.name} ${formatIpv4(node.address)} ${formatPrefix(node.subnet)}`),
    ['node1 192.168.1.101 10.128.0.0/23', 'node2 192.168.1.102 10.129.0.0/23'],
  );
  assert.deepEqual(
    cluster.namespaces.map((namespace) => `${namespace.name} ${namespace.vni}`),
    ['default 0', 'isolated 1002', 'openshift-dns 1003', 'openshift-monitoring 1004', 'web 1001'],
  );
  assert.deepEqual(
    cluster.pods.map(
      (pod) => `${pod.namespace}/${pod.name} ${pod.node} ${formatIpv4(pod.address)} ${pod.isReady}`,
    ),
    [
      'isolated/vault-0 node2 10.129.0.5 true',
      'openshift-dns/dns-default-a node1 10.128.0.4 true',
      'openshift-dns/dns-default-b node2 10.129.0.3 true',
      'openshift-monitoring/prometheus-k8s-0 node2 10.129.0.4 true',
      'web/pod-1 node1 10.128.0.2 true',
      'web/pod-2 node1 10.128.0.3 false',
      'web/pod-3 node2 10.129.0.2 true',
      'web/shell node1 10.128.0.5 true',
    ],
  );
  const ports = cluster.services.flatMap((service) =>
    service.ports.map((port) => {
      const ends = port.endpoints.map(
        (end) => `${formatIpv4(end.address)}:${end.port}${end.isReady ? '' : '!'}`,
      );
      return `${service.name} ${formatIpv4(service.clusterIp)}:${port.port}/${port.protocol} > ${ends.join(' ')}`.trim();
    }),
  );
  assert.deepEqual(ports, [
    'kubernetes 172.30.0.1:443/TCP > 192.168.1.101:6443',
    'vault 172.30.10.50:8200/TCP > 10.129.0.5:8200',
    'dns-default 172.30.0.10:53/UDP > 10.128.0.4:5353 10.129.0.3:5353',
    'dns-default 172.30.0.10:53/TCP > 10.128.0.4:5353 10.129.0.3:5353',
    'dns-default 172.30.0.10:9154/TCP > 10.128.0.4:9154 10.129.0.3:9154',
    'prometheus-k8s 172.30.20.90:9090/TCP > 10.129.0.4:9090',
    'jws-app 172.30.10.20:8080/TCP > 10.128.0.2:8080 10.128.0.3:8080! 10.129.0.2:8080',
    'no-endpoints 172.30.10.99:80/TCP >',
  ]);
  assert.deepEqual(
    cluster.policies.map(
      (policy) => `${policy.namespace}/${policy.name} ${policy.hasIngress} ${policy.ingress.length}`,
    ),
    ['isolated/deny-all true 0'],
  );
});

test('the order of documents and files does not matter', async () => {
  const texts = readdirSync(EXAMPLE)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => readFileSync(join(EXAMPLE, name), 'utf8'));
  const bare = 'kind: Namespace\napiVersion: v1\nmetadata: { name: zz }\n';
  // Without HostSubnets and NetNamespaces and with pods of Deployments, subnets, NetIDs and places are allocated.
  const allocated = texts
    .flatMap((text) => text.split(/^---$/m))
    .filter((text) => !/^kind: (HostSubnet|List|Pod)$/m.test(text))
    .concat(bare, deployment('b'), deployment('a'));
  for (const documents of [texts.flatMap((text) => text.split(/^---$/m)), allocated]) {
    const load = (list: readonly string[]) =>
      loadManifests([{ text: list.join('\n---\n'), name: 'in.yaml' }], { expand: true });
    const expected = await load(documents);
    const shuffled = fc.shuffledSubarray(documents, {
      minLength: documents.length,
      maxLength: documents.length,
    });
    await fc.assert(
      fc.asyncProperty(shuffled, async (list) => assert.deepEqual(await load(list), expected)),
      { numRuns: 30 },
    );
  }
});

function deployment(name: string): string {
  return `apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: ${name}, namespace: web }\nspec: { replicas: 3, template: { metadata: { labels: { app: jws-app } } } }\n`;
}

test('a folder is walked whole and in order, a file given twice is read once', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'podplane-'));
  try {
    const namespace = (name: string): string =>
      JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    mkdirSync(join(folder, 'deep', 'er'), { recursive: true });
    writeFileSync(join(folder, 'deep', 'er', 'a.yml'), namespace('a'));
    writeFileSync(join(folder, 'b.json'), namespace('b'));
    writeFileSync(join(folder, 'notes.txt'), 'no manifest');
    const { cluster } = await loadManifests([{ path: folder }, { path: join(folder, 'b.json') }]);
    assert.deepEqual(
      cluster.namespaces.map((found) => found.name),
      ['a', 'b', 'default'],
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a folder without manifests is a problem', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'podplane-'));
  try {
    await assert.rejects(
      loadManifests([{ path: folder }]),
      /no manifest, would do: a folder with \.yaml, \.yml or \.json files/,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('objects of a program load as text does', async () => {
  const objects = [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'a', creationTimestamp: new Date(0) } },
  ];
  const fromObjects = await loadManifests([{ objects }]);
  const fromText = await loadManifests([{ text: JSON.stringify(objects), name: 'in.json' }]);
  assert.deepEqual(fromObjects, fromText);
});

test('twenty thousand documents in one text load, and one bad line among them is found', async () => {
  const documents = Array.from(
    { length: 20_000 },
    (_, index) => `apiVersion: v1\nkind: Namespace\nmetadata:\n  name: n${index}\n`,
  );
  const { cluster } = await loadManifests([{ text: documents.join('---\n'), name: 'in.yaml' }]);
  assert.equal(cluster.namespaces.length, 20_001);
  documents[12_345] = 'apiVersion: v1\nkind: Namespace\nmetadata:\n  name: 5\n';
  const lines = await problemLines(documents.join('---\n'));
  assert.deepEqual(
    lines.map((line) => line.split(': ')[0]),
    [`in.yaml:${12_345 * 5 + 4}`],
  );
});
