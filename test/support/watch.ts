/** A cluster as objects, and random watch events over it: mostly endpoints and pods, now and then everything else. */
import fc from 'fast-check';
import type { WatchEvent } from '../../src/cluster.js';

/** A Kubernetes object as a watch tells it. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly [field: string]: unknown;
  };
  readonly [field: string]: unknown;
}

export const keyOf = ({ kind, metadata }: KubeObject): string =>
  `${kind} ${metadata.namespace ?? ''}/${metadata.name}`;

const object = (
  apiVersion: string,
  kind: string,
  name: string,
  rest: object,
  metadata: object = {},
): KubeObject => ({
  apiVersion,
  kind,
  metadata: { name, ...metadata },
  ...rest,
});
const inWeb = { namespace: 'web' };

const node = (n: number): KubeObject =>
  object('v1', 'Node', `node${n}`, {
    spec: { podCIDR: `10.128.${n * 2}.0/23` },
    status: { addresses: [{ type: 'InternalIP', address: `192.168.1.${n}` }] },
  });

export const namespace = (name: string, labels: object = {}): KubeObject =>
  object('v1', 'Namespace', name, {}, { labels });

/** Pod p1, p3 … on node1, p2, p4 … on node2, at the address of its number. */
export const pod = (
  n: number,
  isReady: boolean,
  more: { app?: string; deletionTimestamp?: string } = {},
): KubeObject => {
  const { app = 'a', ...rest } = more;
  return object(
    'v1',
    'Pod',
    `p${n}`,
    {
      spec: { nodeName: `node${1 + ((n + 1) % 2)}`, containers: [{ ports: [{ containerPort: 8080 }] }] },
      status: {
        phase: 'Running',
        podIP: podAddress(n),
        conditions: [{ type: 'Ready', status: isReady ? 'True' : 'False' }],
      },
    },
    { ...inWeb, labels: { app }, ...rest },
  );
};
export const podAddress = (n: number): string => `10.128.${n % 2 === 1 ? 2 : 4}.${10 + n}`;

export const service = (name: string, spec: object, namespace = 'web'): KubeObject =>
  object('v1', 'Service', name, { spec }, { namespace });

/** One of a slice's endpoints: pod `n`, ready or not. */
export interface SliceEnd {
  readonly n: number;
  readonly isReady: boolean;
  readonly isTerminating?: boolean;
  readonly hostname?: string;
}

const PORTS = [
  { name: 'http', protocol: 'TCP', port: 8080 },
  { name: 'u', protocol: 'UDP', port: 9000 },
];

export const slice = (
  name: string,
  owner: string,
  ends: readonly SliceEnd[],
  namespace = 'web',
): KubeObject =>
  object(
    'discovery.k8s.io/v1',
    'EndpointSlice',
    name,
    {
      addressType: 'IPv4',
      ports: PORTS,
      endpoints: ends.map(({ n, isReady, isTerminating = false, hostname }) => ({
        addresses: [podAddress(n)],
        conditions: { ready: isReady, serving: isReady || isTerminating, terminating: isTerminating },
        nodeName: `node${1 + ((n + 1) % 2)}`,
        // Beyond the pods there are, endpoints are addresses that no pod has.
        ...(n <= PODS ? { targetRef: { kind: 'Pod', name: `p${n}` } } : {}),
        ...(hostname === undefined ? {} : { hostname }),
      })),
    },
    { namespace, labels: { 'kubernetes.io/service-name': owner } },
  );

export const PODS = 6;
const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);
const ports = [
  { name: 'http', protocol: 'TCP', port: 80, targetPort: 8080 },
  { name: 'u', protocol: 'UDP', port: 90, targetPort: 9000 },
];
const dnsPorts = [{ name: 'dns', protocol: 'UDP', port: 53 }];

/** Services of every kind that has endpoints: by slices, by selector, headless, node-local, and cluster DNS. */
export const SERVICES: readonly KubeObject[] = [
  service('by-slice', { clusterIP: '172.30.0.20', ports }),
  service('by-pods', { clusterIP: '172.30.0.21', ports, selector: { app: 'a' } }),
  service('headless', { clusterIP: 'None', ports, selector: { app: 'a' } }),
  service('local', { clusterIP: '172.30.0.22', ports, internalTrafficPolicy: 'Local' }),
  service('early', {
    clusterIP: '172.30.0.23',
    ports,
    selector: { app: 'b' },
    publishNotReadyAddresses: true,
  }),
  service('dns-default', { clusterIP: '172.30.0.10', ports: dnsPorts }, 'openshift-dns'),
];
const OWNERS = ['by-slice', 'by-pods', 'headless', 'local', 'early', 'outside', 'nobody'] as const;

const nodePorts = ports.map((port, i) => ({ ...port, nodePort: 30_080 + i }));
const outside = (spec: object): KubeObject => ({
  ...service('outside', {
    type: 'LoadBalancer',
    clusterIP: '172.30.0.32',
    ports: nodePorts,
    externalIPs: ['198.51.100.7'],
    ...spec,
  }),
  status: { loadBalancer: { ingress: [{ ip: '198.51.100.20' }] } },
});
/** Services that come, go and become others: of every kind, some of which claim what others have. */
const OTHER_SERVICES: readonly KubeObject[] = [
  service('by-slice', { clusterIP: '172.30.0.20', ports, internalTrafficPolicy: 'Local' }),
  service('by-slice', { clusterIP: '172.30.0.20', ports, sessionAffinity: 'ClientIP' }),
  service('by-slice', { clusterIP: '172.30.0.30', ports: ports.slice(1) }),
  service('added', { clusterIP: '172.30.0.30', ports, selector: { app: 'a' } }),
  service('added', { clusterIP: '172.30.0.31', ports: dnsPorts, selector: { app: 'a' } }),
  service('alias', { type: 'ExternalName', externalName: 'db.example.com' }),
  service('alias', { type: 'ExternalName', externalName: 'other.example.com.' }),
  service('alias', { clusterIP: 'None', ports, selector: { app: 'b' } }),
  outside({}),
  outside({ externalTrafficPolicy: 'Local', healthCheckNodePort: 32_000 }),
  outside({ loadBalancerSourceRanges: ['203.0.113.0/24', '192.0.2.0/28'], internalTrafficPolicy: 'Local' }),
  outside({ ports: nodePorts.slice(0, 1), externalIPs: [], externalTrafficPolicy: 'Local' }),
  service('claims', { clusterIP: '172.30.0.33', ports, externalIPs: ['198.51.100.7', '198.51.100.8'] }),
  service('given', { ports }),
];

export const BASE: readonly KubeObject[] = [
  object('network.openshift.io/v1', 'ClusterNetwork', 'default', {
    clusterNetworks: [{ CIDR: '10.128.0.0/14', hostSubnetLength: 9 }],
    serviceNetwork: '172.30.0.0/16',
    pluginName: 'redhat/openshift-ovs-networkpolicy',
  }),
  node(1),
  node(2),
  namespace('web'),
  namespace('openshift-dns'),
  ...numbers(PODS).map((n) => pod(n, n % 3 !== 0)),
  ...SERVICES,
  slice('by-slice-1', 'by-slice', [
    { n: 1, isReady: true },
    { n: 2, isReady: true },
  ]),
];

const POLICIES: readonly KubeObject[] = [
  object('networking.k8s.io/v1', 'NetworkPolicy', 'deny', { spec: { podSelector: {} } }, inWeb),
  object(
    'networking.k8s.io/v1',
    'NetworkPolicy',
    'only-a',
    {
      spec: {
        podSelector: { matchLabels: { app: 'a' } },
        ingress: [{ from: [{ podSelector: { matchLabels: { app: 'b' } } }] }],
      },
    },
    inWeb,
  ),
];

const end: fc.Arbitrary<SliceEnd> = fc.record(
  {
    n: fc.integer({ min: 1, max: PODS + 6 }),
    isReady: fc.boolean(),
    isTerminating: fc.boolean(),
    hostname: fc.constantFrom('db-0', 'db-1'),
  },
  { requiredKeys: ['n', 'isReady'] },
);
const ends = fc.array(end, { maxLength: 6 });

const anySlice = fc
  .tuple(fc.constantFrom('s1', 's2', 's3', 'by-slice-1'), fc.constantFrom(...OWNERS), ends)
  .map(([name, owner, list]) => slice(name, owner, list));
const dnsSlice = ends.map((list) => slice('dns-1', 'dns-default', list, 'openshift-dns'));
const anyEndpoints = fc
  .tuple(fc.constantFrom(...OWNERS), fc.array(fc.integer({ min: 1, max: PODS }), { maxLength: 4 }))
  .map(([name, list]) =>
    object(
      'v1',
      'Endpoints',
      name,
      { subsets: [{ addresses: list.map((n) => ({ ip: podAddress(n) })), ports: PORTS }] },
      inWeb,
    ),
  );
const anyPod = fc
  .tuple(
    fc.integer({ min: 1, max: PODS }),
    fc.boolean(),
    // Labels change seldom.
    fc.constantFrom({}, {}, {}, { deletionTimestamp: '2026-01-01T00:00:00Z' }, { app: 'b' }),
  )
  .map(([n, isReady, more]) => pod(n, isReady, more));
const anyOther = fc.constantFrom(
  ...SERVICES,
  ...POLICIES,
  namespace('web', { tier: 'front' }),
  namespace('other'),
  node(0),
  object('v1', 'ConfigMap', 'settings', {}, { namespace: 'elsewhere' }),
);

/** Objects that are wrong, or do not fit to the others. */
const anyWrong = fc.constantFrom(
  { ...pod(1, true), status: { phase: 'Running', podIP: podAddress(2) } },
  { ...pod(3, true), spec: { nodeName: 'nowhere' } },
  { ...slice('s1', 'by-slice', []), endpoints: [{ addresses: ['fd00::1'] }] },
  { ...slice('s1', 'by-slice', []), ports: [{ port: 70_000 }] },
  service('thief', { clusterIP: '172.30.0.21', ports }),
  service('thief', {
    type: 'NodePort',
    clusterIP: '172.30.0.34',
    ports: [{ port: 80, nodePort: 30_080 }, { port: 80 }],
  }),
);

export const anyService = fc.constantFrom(...SERVICES, ...OTHER_SERVICES);

/** Mostly what changes often in a cluster. */
export const anyEvent: fc.Arbitrary<WatchEvent & { readonly object: KubeObject }> = fc.record({
  type: fc.constantFrom('ADDED', 'MODIFIED', 'MODIFIED', 'MODIFIED', 'DELETED'),
  object: fc.oneof(
    { weight: 6, arbitrary: anySlice },
    { weight: 4, arbitrary: anyPod },
    { weight: 2, arbitrary: anyEndpoints },
    { weight: 1, arbitrary: dnsSlice },
    { weight: 3, arbitrary: anyService },
    { weight: 2, arbitrary: anyOther },
    { weight: 1, arbitrary: anyWrong },
  ),
});
