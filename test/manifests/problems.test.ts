/** What each wrong field says: file, line, object, field, what was found, what would do. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadManifests } from '../../src/manifests/load.js';
import { formatPath } from '../../src/manifests/problems.js';
import { InputError } from '../../src/verdict/input-error.js';
import { pod, problemLines, service, TWO_NODES } from './support.js';

/** Lines of TWO_NODES, after which the text of a case begins. */
const BEFORE = TWO_NODES.split('\n').length;

/** The `+n` of a case is the line within its own text. */
const CASES: { why: string; text: string; says: string[] }[] = [
  {
    why: 'a number for a label',
    text: pod('p', '10.128.0.2', '', 'app: 7'),
    says: [
      '+4: Pod web/p: metadata.labels.app: 7 (a number), would do: text (in quotes, if it looks like a number or a boolean)',
    ],
  },
  {
    why: 'text for a port',
    text: pod('p', '10.128.0.2', 'containers: [{ ports: [{ containerPort: http }] }]'),
    says: [
      '+5: Pod web/p: spec.containers[0].ports[0].containerPort: "http", would do: a whole number from 1 to 65535',
    ],
  },
  {
    why: 'a port out of range, and a target port too',
    text: service('s', 'ports: [{ port: 70000, targetPort: 65536 }]'),
    says: [
      '+5: Service web/s: spec.ports[0].port: 70000 (a number), would do: a whole number from 1 to 65535',
      '+5: Service web/s: spec.ports[0].targetPort: 65536 (a number), would do: a port number from 1 to 65535, or a port name',
    ],
  },
  {
    why: 'a port that is missing',
    text: service('s', 'ports: [{ name: http }]'),
    says: ['+5: Service web/s: spec.ports[0].port: nothing, would do: a whole number from 1 to 65535'],
  },
  {
    why: 'a protocol that no pod speaks',
    text: service('s', 'ports: [{ port: 80, protocol: ICMP }]'),
    says: ['+5: Service web/s: spec.ports[0].protocol: "ICMP", would do: TCP, UDP or SCTP'],
  },
  {
    why: 'a list where a mapping belongs',
    text: 'apiVersion: v1\nkind: Service\nmetadata:\n  name: s\nspec:\n  - port\n',
    says: ['+5: Service default/s: spec: a list, would do: a mapping'],
  },
  {
    why: 'a mapping where a list belongs',
    text: service('s', 'ports: { port: 80 }'),
    says: ['+5: Service web/s: spec.ports: a mapping, would do: a list'],
  },
  {
    why: 'a broken address',
    text: pod('p', '10.128.0.555'),
    says: ['+6: Pod web/p: status.podIP: "10.128.0.555", would do: an IP address, such as 10.128.0.5'],
  },
  {
    why: 'a broken ClusterIP',
    text: service('s', 'clusterIP: none'),
    says: [
      '+5: Service web/s: spec.clusterIP: "none", would do: an IP address, such as 172.30.0.10, or None',
    ],
  },
  {
    why: 'a Service of an unknown type',
    text: service('s', 'type: clusterip'),
    says: [
      '+5: Service web/s: spec.type: "clusterip", would do: ClusterIP, NodePort, LoadBalancer or ExternalName',
    ],
  },
  {
    why: 'a pod outside its node’s subnet',
    text: pod('p', '10.129.0.2'),
    says: [
      '+6: Pod web/p: status.podIP: 10.129.0.2, outside 10.128.0.0/23, the subnet of n1, would do: an address of 10.128.0.0/23',
    ],
  },
  {
    why: 'a pod with the gateway’s address',
    text: pod('p', '10.128.0.1'),
    says: [
      '+6: Pod web/p: status.podIP: 10.128.0.1, the gateway of 10.128.0.0/23, the subnet of n1, would do: another address of 10.128.0.0/23',
    ],
  },
  {
    why: 'two pods with one address',
    text: `${pod('p', '10.128.0.2')}---${pod('q', '10.128.0.2')}`,
    says: [
      '+12: Pod web/q: status.podIP: 10.128.0.2, the address of Pod web/p too, would do: an address of its own',
    ],
  },
  {
    why: 'a pod on an unknown node',
    text: pod('p', '10.128.0.2').replace('n1', 'n9'),
    says: ['+5: Pod web/p: spec.nodeName: unknown node "n9", would do: one of n1, n2'],
  },
  {
    why: 'a ClusterIP outside the service network',
    text: service('s', 'clusterIP: 10.0.0.1'),
    says: [
      '+5: Service web/s: spec.clusterIP: 10.0.0.1, outside the service network 172.30.0.0/16, would do: an address of 172.30.0.0/16',
    ],
  },
  {
    why: 'two Services with one ClusterIP',
    text: `${service('s', 'clusterIP: 172.30.0.5')}---${service('t', 'clusterIP: 172.30.0.5')}`,
    says: [
      '+10: Service web/t: spec.clusterIP: 172.30.0.5, the ClusterIP of Service web/s too, would do: an address of its own',
    ],
  },
  {
    why: 'two nodes with one address',
    text: hostSubnet('n3', '192.168.1.2', '10.130.0.0/23'),
    says: [
      '+4: HostSubnet n3: hostIP: 192.168.1.2, the address of node n2 too, would do: an address of its own',
    ],
  },
  {
    why: 'subnets that overlap',
    text: hostSubnet('n3', '192.168.1.3', '10.129.1.0/24'),
    says: [
      '+5: HostSubnet n3: subnet: 10.129.1.0/24, which overlaps 10.129.0.0/23 of node n2, would do: a subnet that no other node has',
    ],
  },
  {
    why: 'a broken subnet, and no word about what runs on that node',
    text: `${hostSubnet('n3', '192.168.1.3', '10.130.0.0')}---${pod('p', '10.130.0.2').replace('n1', 'n3')}`,
    says: ['+5: HostSubnet n3: subnet: "10.130.0.0", would do: an IPv4 network, such as 10.128.0.0/23'],
  },
  {
    why: 'an object twice',
    text: `${pod('p', '10.128.0.2')}---${pod('p', '10.128.0.2')}`,
    says: [
      '+10: Pod web/p: metadata.name: a second Pod web/p (the first is in in.yaml), would do: one object of that kind and name',
    ],
  },
  {
    why: 'a NetID of more than 24 bits',
    text: 'apiVersion: network.openshift.io/v1\nkind: NetNamespace\nmetadata: { name: x }\nnetid: 16777216\n',
    says: ['+4: NetNamespace x: netid: 16777216 (a number), would do: a whole number from 0 to 16777215'],
  },
  {
    why: 'a node’s address that is a name',
    text: node('n3', 'host.example'),
    says: [
      '+5: Node n3: status.addresses[0].address: "host.example", would do: an IP address, such as 192.168.1.101',
    ],
  },
  {
    why: 'an annotated MAC that is none',
    text: node('n3', '192.168.1.3').replace('name: n3', 'name: n3, annotations: { podplane/mac: x }'),
    says: [
      '+3: Node n3: metadata.annotations["podplane/mac"]: "x", would do: a MAC address, such as 52:54:00:00:00:01',
    ],
  },
  {
    why: 'an endpoint of an IPv4 slice that is none',
    text: 'apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: { name: s, labels: { kubernetes.io/service-name: s } }\naddressType: IPv4\nendpoints:\n- addresses: [a.b]\n',
    says: ['+6: EndpointSlice default/s: endpoints[0].addresses[0]: "a.b", would do: an IPv4 address'],
  },
  {
    why: 'a policy type that is none, and a broken block',
    text: policy('policyTypes: [Both], ingress: [{ from: [{ ipBlock: { cidr: 10.0.0.0 } }] }]'),
    says: [
      '+4: NetworkPolicy web/np: spec.policyTypes[0]: "Both", would do: Ingress or Egress',
      '+4: NetworkPolicy web/np: spec.ingress[0].from[0].ipBlock.cidr: "10.0.0.0", would do: a network, such as 10.128.0.0/23',
    ],
  },
  {
    why: 'a selector with an unknown operator',
    text: policy('podSelector: { matchExpressions: [{ key: a, operator: Is }] }'),
    says: [
      '+4: NetworkPolicy web/np: spec.podSelector.matchExpressions[0].operator: "Is", would do: In, NotIn, Exists or DoesNotExist',
    ],
  },
];

function hostSubnet(name: string, address: string, subnet: string): string {
  return `apiVersion: network.openshift.io/v1\nkind: HostSubnet\nmetadata: { name: ${name} }\nhostIP: ${address}\nsubnet: ${subnet}\n`;
}

function node(name: string, address: string): string {
  return `apiVersion: v1\nkind: Node\nmetadata: { name: ${name} }\nstatus:\n  addresses: [{ type: InternalIP, address: ${address} }]\n`;
}

function policy(spec: string): string {
  return `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: { name: np, namespace: web }\nspec: { ${spec} }\n`;
}

for (const { why, text, says } of CASES) {
  test(`says what is wrong: ${why}`, async () => {
    const lines = await problemLines(`${TWO_NODES}---\n${text}`);
    const expected = says.map((line) =>
      line.replace(/^\+(\d+)/, (_, own) => `in.yaml:${BEFORE + Number(own)}`),
    );
    assert.deepEqual(lines, expected);
  });
}

test('the line is that of the field also in a List, an alias and JSON', async () => {
  const list =
    'apiVersion: v1\nkind: PodList\nitems:\n- metadata: { name: a }\n  spec:\n    hostNetwork: "yes"\n';
  assert.match(
    (await problemLines(list))[0]!,
    /^in\.yaml:6: Pod default\/a: spec\.hostNetwork: "yes", would do: true or false$/,
  );
  const alias =
    'apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  annotations: &m\n    x: 1\n  labels: *m\n';
  assert.deepEqual(
    (await problemLines(alias)).map((line) => line.split(': ')[0]),
    ['in.yaml:6', 'in.yaml:6'],
  );
  const json =
    '{\n\t"apiVersion": "v1",\n\t"kind": "Pod",\n\t"metadata": {\n\t\t"name": "a",\n\t\t"labels": {"x": 1}\n\t}\n}\n';
  assert.match((await problemLines(json))[0]!, /^in\.yaml:6: Pod default\/a: metadata\.labels\.x: 1 /);
});

test('all problems of all sources come at once, in reading order', async () => {
  const sources = [
    { text: TWO_NODES, name: 'nodes.yaml' },
    { text: pod('p', '10.128.0.2').replace('n1', 'n9'), name: 'p.yaml' },
    { text: 'a: [}', name: 'broken.yaml' },
    { path: '/nowhere/at/all.yaml' },
    { objects: [{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 3 } }], name: 'objects' },
  ];
  await assert.rejects(loadManifests(sources), (error) => {
    assert.ok(error instanceof InputError);
    assert.deepEqual(
      error.message.split('\n').map((line) => line.split(': ').slice(0, 2).join(': ')),
      [
        'broken.yaml:1: missed comma between flow collection entries, would do',
        '/nowhere/at/all.yaml: no such file or folder, would do',
        'p.yaml:5: Pod web/p',
        'objects: Pod default',
      ].map((line) => (line.startsWith('objects') ? 'objects: Pod' : line)),
    );
    assert.equal(error.problems.length, 4);
    return true;
  });
});

test('a field is named as one writes it', () => {
  assert.equal(formatPath(['spec', 'ports', 0, 'port']), 'spec.ports[0].port');
  assert.equal(formatPath(['metadata', 'labels', 'a.b/c']), 'metadata.labels["a.b/c"]');
  assert.equal(formatPath([]), '');
});
