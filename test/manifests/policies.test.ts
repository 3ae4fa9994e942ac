/** NetworkPolicies: defaults, peers, ports, and what is left out of them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatPrefix } from '../../src/addr/ipv4.js';
import type { NetworkPolicy, PolicyPeer } from '../../src/model/policy.js';
import { loadWith, problemLines } from './support.js';

const policy = (spec: string): string =>
  `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: { name: np, namespace: web }\nspec: { ${spec} }\n`;

const read = async (spec: string): Promise<NetworkPolicy> =>
  (await loadWith(policy(spec))).cluster.policies[0]!;

const DIRECTIONS: { why: string; spec: string; gives: string }[] = [
  { why: 'no types, no rules', spec: 'podSelector: {}', gives: 'ingress' },
  { why: 'no types, an egress rule', spec: 'podSelector: {}, egress: [{}]', gives: 'ingress egress' },
  { why: 'no types, an empty list of egress rules', spec: 'podSelector: {}, egress: []', gives: 'ingress' },
  { why: 'types are named', spec: 'podSelector: {}, policyTypes: [Egress]', gives: 'egress' },
];

for (const { why, spec, gives } of DIRECTIONS) {
  test(`directions: ${why}`, async () => {
    const { hasIngress, hasEgress } = await read(spec);
    assert.equal([hasIngress ? 'ingress' : '', hasEgress ? 'egress' : ''].join(' ').trim(), gives);
  });
}

const peerWords = (peer: PolicyPeer): string => {
  if (peer.kind === 'block')
    return `${formatPrefix(peer.prefix)} but ${peer.except.map(formatPrefix).join(' ')}`;
  return JSON.stringify([peer.podSelector?.matchLabels ?? null, peer.namespaceSelector?.matchLabels ?? null]);
};

/** Rules as their peers; `all` where a rule has none. */
const PEERS: { why: string; ingress: string; gives: string[][] }[] = [
  { why: 'no rule', ingress: '[]', gives: [] },
  { why: 'an empty rule means every peer', ingress: '[{}]', gives: [['all']] },
  {
    why: 'selectors',
    ingress: '[{ from: [{ podSelector: { matchLabels: { a: b } } }, { namespaceSelector: {} }] }]',
    gives: [['[{"a":"b"},null]', '[null,{}]']],
  },
  {
    why: 'a block with holes',
    ingress: '[{ from: [{ ipBlock: { cidr: 10.0.0.0/8, except: [10.1.0.0/16, "fd00::/8"] } }] }]',
    gives: [['10.0.0.0/8 but 10.1.0.0/16']],
  },
  {
    why: 'an IPv6 block beside another peer',
    ingress: '[{ from: [{ ipBlock: { cidr: "fd00::/8" } }, { podSelector: {} }] }]',
    gives: [['[{},null]']],
  },
  {
    why: 'a rule of IPv6 alone goes, rather than turn into every peer',
    ingress: '[{ from: [{ ipBlock: { cidr: "fd00::/8" } }] }]',
    gives: [],
  },
];

for (const { why, ingress, gives } of PEERS) {
  test(`peers: ${why}`, async () => {
    const { ingress: rules } = await read(`podSelector: {}, ingress: ${ingress}`);
    assert.deepEqual(
      rules.map((rule) => (rule.peers.length === 0 ? ['all'] : rule.peers.map(peerWords))),
      gives,
    );
  });
}

test('ports: protocol TCP by default, number, name, range, or all', async () => {
  const { egress } = await read(
    'podSelector: {}, egress: [{ ports: [{ port: 80 }, { port: web }, { protocol: UDP }, { port: 1000, endPort: 2000 }] }]',
  );
  assert.deepEqual(egress[0]!.ports, [
    { protocol: 'TCP', port: 80, endPort: null },
    { protocol: 'TCP', port: 'web', endPort: null },
    { protocol: 'UDP', port: null, endPort: null },
    { protocol: 'TCP', port: 1000, endPort: 2000 },
  ]);
});

test('match expressions are kept as they are', async () => {
  const { podSelector } = await read(
    'podSelector: { matchExpressions: [{ key: a, operator: In, values: [x] }, { key: b, operator: Exists }] }',
  );
  assert.deepEqual(podSelector.matchExpressions, [
    { key: 'a', operator: 'In', values: ['x'] },
    { key: 'b', operator: 'Exists', values: [] },
  ]);
});

/** What the API server refuses, and what is told of it. */
const REFUSED: readonly [ingress: string, says: string][] = [
  ['ports: [{ port: 80, endPort: 70 }]', 'ports[0].endPort: 70 (a number), would do: a port from 80 on'],
  [
    'ports: [{ port: web, endPort: 90 }]',
    'ports[0].endPort: 90 (a number), would do: nothing, as port is no number',
  ],
  ['ports: [{ endPort: 90 }]', 'ports[0].endPort: 90 (a number), would do: nothing, as port is no number'],
  ['from: [{}]', 'from[0]: a mapping, would do: selectors, or an ipBlock alone'],
  [
    'from: [{ podSelector: {}, ipBlock: { cidr: 10.0.0.0/8 } }]',
    'from[0]: a mapping, would do: selectors, or an ipBlock alone',
  ],
  ...['operator: In', 'operator: Exists, values: [x]'].map((expression): [string, string] => [
    `from: [{ podSelector: { matchExpressions: [{ key: a, ${expression} }] } }]`,
    'from[0].podSelector.matchExpressions[0]: a mapping, would do: values for In and NotIn, none for Exists and DoesNotExist',
  ]),
];

for (const [ingress, says] of REFUSED)
  test(`refused: ${ingress}`, async () => {
    const lines = await problemLines(policy(`podSelector: {}, ingress: [{ ${ingress} }]`));
    assert.deepEqual(
      lines.map((line) => line.replace(/^.*ingress\[0\]\./, '')),
      [says],
    );
  });
