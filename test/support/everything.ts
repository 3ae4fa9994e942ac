/** A cluster that has everything at once: node ports, external addresses, affinity, egress rules and addresses, groups,
 *  host-network pods and policies of every shape. Beside it the addresses that its traffic knows. */
import { parseIpv4 } from '../../src/addr/ipv4.js';
import { parsePrefix } from '../../src/addr/ipv4-prefix.js';
import { compile } from '../../src/compile/compile.js';
import type { Cluster, Pod } from '../../src/model/cluster.js';
import type { NetworkPolicy, PolicyMode, PolicyPeer } from '../../src/model/policy.js';
import type { Service } from '../../src/model/service.js';
import type { Epoch } from '../../src/tables/epoch.js';
import { NAMES } from './cluster.js';
import { externalCluster } from './external.js';

export const LOAD_BALANCER = '203.0.113.80';
export const EXTERNAL = '203.0.113.81';
/** Hosted by node1 and node2: web's pods leave by the first, monitoring's by the second. */
export const EGRESS_IPS = ['192.168.1.200', '192.168.1.201'] as const;
export const GROUP = '239.1.2.3';
/** Outside, and forbidden to namespace web. */
export const FORBIDDEN = '198.51.100.7';

const EVERY = { matchLabels: {}, matchExpressions: [] };
const block = (cidr: string, ...except: string[]): PolicyPeer => ({
  kind: 'block',
  prefix: parsePrefix(cidr)!,
  except: except.map((one) => parsePrefix(one)!),
});
const policy = (name: string, what: Partial<NetworkPolicy>): NetworkPolicy => ({
  namespace: 'web',
  name,
  podSelector: EVERY,
  hasIngress: true,
  hasEgress: false,
  ingress: [],
  egress: [],
  ...what,
});

const POLICIES: readonly NetworkPolicy[] = [
  policy('by-name', {
    podSelector: { matchLabels: { app: 'named' }, matchExpressions: [] },
    ingress: [{ peers: [], ports: [{ protocol: 'TCP', port: 'http', endPort: null }] }],
  }),
  policy('by-range', {
    ingress: [
      {
        peers: [{ kind: 'pods', podSelector: EVERY, namespaceSelector: EVERY }],
        ports: [
          { protocol: 'TCP', port: 8000, endPort: 8100 },
          { protocol: 'UDP', port: null, endPort: null },
        ],
      },
      { peers: [block('192.168.0.0/16', '192.168.1.102/32'), block('203.0.113.0/24')], ports: [] },
    ],
  }),
  policy('out', {
    podSelector: { matchLabels: { app: 'named' }, matchExpressions: [] },
    hasIngress: false,
    hasEgress: true,
    egress: [
      { peers: [block('0.0.0.0/0', '203.0.113.9/32')], ports: [] },
      { peers: [], ports: [{ protocol: 'UDP', port: 53, endPort: null }] },
    ],
  }),
];

const PATCHES: Readonly<Record<string, Partial<Service>>> = {
  near: { externalPolicy: 'Local', affinityTimeoutSec: 30 },
  far: {
    type: 'LoadBalancer',
    loadBalancerIps: [parseIpv4(LOAD_BALANCER)],
    externalIps: [parseIpv4(EXTERNAL)],
    sourceRanges: [parsePrefix('203.0.113.0/24')!, parsePrefix('10.128.0.0/14')!],
  },
  own: { externalIps: [parseIpv4(NAMES.n2), parseIpv4(EXTERNAL)], internalPolicy: 'Local' },
  web: { affinityTimeoutSec: 10_800 },
};

/** In multitenant mode without policies, as that mode has none. */
export function everythingCluster(mode: Cluster['mode'], policyMode: PolicyMode = 'sdn'): Cluster {
  const base = externalCluster(PATCHES, { mode, policyMode });
  const agent: Pod = {
    ...base.pods[0]!,
    namespace: 'default',
    name: 'agent',
    node: 'node1',
    address: parseIpv4(NAMES.n1),
    isHostNetwork: true,
    ports: [{ name: '', protocol: 'TCP', port: 8080 }],
    labels: {},
  };
  const pods = base.pods.map((pod) =>
    pod.name === 'a' || pod.name === 'b'
      ? {
          ...pod,
          labels: { app: 'named' },
          ports: pod.ports.map((port, i) => ({ ...port, name: i === 0 ? 'http' : 'u' })),
        }
      : pod,
  );
  const hosted = (i: number) => [parseIpv4(EGRESS_IPS[i]!)];
  const network = {
    egressPolicies: [
      {
        namespace: 'web',
        name: 'one',
        rules: [
          { isAllow: true, to: '198.51.100.8/32', prefixes: [parsePrefix('198.51.100.8/32')!] },
          { isAllow: false, to: '198.51.100.0/24', prefixes: [parsePrefix('198.51.100.0/24')!] },
        ],
      },
    ],
    egressIps: [
      { namespace: 'monitoring', addresses: hosted(1) },
      { namespace: 'web', addresses: hosted(0) },
    ],
    hostedIps: [
      { node: 'node1', addresses: hosted(0) },
      { node: 'node2', addresses: hosted(1) },
    ],
    multicast: ['monitoring', 'web'],
    fixedVnis: [],
  };
  const services = base.services.map((service) =>
    service.name === 'web'
      ? {
          ...service,
          ports: service.ports.map((port) => ({
            ...port,
            endpoints: [
              ...port.endpoints,
              { ...port.endpoints[0]!, address: parseIpv4(NAMES.n1), node: 'node1', pod: 'default/agent' },
            ],
          })),
        }
      : service,
  );
  const policies = mode === 'networkpolicy' ? [...base.policies, ...POLICIES] : base.policies;
  return { ...base, pods: [agent, ...pods], services, policies, network };
}

export const everythingEpoch = (...given: Parameters<typeof everythingCluster>): Epoch =>
  compile(everythingCluster(...given));
