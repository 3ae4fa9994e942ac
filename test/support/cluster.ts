/** The cluster that the tests walk through: two nodes, and one Service for each way a packet may take.
 *
 *  node1 192.168.1.101, 10.128.0.0/23    a (web), c (web), d (dns), s (web, no declared ports)
 *  node2 192.168.1.102, 10.129.0.0/23    b (web), e (dns), p (monitoring), v (isolated) */
import { parseIpv4 } from '../../src/addr/ipv4.js';
import { parsePrefix } from '../../src/addr/ipv4-prefix.js';
import { compile } from '../../src/compile/compile.js';
import type { Cluster, Pod, Protocol } from '../../src/model/cluster.js';
import { NO_NETWORK_OBJECTS } from '../../src/model/network-objects.js';
import type { NetworkPolicy } from '../../src/model/policy.js';
import type { Endpoint, Service } from '../../src/model/service.js';
import type { Epoch } from '../../src/tables/epoch.js';

/** Names that test tables use for addresses. */
export const NAMES = {
  a: '10.128.0.2',
  c: '10.128.0.3',
  d: '10.128.0.4',
  s: '10.128.0.5',
  b: '10.129.0.2',
  e: '10.129.0.3',
  p: '10.129.0.4',
  v: '10.129.0.5',
  g1: '10.128.0.1',
  g2: '10.129.0.1',
  n1: '192.168.1.101',
  n2: '192.168.1.102',
  web: '172.30.10.20',
  far: '172.30.10.21',
  near: '172.30.10.22',
  own: '172.30.10.23',
  none: '172.30.10.99',
  vault: '172.30.10.50',
  dns: '172.30.0.10',
  unused: '172.30.99.99',
  nobody: '10.128.0.77',
  nowhere: '10.131.0.2',
  out: '203.0.113.9',
} as const;

/** NetIDs by namespace. */
export const VNI = { web: 1001, isolated: 1002, 'openshift-dns': 1003, monitoring: 1004 } as const;

const PODS: readonly [name: keyof typeof NAMES, namespace: keyof typeof VNI, node: string, ports: string][] =
  [
    ['v', 'isolated', 'node2', 'TCP 8200'],
    ['p', 'monitoring', 'node2', 'TCP 9090'],
    ['d', 'openshift-dns', 'node1', 'UDP 5353, TCP 5353'],
    ['e', 'openshift-dns', 'node2', 'UDP 5353, TCP 5353'],
    ['a', 'web', 'node1', 'TCP 8080, UDP 9000'],
    ['b', 'web', 'node2', 'TCP 8080, UDP 9000'],
    ['c', 'web', 'node1', 'TCP 8080, UDP 9000'],
    ['s', 'web', 'node1', ''],
  ];

/** Name: namespace, Service name, then each port as `protocol port > target` and the pods behind it. */
const SERVICES: readonly [ip: keyof typeof NAMES, namespace: string, ports: string, pods: string][] = [
  ['vault', 'isolated', 'TCP 8200 > 8200', 'v'],
  ['dns', 'openshift-dns', 'dns UDP 53 > 5353, dns-tcp TCP 53 > 5353', 'd e'],
  ['far', 'web', 'http TCP 80 > 8080, u UDP 90 > 9000, shut UDP 91 > 9999, shut-t TCP 91 > 9999', 'b'],
  ['near', 'web', 'http TCP 80 > 8080, u UDP 90 > 9000', 'c'],
  ['none', 'web', 'http TCP 80 > 8080, u UDP 90 > 9000', ''],
  ['own', 'web', 'http TCP 80 > 8080, u UDP 90 > 9000', 'a'],
  ['web', 'web', 'TCP 8080 > 8080', 'a b'],
];

export const portOf = (name: string): string => {
  const pod = PODS.find(([known]) => known === name);
  if (pod !== undefined) return `pod:${pod[1]}/${name}`;
  return name.replace(/^(nic|tun)([12])$/, (_, kind: string, node: string) =>
    kind === 'nic' ? `node${node}:eth0` : `node${node}:tun0`,
  );
};

export const nodeOf = (name: string): string => PODS.find(([known]) => known === name)![2];
export const address = (name: keyof typeof NAMES): number => parseIpv4(NAMES[name]);

export interface ClusterOptions {
  readonly mode?: Cluster['mode'];
  readonly platform?: Cluster['platform'];
  readonly policyMode?: Cluster['policyMode'];
  readonly mtu?: number;
  readonly internalPolicy?: Service['internalPolicy'];
}

/** The model; networkpolicy mode on OpenShift 4 unless said otherwise. */
export function testCluster(options: ClusterOptions = {}): Cluster {
  const platform = options.platform ?? 'ocp4';
  const node = (name: string, dotted: string, subnet: string) => ({
    name,
    address: parseIpv4(dotted),
    mac: null,
    subnet: parsePrefix(subnet)!,
    hostSubnetUid: `uid-${name}`,
    labels: {},
  });
  const namespaces = ['default', ...Object.keys(VNI)].sort();
  return {
    platform,
    mode: options.mode ?? 'networkpolicy',
    policyMode: options.policyMode ?? (platform === 'kubernetes' ? 'api' : 'sdn'),
    clusterNetworks: [{ prefix: parsePrefix('10.128.0.0/14')!, hostSubnetLength: 9 }],
    serviceNetworks: [parsePrefix('172.30.0.0/16')!],
    vxlanPort: 4789,
    mtu: options.mtu ?? 1450,
    masqueradeBit: platform === 'kubernetes' ? 14 : 0,
    dns: { address: address('dns'), domain: 'cluster.local' },
    nodes: [node('node1', NAMES.n1, '10.128.0.0/23'), node('node2', NAMES.n2, '10.129.0.0/23')],
    namespaces: namespaces.map((name) => ({
      name,
      labels: {},
      vni: name === 'default' ? 0 : VNI[name as keyof typeof VNI],
    })),
    pods: PODS.map(testPod),
    services: SERVICES.map((row) => testService(row, options.internalPolicy ?? 'Cluster')),
    policies: [DENY_ALL],
    network: NO_NETWORK_OBJECTS,
  };
}

/** The same, compiled. */
export const testEpoch = (options: ClusterOptions = {}): Epoch => compile(testCluster(options));

/** Whole-namespace isolation: every pod of `isolated`, nothing allowed in. */
const DENY_ALL: NetworkPolicy = {
  namespace: 'isolated',
  name: 'deny-all',
  podSelector: { matchLabels: {}, matchExpressions: [] },
  hasIngress: true,
  hasEgress: false,
  ingress: [],
  egress: [],
};

function testPod([name, namespace, node, ports]: (typeof PODS)[number]): Pod {
  return {
    namespace,
    name,
    node,
    address: address(name),
    isHostNetwork: false,
    isReady: true,
    ports: [...ports.matchAll(/(\w+) (\d+)/g)].map(([, protocol, port]) => ({
      name: '',
      protocol: protocol as Protocol,
      port: Number(port),
    })),
    labels: {},
    hostname: '',
    subdomain: '',
    dnsPolicy: 'ClusterFirst',
    dnsConfig: null,
  };
}

function testService(
  [name, namespace, ports, pods]: (typeof SERVICES)[number],
  internalPolicy: Service['internalPolicy'],
): Service {
  const behind = (port: number): Endpoint[] =>
    pods
      .split(' ')
      .filter(Boolean)
      .map((pod) => ({
        address: address(pod as keyof typeof NAMES),
        port,
        isReady: true,
        isServing: true,
        isTerminating: false,
        node: nodeOf(pod),
        hostname: '',
        pod: portOf(pod).slice(4),
      }));
  return {
    namespace,
    name: name === 'dns' ? 'dns-default' : name,
    type: 'ClusterIP',
    clusterIp: address(name),
    isHeadless: false,
    externalName: '',
    externalIps: [],
    loadBalancerIps: [],
    sourceRanges: [],
    healthCheckNodePort: 0,
    affinityTimeoutSec: 0,
    internalPolicy,
    externalPolicy: 'Cluster',
    publishNotReady: false,
    ports: [...ports.matchAll(/(?:([a-z-]+) )?([A-Z]+) (\d+) > (\d+)/g)].map(
      ([, portName, protocol, port, target]) => ({
        name: portName ?? '',
        protocol: protocol as Protocol,
        port: Number(port),
        nodePort: 0,
        endpoints: behind(Number(target)),
      }),
    ),
  };
}
