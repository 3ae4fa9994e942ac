/** EgressNetworkPolicy: br0's table 100 on the pod's node, and the Services that the proxy empties for it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseIpv4 } from '../../src/addr/ipv4.js';
import { parsePrefix } from '../../src/addr/ipv4-prefix.js';
import { compile } from '../../src/compile/compile.js';
import type { Cluster } from '../../src/model/cluster.js';
import type { EgressPolicy } from '../../src/model/network-objects.js';
import type { Epoch } from '../../src/tables/epoch.js';
import { cases, endOf } from '../support/cases.js';
import { type ClusterOptions, testCluster } from '../support/cluster.js';
import { Journey, type Outcome } from '../support/journey.js';

const OUT = 'node1: eth0 br0[0 0 20 27 30 31 99 100';

/** `Deny 10.0.0.0/8`, `Allow name = 203.0.113.9 …`. */
function policy(namespace: string, name: string, ...rules: string[]): EgressPolicy {
  return {
    namespace,
    name,
    rules: rules.map((rule) => {
      const [, type, to, list] = /^(\w+) (\S+)(?: =(.*))?$/.exec(rule) as unknown as string[];
      const prefixes =
        list === undefined
          ? [parsePrefix(to!)!]
          : list
              .split(' ')
              .filter(Boolean)
              .map((dotted) => ({ base: parseIpv4(dotted), length: 32 }));
      return { isAllow: type === 'Allow', to: to!, prefixes };
    }),
  };
}

const clusterWith = (egressPolicies: EgressPolicy[], options: ClusterOptions = {}): Cluster => ({
  ...testCluster(options),
  network: { ...testCluster().network, egressPolicies },
});
const epochWith = (...policies: EgressPolicy[]): Epoch => compile(clusterWith(policies));

/** The rule of table 100 that the packet met. */
const ruleOf = ({ trace }: Outcome): string | undefined =>
  trace?.hops.find((hop) => hop.table === 100)?.rule?.object;

const WEB = policy(
  'web',
  'egress',
  'Allow 203.0.113.8/29',
  'Deny 203.0.113.0/24',
  'Allow 198.51.100.7/32',
  'Deny 0.0.0.0/0',
);

cases('the first rule that has the destination decides', epochWith(WEB), [
  {
    why: 'allowed by the first',
    at: 'a',
    in: 'a:40000 > out:443 SYN',
    ends: 'left nic1',
    path: `${OUT} 101] tun0 netfilter eth0`,
  },
  {
    why: 'its answer is from outside and meets no such rule',
    at: 'nic1',
    in: 'out:443 > n1:40000 SYNACK',
    via: 'router > nic1',
    ends: 'delivered a',
  },
  {
    why: 'denied by the second, in silence',
    at: 'a',
    in: 'a:40000 > 203.0.113.1:443 SYN',
    ends: 'dropped egress-firewall',
    path: `${OUT}]`,
  },
  { why: 'allowed by the third', at: 'a', in: 'a:40000 > 198.51.100.7:443 SYN', ends: 'left nic1' },
  {
    why: 'denied with all the rest',
    at: 'a',
    in: 'a:40000 > 198.51.100.8:53 udp "q"',
    ends: 'dropped egress-firewall',
  },
  { why: 'a ping as well', at: 'a', in: 'a:7 > 198.51.100.8 ping', ends: 'dropped egress-firewall' },
  {
    why: 'from a pod on the other node',
    at: 'b',
    in: 'b:40000 > 198.51.100.8:53 udp "q"',
    ends: 'dropped egress-firewall',
  },
  { why: 'pods do not leave the cluster', at: 'a', in: 'a:40000 > b:8080 SYN', ends: 'delivered b' },
  { why: 'nor do Services', at: 'a', in: 'a:40001 > far:80 SYN', ends: 'delivered b' },
  { why: 'nor does the gateway', at: 'a', in: 'a:7 > g1 ping', ends: 'delivered tun1' },
  {
    why: 'DNS of the pod’s own node is let through by table 99',
    at: 'a',
    in: 'a:40000 > n1:53 udp "q"',
    ends: 'delivered tun1',
    path: 'node1: eth0 br0[0 0 20 27 30 31 99] tun0 netfilter host',
  },
  {
    why: 'another port of it is not',
    at: 'a',
    in: 'a:40000 > n1:54 udp "q"',
    ends: 'dropped egress-firewall',
  },
  {
    why: 'nor is another node’s DNS',
    at: 'a',
    in: 'a:40000 > n2:53 udp "q"',
    ends: 'dropped egress-firewall',
  },
  { why: 'other namespaces are free', at: 'p', in: 'p:40000 > 198.51.100.8:53 udp "q"', ends: 'left nic2' },
  { why: 'and so is the node', at: 'tun1', in: 'n1:40000 > 198.51.100.8:53 udp "q"', ends: 'left nic1' },
]);

test('a denial and an allowance name the policy, the rule, and what it says', () => {
  const journey = new Journey(epochWith(WEB));
  const rule = (text: string): string | undefined => ruleOf(journey.send('a', text)[0]!);
  assert.equal(
    rule('a:1 > 203.0.113.1:443 SYN'),
    'EgressNetworkPolicy web/egress rule 2: Deny 203.0.113.0/24',
  );
  assert.equal(
    rule('a:1 > 203.0.113.9:443 SYN'),
    'EgressNetworkPolicy web/egress rule 1: Allow 203.0.113.8/29',
  );
  assert.equal(rule('a:1 > 198.51.100.8:443 SYN'), 'EgressNetworkPolicy web/egress rule 4: Deny 0.0.0.0/0');
});

cases(
  'a DNS name is its addresses; without any the rule is not there',
  epochWith(
    policy(
      'web',
      'names',
      'Allow a.example = 203.0.113.9 203.0.113.10',
      'Allow b.example =',
      'Deny 0.0.0.0/0',
    ),
  ),
  [
    { why: 'the first address', at: 'a', in: 'a:1 > 203.0.113.9:443 SYN', ends: 'left nic1' },
    { why: 'the second', at: 'a', in: 'a:1 > 203.0.113.10:443 SYN', ends: 'left nic1' },
    { why: 'no address', at: 'a', in: 'a:1 > 203.0.113.11:443 SYN', ends: 'dropped egress-firewall' },
  ],
);

cases(
  'two policies in one namespace: nothing leaves',
  epochWith(policy('web', 'one', 'Allow 0.0.0.0/0'), policy('web', 'two', 'Allow 0.0.0.0/0')),
  [
    { why: 'allowed by both', at: 'a', in: 'a:1 > out:443 SYN', ends: 'dropped egress-firewall' },
    { why: 'another namespace', at: 'p', in: 'p:1 > out:443 SYN', ends: 'left nic2' },
  ],
);

/** Namespace monitoring has the NetID of web. */
function joined(cluster: Cluster): Cluster {
  const vni = cluster.namespaces.find(({ name }) => name === 'web')!.vni;
  const namespaces = cluster.namespaces.map((one) => (one.name === 'monitoring' ? { ...one, vni } : one));
  return { ...cluster, namespaces };
}

cases(
  'a policy where the NetID is shared: nothing leaves from all of them',
  compile(joined(clusterWith([policy('web', 'one', 'Allow 0.0.0.0/0')], { mode: 'multitenant' }))),
  [
    { why: 'from its own namespace', at: 'a', in: 'a:1 > out:443 SYN', ends: 'dropped egress-firewall' },
    { why: 'from the one that joined', at: 'p', in: 'p:1 > out:443 SYN', ends: 'dropped egress-firewall' },
    { why: 'from others it does', at: 'v', in: 'v:1 > out:443 SYN', ends: 'left nic2' },
  ],
);

for (const mode of ['multitenant', 'subnet'] as const)
  cases(
    `${mode}: a policy of the global network is ignored`,
    compile(
      (() => {
        const cluster = clusterWith([policy('web', 'one', 'Deny 0.0.0.0/0')], { mode });
        const namespaces = cluster.namespaces.map((one) =>
          mode === 'subnet' || one.name === 'web' ? { ...one, vni: 0 } : one,
        );
        return { ...cluster, namespaces };
      })(),
    ),
    [{ why: 'it leaves', at: 'a', in: 'a:1 > out:443 SYN', ends: 'left nic1' }],
  );

/** Service `none` of namespace web gets endpoints by hand. */
function withEndpoints(cluster: Cluster, ...dotted: string[]): Cluster {
  const services = cluster.services.map((service) =>
    service.name !== 'none'
      ? service
      : {
          ...service,
          ports: service.ports.map((port) => ({
            ...port,
            endpoints: dotted.map((text) => ({
              address: parseIpv4(text),
              port: 80,
              isReady: true,
              isServing: true,
              isTerminating: false,
              node: '',
              hostname: '',
              pod: '',
            })),
          })),
        },
  );
  return { ...cluster, services };
}

const DENIES_ONE = policy('web', 'one', 'Deny 203.0.113.9/32');
const BY_HAND: { why: string; policies: EgressPolicy[]; endpoints: string[]; ends: string }[] = [
  { why: 'no policy', policies: [], endpoints: ['203.0.113.9'], ends: 'left node1:eth0' },
  {
    why: 'a denied endpoint',
    policies: [DENIES_ONE],
    endpoints: ['203.0.113.9'],
    ends: 'rejected endpoints-denied',
  },
  {
    why: 'one of two denied: all are kept from the proxy',
    policies: [DENIES_ONE],
    endpoints: ['203.0.113.8', '203.0.113.9'],
    ends: 'rejected endpoints-denied',
  },
  { why: 'none denied', policies: [DENIES_ONE], endpoints: ['203.0.113.8'], ends: 'left node1:eth0' },
  {
    why: 'two policies: whatever is outside',
    policies: [policy('web', 'one', 'Allow 0.0.0.0/0'), policy('web', 'two', 'Allow 0.0.0.0/0')],
    endpoints: ['203.0.113.8'],
    ends: 'rejected endpoints-denied',
  },
  {
    why: 'endpoints inside the cluster are never looked at',
    policies: [policy('web', 'one', 'Deny 0.0.0.0/0')],
    endpoints: ['10.128.0.3'],
    ends: 'delivered pod:web/c',
  },
  {
    why: 'a policy of another namespace',
    policies: [policy('monitoring', 'one', 'Deny 0.0.0.0/0')],
    endpoints: ['203.0.113.9'],
    ends: 'left node1:eth0',
  },
];

for (const { why, policies, endpoints, ends } of BY_HAND)
  test(`Endpoints written by hand: ${why}`, () => {
    const cluster = withEndpoints(clusterWith(policies), ...endpoints);
    const pods = cluster.pods.map((pod) => ({ ...pod, ports: [] }));
    const [first] = new Journey(compile({ ...cluster, pods })).send('a', 'a:40000 > none:80 SYN');
    assert.equal(endOf(first!), ends);
  });
