/** Clusters by seed: nodes, namespaces, pods, Services and policies in random number and arrangement. */
import { parseIpv4 } from '../../src/addr/ipv4.js';
import { parsePrefix } from '../../src/addr/ipv4-prefix.js';
import type { SeededRandom } from '../../src/io/generate-random.js';
import type { Cluster, Namespace, Node, PluginMode, Pod, Protocol } from '../../src/model/cluster.js';
import type { EgressRule, NetworkObjects } from '../../src/model/network-objects.js';
import type { NetworkPolicy, PolicyPeer, PolicyPort } from '../../src/model/policy.js';
import type { Endpoint, Service } from '../../src/model/service.js';

const MODES: readonly PluginMode[] = ['networkpolicy', 'networkpolicy', 'multitenant', 'subnet'];
/** What every pod listens on. */
export const TCP_PORT = 8080;
export const UDP_PORT = 9000;

const pick = <T>(random: SeededRandom, list: readonly T[]): T => list[random.below(list.length)]!;
const EVERYTHING = { matchLabels: {}, matchExpressions: [] };

/** A cluster of 2 or 3 nodes and up to 9 pods. Only its names and numbers are random: it is always one that could be. */
export function generateCluster(random: SeededRandom): Cluster {
  const platform = random.below(4) === 0 ? 'kubernetes' : 'ocp4';
  const nodes = Array.from({ length: random.between(2, 4) }, (_, i) => nodeAt(i));
  const namespaces = ['blue', 'default', 'green', 'red'].map((name, i) => namespaceAt(random, name, i));
  const pods = nodes.flatMap((node) => podsOn(random, node, namespaces));
  pods.sort((a, b) => (`${a.namespace}/${a.name}` < `${b.namespace}/${b.name}` ? -1 : 1));
  const services = Array.from({ length: random.between(3, 7) }, (_, i) =>
    serviceAt(random, i, namespaces, pods),
  );
  services.sort((a, b) => (`${a.namespace}/${a.name}` < `${b.namespace}/${b.name}` ? -1 : 1));
  const policies = namespaces
    .filter(() => random.below(2) === 0)
    .map((namespace) => policyIn(random, namespace, pods));
  return {
    platform,
    mode: pick(random, MODES),
    policyMode: 'sdn',
    clusterNetworks: [{ prefix: parsePrefix('10.128.0.0/14')!, hostSubnetLength: 9 }],
    serviceNetworks: [parsePrefix('172.30.0.0/16')!],
    vxlanPort: random.below(4) === 0 ? 4790 : 4789,
    mtu: random.below(4) === 0 ? 1400 : 1450,
    masqueradeBit: platform === 'kubernetes' ? 14 : 0,
    dns: { address: parseIpv4('172.30.0.10'), domain: 'cluster.local' },
    nodes,
    namespaces,
    pods,
    services,
    policies,
    network: networkObjects(random, nodes, namespaces),
  };
}

/** OpenShift's own objects: who may leave the cluster, from which addresses, and who may send to groups. */
function networkObjects(
  random: SeededRandom,
  nodes: readonly Node[],
  namespaces: readonly Namespace[],
): NetworkObjects {
  const some = (chance: number) => namespaces.filter(({ vni }) => vni !== 0 && random.below(chance) === 0);
  const egressPolicies = some(2).map((namespace) => ({
    namespace: namespace.name,
    name: 'default',
    rules: Array.from({ length: random.between(1, 4) }, () => egressRule(random)),
  }));
  const egressIps = some(3).map((namespace, i) => ({
    namespace: namespace.name,
    addresses: Array.from({ length: random.between(1, 3) }, (_, j) => EGRESS_IPS + i * 8 + j),
  }));
  const hosts = nodes.map((node) => ({ node: node.name, addresses: [] as number[] }));
  // Some are hosted nowhere: what should leave by them is dropped.
  for (const address of egressIps.flatMap(({ addresses }) => addresses))
    if (random.below(5) > 0) pick(random, hosts).addresses.push(address);
  return {
    egressPolicies,
    egressIps,
    hostedIps: hosts.filter(({ addresses }) => addresses.length > 0),
    multicast: some(2).map(({ name }) => name),
    fixedVnis: nodes
      .filter(() => random.below(6) === 0)
      .map(({ name }) => ({ node: name, vni: pick(random, namespaces).vni })),
  };
}

const EGRESS_IPS = parseIpv4('192.168.1.150');

function egressRule(random: SeededRandom): EgressRule {
  const to = pick(random, ['0.0.0.0/0', '203.0.113.0/24', '203.0.113.9/32', '10.0.0.0/8', '128.0.0.0/1']);
  return { isAllow: random.below(2) === 0, to, prefixes: [parsePrefix(to)!] };
}

const nodeAt = (i: number): Node => ({
  name: `node${i + 1}`,
  address: parseIpv4(`192.168.1.${101 + i}`),
  mac: null,
  subnet: parsePrefix(`10.${128 + i}.0.0/23`)!,
  hostSubnetUid: `uid-node${i + 1}`,
  labels: {},
});

const namespaceAt = (random: SeededRandom, name: string, i: number): Namespace => ({
  name,
  labels: { name, tier: pick(random, ['front', 'back']) },
  vni: name === 'default' ? 0 : 1000 + i * 7919 + random.below(1000),
});

function podsOn(random: SeededRandom, node: Node, namespaces: readonly Namespace[]): Pod[] {
  return Array.from({ length: random.between(2, 4) }, (_, i) => ({
    namespace: pick(random, namespaces).name,
    name: `${node.name}-${i}`,
    node: node.name,
    address: node.subnet.base + 2 + i + random.below(2) * 256,
    isHostNetwork: false,
    isReady: true,
    ports: [
      { name: '', protocol: 'TCP' as const, port: TCP_PORT },
      { name: '', protocol: 'UDP' as const, port: UDP_PORT },
    ],
    labels: { app: pick(random, ['x', 'y']) },
    hostname: '',
    subdomain: '',
    dnsPolicy: 'ClusterFirst' as const,
    dnsConfig: null,
  }));
}

function serviceAt(
  random: SeededRandom,
  i: number,
  namespaces: readonly Namespace[],
  pods: readonly Pod[],
): Service {
  const chosen = pods.filter(() => random.below(3) === 0).slice(0, 4);
  const port = (name: string, protocol: Protocol, number: number, target: number) => ({
    name,
    protocol,
    port: number,
    nodePort: 0,
    endpoints: chosen.map((pod) => endpointOf(random, pod, target)),
  });
  return {
    namespace: pick(random, namespaces).name,
    name: `svc-${i}`,
    type: 'ClusterIP',
    clusterIp: parseIpv4(`172.30.${random.below(250)}.${20 + i}`),
    isHeadless: false,
    externalName: '',
    externalIps: [],
    loadBalancerIps: [],
    sourceRanges: [],
    healthCheckNodePort: 0,
    affinityTimeoutSec: 0,
    internalPolicy: random.below(4) === 0 ? 'Local' : 'Cluster',
    externalPolicy: 'Cluster',
    publishNotReady: false,
    ports: [port('http', 'TCP', 80, TCP_PORT), port('u', 'UDP', 90, UDP_PORT)],
  };
}

function endpointOf(random: SeededRandom, pod: Pod, port: number): Endpoint {
  const isTerminating = random.below(8) === 0;
  return {
    address: pod.address,
    port,
    isReady: !isTerminating,
    isServing: true,
    isTerminating,
    node: pod.node,
    hostname: '',
    pod: `${pod.namespace}/${pod.name}`,
  };
}

function policyIn(random: SeededRandom, namespace: Namespace, pods: readonly Pod[]): NetworkPolicy {
  const selector = random.below(2) === 0 ? EVERYTHING : labels({ app: 'x' });
  const rule = () => ({
    peers: random.below(4) === 0 ? [] : [peer(random, pods)],
    ports: random.below(2) === 0 ? [] : [policyPort(random)],
  });
  const rules = () => Array.from({ length: random.below(3) }, rule);
  const hasEgress = random.below(3) === 0;
  return {
    namespace: namespace.name,
    name: 'some',
    podSelector: selector,
    hasIngress: true,
    hasEgress,
    ingress: rules(),
    egress: hasEgress ? rules() : [],
  };
}

const labels = (matchLabels: Readonly<Record<string, string>>) => ({ matchLabels, matchExpressions: [] });

function peer(random: SeededRandom, pods: readonly Pod[]): PolicyPeer {
  switch (random.below(4)) {
    case 0:
      return { kind: 'pods', podSelector: labels({ app: 'y' }), namespaceSelector: null };
    case 1:
      return { kind: 'pods', podSelector: null, namespaceSelector: labels({ tier: 'front' }) };
    case 2:
      return { kind: 'pods', podSelector: EVERYTHING, namespaceSelector: null };
    default:
      return {
        kind: 'block',
        prefix: parsePrefix('10.128.0.0/15')!,
        except: [{ base: pick(random, pods).address, length: 32 }],
      };
  }
}

function policyPort(random: SeededRandom): PolicyPort {
  return random.below(2) === 0
    ? { protocol: 'TCP', port: random.below(2) === 0 ? TCP_PORT : null, endPort: null }
    : { protocol: 'UDP', port: 8990 + random.below(10), endPort: random.below(2) === 0 ? 9010 : null };
}
