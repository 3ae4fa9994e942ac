/** Services: each type, the addresses and ports that they lack, the endpoints from each source. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatIpv4 } from '../../src/addr/ipv4.js';
import type { Service } from '../../src/model/service.js';
import { loadWith, pod, problemLines, service, TWO_NODES } from './support.js';

const only = async (...texts: string[]): Promise<Service> => (await loadWith(...texts)).cluster.services[0]!;

const FIELDS: {
  why: string;
  spec: string;
  gives: Partial<Service> & { ip?: string; nodePorts?: number[] };
}[] = [
  {
    why: 'ClusterIP',
    spec: 'clusterIP: 172.30.1.2, ports: [{ port: 80 }]',
    gives: { type: 'ClusterIP', ip: '172.30.1.2', nodePorts: [0] },
  },
  {
    why: 'headless',
    spec: 'clusterIP: None, ports: [{ port: 80 }]',
    gives: { isHeadless: true, ip: '0.0.0.0' },
  },
  {
    why: 'ExternalName',
    spec: 'type: ExternalName, externalName: a.example',
    gives: { type: 'ExternalName', externalName: 'a.example', ip: '0.0.0.0', isHeadless: false },
  },
  {
    why: 'NodePort',
    spec: 'type: NodePort, clusterIP: 172.30.1.2, ports: [{ port: 80, nodePort: 30080 }]',
    gives: { nodePorts: [30080] },
  },
  {
    why: 'the API server gives addresses and node ports',
    spec: 'type: NodePort, ports: [{ name: a, port: 80 }, { name: b, port: 81 }]',
    gives: { ip: '172.30.1.1', nodePorts: [30086, 30087] },
  },
  {
    why: 'LoadBalancer without node ports',
    spec: 'type: LoadBalancer, allocateLoadBalancerNodePorts: false, clusterIP: 172.30.1.2, ports: [{ port: 80 }]',
    gives: { type: 'LoadBalancer', nodePorts: [0] },
  },
  {
    why: 'dual-stack',
    spec: 'clusterIP: "fd02::1", clusterIPs: ["fd02::1", 172.30.1.3]',
    gives: { ip: '172.30.1.3' },
  },
  {
    why: 'affinity for the usual time',
    spec: 'clusterIP: 172.30.1.2, sessionAffinity: ClientIP',
    gives: { affinityTimeoutSec: 10800 },
  },
  {
    why: 'affinity for a time',
    spec: 'clusterIP: 172.30.1.2, sessionAffinity: ClientIP, sessionAffinityConfig: { clientIP: { timeoutSeconds: 60 } }',
    gives: { affinityTimeoutSec: 60 },
  },
  {
    why: 'policies',
    spec: 'clusterIP: 172.30.1.2, internalTrafficPolicy: Local, externalTrafficPolicy: Local',
    gives: { internalPolicy: 'Local', externalPolicy: 'Local' },
  },
  {
    why: 'external addresses',
    spec: 'clusterIP: 172.30.1.2, externalIPs: [1.2.3.4, "fd00::1"]',
    gives: { externalIps: [0x01020304] },
  },
];

for (const { why, spec, gives } of FIELDS) {
  test(`Service: ${why}`, async () => {
    const found = await only(service('s', spec));
    const { ip, nodePorts, ...fields } = gives;
    if (ip !== undefined) assert.equal(formatIpv4(found.clusterIp), ip);
    if (nodePorts !== undefined)
      assert.deepEqual(
        found.ports.map((port) => port.nodePort),
        nodePorts,
      );
    for (const [field, value] of Object.entries(fields))
      assert.deepEqual(Reflect.get(found, field), value, field);
  });
}

test('a load balancer’s addresses come from the status', async () => {
  const text = `${service('s', 'type: LoadBalancer, clusterIP: 172.30.1.2')}status: { loadBalancer: { ingress: [{ ip: 5.6.7.8 }, { hostname: x.example }] } }\n`;
  assert.deepEqual((await only(text)).loadBalancerIps, [0x05060708]);
});

test('a Service of IPv6 alone is left out with a note', async () => {
  const { cluster, notes } = await loadWith(
    service('s', 'ipFamilies: [IPv6]'),
    service('t', 'clusterIP: "fd02::1"'),
  );
  assert.deepEqual(cluster.services, []);
  assert.deepEqual(notes, [
    'Services left out, as they have only IPv6 addresses: 2',
    'namespaces without a NetNamespace, given NetIDs from 10 up in the order of their names: 1',
  ]);
});

const HTTP = 'ports: [{ name: http, port: 80, targetPort: web }]';
const WEB = 'containers: [{ ports: [{ name: web, containerPort: 8080 }] }]';
const slice = (name: string, body: string): string =>
  `apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: { name: ${name}, namespace: web, labels: { kubernetes.io/service-name: s } }\naddressType: IPv4\n${body}\n`;
const endpoints = (body: string): string =>
  `apiVersion: v1\nkind: Endpoints\nmetadata: { name: s, namespace: web }\nsubsets: [{ ${body} }]\n`;
const notReady = (text: string): string =>
  text.replace('phase: Running', 'conditions: [{ type: Ready, status: "False" }]');
const going = (text: string): string =>
  text.replace('labels:', 'deletionTimestamp: "2024-01-01T00:00:00Z", labels:');
const selecting = (rest: string): string =>
  service('s', `clusterIP: 172.30.1.2, selector: { app: web }, ${rest}`);

/** Each endpoint as `address:port flags`, where r, s, t mean ready, serving, terminating. */
const ENDPOINTS: { why: string; texts: string[]; gives: string[] }[] = [
  {
    why: 'pods that the selector finds',
    texts: [selecting('ports: [{ port: 80 }]'), pod('a', '10.128.0.2'), pod('b', '10.128.0.3', '', 'app: x')],
    gives: ['10.128.0.2:80 rs'],
  },
  {
    why: 'a numbered target port',
    texts: [selecting('ports: [{ port: 80, targetPort: 8080 }]'), pod('a', '10.128.0.2')],
    gives: ['10.128.0.2:8080 rs'],
  },
  {
    why: 'a quoted target port',
    texts: [selecting('ports: [{ port: 80, targetPort: "8080" }]'), pod('a', '10.128.0.2')],
    gives: ['10.128.0.2:8080 rs'],
  },
  {
    why: 'target port 0 is the port itself',
    texts: [selecting('ports: [{ port: 80, targetPort: 0 }]'), pod('a', '10.128.0.2')],
    gives: ['10.128.0.2:80 rs'],
  },
  {
    why: 'a named target port, each pod its own; pods without it are left out',
    texts: [
      selecting(HTTP),
      pod('a', '10.128.0.2', WEB),
      pod('b', '10.128.0.3', WEB.replace('8080', '9090')),
      pod('c', '10.128.0.4'),
    ],
    gives: ['10.128.0.2:8080 rs', '10.128.0.3:9090 rs'],
  },
  {
    why: 'the name counts with its protocol',
    texts: [selecting(HTTP), pod('a', '10.128.0.2', WEB.replace('8080', '8080, protocol: UDP'))],
    gives: [],
  },
  {
    why: 'a pod that is not ready',
    texts: [selecting('ports: [{ port: 80 }]'), notReady(pod('a', '10.128.0.2'))],
    gives: ['10.128.0.2:80 '],
  },
  {
    why: 'published though not ready',
    texts: [
      selecting('publishNotReadyAddresses: true, ports: [{ port: 80 }]'),
      notReady(pod('a', '10.128.0.2')),
    ],
    gives: ['10.128.0.2:80 r'],
  },
  {
    why: 'a pod that ends',
    texts: [selecting('ports: [{ port: 80 }]'), going(pod('a', '10.128.0.2'))],
    gives: ['10.128.0.2:80 st'],
  },
  {
    why: 'a pod on the host’s network',
    texts: [selecting('ports: [{ port: 80 }]'), pod('a', '192.168.1.1', 'hostNetwork: true')],
    gives: ['192.168.1.1:80 rs'],
  },
  {
    why: 'another namespace’s pods stay out',
    texts: [
      selecting('ports: [{ port: 80 }]'),
      pod('a', '10.128.0.2').replace('namespace: web', 'namespace: other'),
    ],
    gives: [],
  },
  {
    why: 'no selector, no endpoints',
    texts: [service('s', 'clusterIP: 172.30.1.2, ports: [{ port: 80 }]'), pod('a', '10.128.0.2')],
    gives: [],
  },
  {
    why: 'Endpoints, ready and not',
    texts: [
      selecting(HTTP),
      pod('a', '10.128.0.2', WEB),
      endpoints(
        'addresses: [{ ip: 10.128.0.9 }, { ip: 10.128.0.8 }], notReadyAddresses: [{ ip: 10.128.0.7 }], ports: [{ name: http, port: 1 }, { name: x, port: 2 }]',
      ),
    ],
    gives: ['10.128.0.7:1 ', '10.128.0.8:1 rs', '10.128.0.9:1 rs'],
  },
  {
    why: 'slices win over Endpoints, which mirror them',
    texts: [
      selecting(HTTP),
      slice('s-1', 'ports: [{ name: http, port: 5 }]\nendpoints: [{ addresses: [10.128.0.5] }]'),
      endpoints('addresses: [{ ip: 10.128.0.9 }], ports: [{ name: http, port: 1 }]'),
    ],
    gives: ['10.128.0.5:5 rs'],
  },
  {
    why: 'conditions of a slice: unknown is ready, serving follows ready',
    texts: [
      selecting(HTTP),
      slice(
        's-1',
        'ports: [{ name: http, port: 5 }]\nendpoints: [{ addresses: [10.0.0.1], conditions: {} }, { addresses: [10.0.0.2], conditions: { ready: false } }, { addresses: [10.0.0.3], conditions: { ready: false, serving: true, terminating: true } }]',
      ),
    ],
    gives: ['10.0.0.1:5 rs', '10.0.0.2:5 ', '10.0.0.3:5 st'],
  },
  {
    why: 'slices that overlap: the ready one counts',
    texts: [
      selecting(HTTP),
      slice(
        's-1',
        'ports: [{ name: http, port: 5 }]\nendpoints: [{ addresses: [10.0.0.1], conditions: { ready: false } }]',
      ),
      slice('s-2', 'ports: [{ name: http, port: 5 }]\nendpoints: [{ addresses: [10.0.0.1] }]'),
    ],
    gives: ['10.0.0.1:5 rs'],
  },
  {
    why: 'a slice of IPv6 alone, or of another protocol, gives nothing',
    texts: [
      selecting(HTTP),
      pod('a', '10.128.0.2', WEB),
      slice('s-6', 'ports: [{ name: http, port: 5 }]\nendpoints: [{ addresses: ["fd00::1"] }]').replace(
        'addressType: IPv4',
        'addressType: IPv6',
      ),
      slice('s-u', 'ports: [{ name: http, port: 5, protocol: UDP }]\nendpoints: [{ addresses: [10.0.0.1] }]'),
    ],
    gives: [],
  },
];

for (const { why, texts, gives } of ENDPOINTS) {
  test(`endpoints: ${why}`, async () => {
    const found = await only(...texts);
    const words = found.ports[0]!.endpoints.map(
      (end) =>
        `${formatIpv4(end.address)}:${end.port} ${end.isReady ? 'r' : ''}${end.isServing ? 's' : ''}${end.isTerminating ? 't' : ''}`,
    );
    assert.deepEqual(words, gives);
  });
}

test('an endpoint knows its pod, its node, and its name under the Service', async () => {
  const derived = await only(
    selecting('ports: [{ port: 80 }]'),
    pod('a', '10.128.0.2', 'hostname: h, subdomain: s'),
    pod('b', '10.128.0.3', 'hostname: h, subdomain: t'),
  );
  assert.deepEqual(
    derived.ports[0]!.endpoints.map((end) => `${end.pod} ${end.node} ${end.hostname}`),
    ['web/a n1 h', 'web/b n1 '],
  );
  const given = await only(
    selecting(HTTP),
    slice(
      's-1',
      'ports: [{ name: http, port: 5 }]\nendpoints: [{ addresses: [10.0.0.1], hostname: h, nodeName: n2, targetRef: { kind: Pod, name: a, namespace: web } }]',
    ),
  );
  assert.deepEqual(
    given.ports[0]!.endpoints.map((end) => `${end.pod} ${end.node} ${end.hostname}`),
    ['web/a n2 h'],
  );
});

test('a node port is of one Service; TCP and UDP are two', async () => {
  const spec = (ip: string, protocol: string) =>
    `type: NodePort, clusterIP: ${ip}, ports: [{ port: 80, protocol: ${protocol}, nodePort: 30080 }]`;
  const [one, two] = ['172.30.1.2', '172.30.1.3'] as const;
  await loadWith(service('s', spec(one, 'TCP')), service('t', spec(two, 'UDP')));
  const lines = await problemLines(
    [TWO_NODES, service('s', spec(one, 'TCP')), service('t', spec(two, 'TCP'))].join('---'),
  );
  assert.match(
    lines.join(),
    /Service web\/t: spec\.ports\[0\]\.nodePort: 30080\/TCP, a node port of Service web\/s too, would do: a node port of its own$/,
  );
});

const REFUSED: readonly { why: string; spec: string; says: string }[] = [
  {
    why: 'a node port of a Service that has none',
    spec: 'ports: [{ port: 80, nodePort: 30080 }]',
    says: 'spec.ports[0].nodePort: 30080 in a Service of type ClusterIP, would do: type NodePort or LoadBalancer, or no node port',
  },
  {
    why: 'a headless Service of a type that needs an address',
    spec: 'type: NodePort, clusterIP: None, ports: [{ port: 80 }]',
    says: 'spec.clusterIP: None in a Service of type NodePort, would do: an IP address, or type ClusterIP',
  },
  {
    why: 'one port twice',
    spec: 'ports: [{ name: a, port: 80 }, { name: u, port: 80, protocol: UDP }, { name: b, port: 80, protocol: TCP }]',
    says: 'spec.ports[2]: 80/TCP a second time, would do: a port of its own',
  },
  {
    why: 'several ports without names',
    spec: 'ports: [{ name: a, port: 80 }, { port: 81 }]',
    says: 'spec.ports[1].name: nothing, would do: a name of its own, as there are several ports',
  },
  {
    why: 'one name twice',
    spec: 'ports: [{ name: a, port: 80 }, { name: a, port: 81 }]',
    says: 'spec.ports[1].name: "a" a second time, would do: a name of its own, as there are several ports',
  },
  ...[
    '',
    '0.0.0.0',
    '127.0.0.1',
    '127.255.0.9',
    '169.254.169.254',
    '224.0.0.7',
    '::',
    '::1',
    'fe80::7',
    'ff02::1',
    '::ffff:127.0.0.1',
    '::ffff:169.254.1.1',
  ].map((address) => ({
    why: `an external address that no other host has: "${address}"`,
    spec: `externalIPs: [203.0.113.7, '${address}'], ports: [{ port: 80 }]`,
    says: `spec.externalIPs[1]: "${address}", would do: an IP address that is not unspecified, loopback or link-local`,
  })),
];
for (const { why, spec, says } of REFUSED)
  test(`as the API server does, refused is ${why}`, async () => {
    assert.deepEqual(await problemLines(service('s', spec)), [`in.yaml:5: Service web/s: ${says}`]);
  });

test('external addresses of all other kinds are taken', async () => {
  const list = [
    '1.2.3.4',
    '126.255.255.255',
    '169.253.0.1',
    '224.0.1.1',
    '240.0.0.1',
    "'2001:db8::1'",
    "'::2'",
  ];
  const { externalIps } = await only(
    service('s', `clusterIP: 172.30.1.2, externalIPs: [${list}], ports: [{ port: 80 }]`),
  );
  assert.deepEqual(externalIps.map(formatIpv4), list.slice(0, 5));
});

test('an endpoint that no other host has is refused, in a slice and in Endpoints', async () => {
  const slice = (address: string): string =>
    `apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: { name: s, namespace: web, labels: { kubernetes.io/service-name: s } }\naddressType: IPv4\nendpoints: [{ addresses: ['${address}'] }]\n`;
  const endpoints = (address: string): string =>
    `apiVersion: v1\nkind: Endpoints\nmetadata: { name: s, namespace: web }\nsubsets: [{ addresses: [{ ip: '${address}' }] }]\n`;
  const wanted = 'would do: an IP address that is not unspecified, loopback or link-local';
  for (const address of ['127.0.0.1', '0.0.0.0', '169.254.0.1']) {
    assert.deepEqual(await problemLines(slice(address)), [
      `in.yaml:5: EndpointSlice web/s: endpoints[0].addresses[0]: "${address}", ${wanted}`,
    ]);
    assert.deepEqual(await problemLines(endpoints(address)), [
      `in.yaml:4: Endpoints web/s: subsets[0].addresses[0].ip: "${address}", ${wanted}`,
    ]);
  }
  assert.deepEqual(await problemLines(slice('192.0.2.7')), []);
});

test('a number far too large is told once', async () => {
  for (const timeout of ['1.0e+99', '99999999999999999999']) {
    const config = `sessionAffinityConfig: { clientIP: { timeoutSeconds: ${timeout} } }`;
    const lines = await problemLines(service('s', `clusterIP: 172.30.1.2, ${config}`));
    assert.equal(lines.length, 1, lines.join());
    assert.match(lines[0]!, /timeoutSeconds: (1e\+99|100000000000000000000) .* from 1 to 86400$/);
  }
});
