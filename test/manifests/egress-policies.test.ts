/** EgressNetworkPolicies: networks, DNS names, and what is said of those that OpenShift would not take as they are. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatPrefix } from '../../src/addr/ipv4.js';
import { loadWith, problemLines } from './support.js';

const text = (name: string, egress: string, metadata = ''): string =>
  `apiVersion: network.openshift.io/v1\nkind: EgressNetworkPolicy\nmetadata: { name: ${name}, namespace: web${metadata} }\nspec: { egress: [${egress}] }\n`;

const netNamespace = (name: string, netid: number): string =>
  `apiVersion: network.openshift.io/v1\nkind: NetNamespace\nmetadata: { name: ${name} }\nnetname: ${name}\nnetid: ${netid}\n`;

const rule = (type: string, to: string): string => `{ type: ${type}, to: { ${to} } }`;
const ADDRESSES =
  ", annotations: { podplane/addresses: 'Www.Example.com.=203.0.113.7,203.0.113.8 b.example=198.51.100.1' }";

const READS: { why: string; texts: string[]; gives: string[]; notes: string[] }[] = [
  {
    why: 'networks, in their order, host bits cleared',
    texts: [
      text(
        'one',
        [rule('Allow', 'cidrSelector: 10.1.2.3/8'), rule('Deny', 'cidrSelector: 0.0.0.0/0')].join(),
      ),
    ],
    gives: ['Allow 10.0.0.0/8', 'Deny 0.0.0.0/0'],
    notes: [],
  },
  {
    why: '0.0.0.0/32 is the usual mistake',
    texts: [text('one', rule('Deny', 'cidrSelector: 0.0.0.0/32'))],
    gives: ['Deny 0.0.0.0/0'],
    notes: ['EgressNetworkPolicies that say 0.0.0.0/32 are taken to mean 0.0.0.0/0, as OpenShift does'],
  },
  {
    why: 'a name by the annotation, whatever its case and last dot',
    texts: [text('one', rule('Allow', 'dnsName: www.example.com'), ADDRESSES)],
    gives: ['Allow 203.0.113.7/32 203.0.113.8/32'],
    notes: [],
  },
  {
    why: 'names that nothing tells the addresses of',
    texts: [
      text(
        'one',
        [rule('Allow', 'dnsName: c.example'), rule('Deny', 'dnsName: d.example')].join(),
        ADDRESSES,
      ),
    ],
    gives: ['Allow', 'Deny'],
    notes: [
      'rules of EgressNetworkPolicies without effect, as nothing tells what their DNS name resolves to: 2',
    ],
  },
  {
    why: 'IPv6',
    texts: [text('one', rule('Deny', "cidrSelector: '2001:db8::/32'"))],
    gives: ['Deny'],
    notes: ['rules of EgressNetworkPolicies without effect, as their network is IPv6: 1'],
  },
  {
    why: 'two in a namespace',
    texts: [text('one', ''), text('two', '')],
    gives: [],
    notes: ['one', 'two'].map(
      (name) =>
        `EgressNetworkPolicy web/${name} is not the only one of its namespace, so nothing may leave from there`,
    ),
  },
  {
    why: 'a shared NetID',
    texts: [text('one', ''), netNamespace('web', 7), netNamespace('shop', 7)],
    gives: [],
    notes: ['EgressNetworkPolicy web/one: NetID 7 is shared, so nothing may leave from its namespaces'],
  },
  {
    why: 'the global network',
    texts: [text('one', ''), netNamespace('web', 0)],
    gives: [],
    notes: ['EgressNetworkPolicy web/one is ignored: its namespace is global'],
  },
];

for (const { why, texts, gives, notes } of READS)
  test(`egress policies: ${why}`, async () => {
    const live = await loadWith(...texts);
    const words = live.cluster.network.egressPolicies.flatMap(({ rules }) =>
      rules.map(({ isAllow, prefixes }) =>
        [isAllow ? 'Allow' : 'Deny', ...prefixes.map(formatPrefix)].join(' '),
      ),
    );
    assert.deepEqual(words, gives);
    assert.deepEqual(
      live.notes.filter((note) => note.includes('Egress')),
      notes,
    );
  });

test('a wrong rule and a wrong annotation are told with their place', async () => {
  assert.deepEqual(await problemLines(text('one', rule('Forbid', 'dnsName: a.example'))), [
    'in.yaml:4: EgressNetworkPolicy web/one: spec.egress[0].type: "Forbid", would do: Allow or Deny',
  ]);
  for (const item of ['x=1.2.3', 'x=1.2.3.4=5.6.7.8']) {
    const [line] = await problemLines(text('one', '', `, annotations: { podplane/addresses: '${item}' }`));
    const wanted = 'name=address,address, such as example.com=203.0.113.7';
    assert.ok(line?.endsWith(`"${item}", would do: ${wanted}`), line);
  }
});

test('a DNS name is one, by the pattern of the API', async () => {
  for (const name of ['a b', 'a..b', '.a', 'a_b.example', '*.example'])
    assert.deepEqual(await problemLines(text('one', rule('Deny', `dnsName: '${name}'`))), [
      `in.yaml:4: EgressNetworkPolicy web/one: spec.egress[0].to.dnsName: "${name}", would do: a DNS name, such as www.example.com`,
    ]);
  for (const name of ['a', 'WWW.Example.com.', '1.2.3.4', '-a-.b'])
    assert.deepEqual(await problemLines(text('one', rule('Deny', `dnsName: '${name}'`))), []);
});

test('a rule has one destination, neither two nor none', async () => {
  for (const to of ['', "cidrSelector: ''", 'cidrSelector: 10.0.0.0/8, dnsName: a.example'])
    assert.deepEqual(await problemLines(text('one', rule('Deny', to))), [
      'in.yaml:4: EgressNetworkPolicy web/one: spec.egress[0].to: a mapping, would do: one of cidrSelector and dnsName',
    ]);
});
