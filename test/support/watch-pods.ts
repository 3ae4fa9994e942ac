/** A cluster as objects whose pods come, change and go: restarts at the same address, addresses that pass from one pod to another,
 *  host-network pods, labels that policies and Services select, pods that wait. */
import fc from 'fast-check';
import type { WatchEvent } from '../../src/cluster.js';
import { type KubeObject, namespace, service } from './watch.js';

export const NODES = 2;
const NUMBERS = [1, 2, 3, 4, 5, 6, 7, 8] as const;
/** The last has no pods to begin with. */
export const NAMESPACES = ['web', 'shop', 'late'] as const;
export const ADDRESSES = [1, 2].flatMap((node) =>
  Array.from({ length: 9 }, (_, i) => `10.128.${node * 2}.${i + 2}`),
);
export const CLUSTER_IPS = [
  '172.30.0.10',
  '172.30.0.20',
  '172.30.0.21',
  '172.30.0.22',
  '172.30.0.23',
] as const;
/** Where Services are asked from outside. */
export const FRONTS = [
  '198.51.100.7:80',
  '198.51.100.7:90',
  '192.168.1.1:30080',
  '192.168.1.2:30080',
] as const;

export interface PodFacts {
  readonly n: number;
  readonly namespace: string;
  readonly node: number;
  /** Of the node's addresses; the same number as another pod's is refused. */
  readonly slot: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly phase: string;
  readonly isHostNetwork: boolean;
  readonly isReady: boolean;
  readonly port: number;
}

const object = (
  apiVersion: string,
  kind: string,
  name: string,
  namespace: string,
  rest: object,
): KubeObject => ({
  apiVersion,
  kind,
  metadata: { name, ...(namespace === '' ? {} : { namespace }) },
  ...rest,
});

export function podObject(facts: PodFacts): KubeObject {
  const { n, node, slot, labels, phase, isHostNetwork, isReady, port } = facts;
  const podIP = isHostNetwork ? `192.168.1.${node}` : ADDRESSES[(node - 1) * 9 + slot];
  const ports = [
    { name: 'http', containerPort: port },
    { containerPort: 9000, protocol: 'UDP' },
  ];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `p${n}`, namespace: facts.namespace, labels },
    spec: { nodeName: `node${node}`, hostNetwork: isHostNetwork, containers: [{ ports }] },
    status: {
      phase,
      ...(phase === 'Pending' ? {} : { podIP }),
      conditions: [{ type: 'Ready', status: isReady ? 'True' : 'False' }],
    },
  };
}

const dnsPod: KubeObject = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'dns', namespace: 'openshift-dns', labels: { dns: 'default' } },
  spec: { nodeName: 'node1' },
  status: { phase: 'Running', podIP: '10.128.2.100' },
};

const labels = fc.constantFrom<Readonly<Record<string, string>>>(
  { app: 'a' },
  { app: 'a', hash: 'x' },
  { app: 'b' },
  { app: 'b', tier: 'front' },
  { app: 'c', tier: 'front' },
  { app: 'new', tier: 'back' },
  {},
);

/** Mostly at an address of its own. */
export const podFacts: fc.Arbitrary<PodFacts> = fc
  .record({
    n: fc.constantFrom(...NUMBERS),
    namespace: fc.constantFrom('web', 'web', 'shop', 'late'),
    node: fc.integer({ min: 1, max: NODES }),
    shift: fc.constantFrom(0, 0, 0, 1),
    labels,
    phase: fc.constantFrom('Running', 'Running', 'Running', 'Running', 'Pending', 'Succeeded'),
    isHostNetwork: fc.constantFrom(false, false, false, false, false, true),
    isReady: fc.boolean(),
    port: fc.constantFrom(8080, 8080, 8081),
  })
  .map(({ shift, ...rest }) => ({ ...rest, slot: rest.n - 1 + shift }));

const slice = (name: string, owner: string, ns: string, numbers: readonly number[]): KubeObject => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name, namespace: ns, labels: { 'kubernetes.io/service-name': owner } },
  addressType: 'IPv4',
  ports: [{ name: 'http', port: 8080 }],
  endpoints: numbers.map((n) => ({
    addresses: [ADDRESSES[n - 1]],
    conditions: { ready: true },
    nodeName: 'node1',
    targetRef: { kind: 'Pod', namespace: ns, name: `p${n}` },
  })),
});

const anySlice = fc
  .subarray([...NUMBERS], { maxLength: 4 })
  .map((numbers) => slice('sliced-1', 'sliced', 'web', numbers));

const ports = [
  { name: 'http', port: 80, targetPort: 'http' },
  { name: 'u', port: 90, protocol: 'UDP', targetPort: 9000 },
];

const nodePorts = ports.map((port, i) => ({ ...port, nodePort: 30_080 + i }));
const named = (name: string, clusterIP: string, spec: object): KubeObject =>
  service(name, { clusterIP, ports, ...spec });

/** Services that come, go, and become others. */
const SERVICES: readonly KubeObject[] = [
  named('by-label', CLUSTER_IPS[1], { selector: { app: 'a' } }),
  named('by-label', CLUSTER_IPS[1], { selector: { app: 'b' }, sessionAffinity: 'ClientIP' }),
  named('by-label', CLUSTER_IPS[4], { selector: { app: 'a' }, internalTrafficPolicy: 'Local' }),
  named('sliced', CLUSTER_IPS[2], { ports: ports.slice(0, 1), externalIPs: ['198.51.100.7'] }),
  named('more', CLUSTER_IPS[4], { selector: { app: 'b' } }),
  named('more', CLUSTER_IPS[4], {
    type: 'NodePort',
    ports: nodePorts,
    selector: { tier: 'front' },
    externalIPs: ['198.51.100.7'],
    externalTrafficPolicy: 'Local',
  }),
];

/** All but pods and policies. */
export const PLACE: readonly KubeObject[] = [
  object('network.openshift.io/v1', 'ClusterNetwork', 'default', '', {
    clusterNetworks: [{ CIDR: '10.128.0.0/14', hostSubnetLength: 9 }],
    serviceNetwork: '172.30.0.0/16',
    pluginName: 'redhat/openshift-ovs-networkpolicy',
  }),
  ...[1, 2].map((n) =>
    object('v1', 'Node', `node${n}`, '', {
      spec: { podCIDR: `10.128.${n * 2}.0/23` },
      status: { addresses: [{ type: 'InternalIP', address: `192.168.1.${n}` }] },
    }),
  ),
  namespace('web', { team: 'one' }),
  namespace('shop', { team: 'two' }),
  namespace('late', { team: 'two' }),
  namespace('openshift-dns'),
  dnsPod,
  service(
    'dns-default',
    { clusterIP: CLUSTER_IPS[0], ports: [{ port: 53, protocol: 'UDP' }], selector: { dns: 'default' } },
    'openshift-dns',
  ),
  service('by-label', { clusterIP: CLUSTER_IPS[1], ports, selector: { app: 'a' } }),
  service('sliced', { clusterIP: CLUSTER_IPS[2], ports: [{ name: 'http', port: 80 }] }),
  service('front', { clusterIP: CLUSTER_IPS[3], ports, selector: { tier: 'front' } }, 'shop'),
  slice('sliced-1', 'sliced', 'web', [1, 2]),
];

const policy = (name: string, ns: string, spec: object): KubeObject =>
  object('networking.k8s.io/v1', 'NetworkPolicy', name, ns, { spec });
const app = (value: string) => ({ matchLabels: { app: value } });

/** Of every shape: whole namespaces and single pods, both directions, selectors of every kind, blocks, named ports. */
export const POLICIES: readonly KubeObject[] = [
  policy('deny', 'shop', { podSelector: {} }),
  policy('from-web', 'shop', {
    podSelector: {},
    ingress: [{ from: [{ namespaceSelector: { matchLabels: { team: 'one' } } }], ports: [{ port: 8080 }] }],
  }),
  policy('a-from-b', 'web', {
    podSelector: app('a'),
    ingress: [{ from: [{ podSelector: app('b') }] }, { from: [{ ipBlock: { cidr: '192.168.0.0/16' } }] }],
  }),
  policy('front-anywhere', 'web', {
    podSelector: { matchExpressions: [{ key: 'tier', operator: 'Exists' }] },
    policyTypes: ['Ingress', 'Egress'],
    ingress: [{ from: [{ namespaceSelector: {}, podSelector: { matchLabels: { tier: 'front' } } }] }],
    egress: [
      { to: [{ namespaceSelector: { matchLabels: { team: 'two' } }, podSelector: app('b') }] },
      { ports: [{ port: 53, protocol: 'UDP' }] },
    ],
  }),
  policy('by-name', 'web', { podSelector: app('b'), ingress: [{ ports: [{ port: 'http' }] }] }),
  policy('late-out', 'late', {
    podSelector: { matchExpressions: [{ key: 'app', operator: 'NotIn', values: ['c'] }] },
    policyTypes: ['Egress'],
    egress: [
      { to: [{ podSelector: {} }, { ipBlock: { cidr: '10.128.2.0/28' } }], ports: [{ port: 'http' }] },
    ],
  }),
];

/** Mostly pods, now and then a policy or Service. */
export const podEvent: fc.Arbitrary<WatchEvent & { readonly object: KubeObject }> = fc.record({
  type: fc.constantFrom('ADDED', 'ADDED', 'MODIFIED', 'MODIFIED', 'DELETED'),
  object: fc.oneof(
    { weight: 8, arbitrary: podFacts.map(podObject) },
    { weight: 1, arbitrary: anySlice },
    { weight: 1, arbitrary: fc.constant(dnsPod) },
    { weight: 3, arbitrary: fc.constantFrom(...POLICIES) },
    { weight: 4, arbitrary: fc.constantFrom(...SERVICES) },
  ),
});

/** With three pods policed these are more flows than the SDN makes. */
export const TOO_MANY: KubeObject = policy('too-many', 'web', {
  podSelector: app('a'),
  ingress: [
    {
      from: [{ ipBlock: { cidr: '0.0.0.0/0', except: ['10.128.4.2/32'] } }],
      ports: [1, 2, 3, 4].map((port) => ({ port, endPort: 65_534 })),
    },
  ],
});
