/** NetNamespaces and HostSubnets: egress addresses, and who may send to groups. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatIpv4 } from '../../src/addr/ipv4.js';
import { loadWith, problemLines } from './support.js';

const netNamespace = (name: string, metadata: string, more = ''): string =>
  `apiVersion: network.openshift.io/v1\nkind: NetNamespace\nmetadata: { name: ${name}${metadata} }\nnetname: ${name}\nnetid: 7\n${more}`;
const hostSubnet = (name: string, more: string): string =>
  `apiVersion: network.openshift.io/v1\nkind: HostSubnet\nmetadata: { name: ${name} }\nhostIP: 192.168.1.9\nsubnet: 10.130.0.0/23\n${more}`;

const FIXED = 'pod.network.openshift.io/fixed-vnid-host';
const MULTICAST = 'netnamespace.network.openshift.io/multicast-enabled';

test('egress addresses keep their order; empty lists are left out', async () => {
  const { cluster, notes } = await loadWith(
    netNamespace('web', '', "egressIPs: ['192.168.1.201', '192.168.1.200']\n"),
    netNamespace('idle', '', 'egressIPs: []\n').replace('netid: 7', 'netid: 8'),
    hostSubnet('n3', "egressIPs: ['192.168.1.200']\n"),
  );
  const { egressIps, hostedIps } = cluster.network;
  const words = (addresses: readonly number[]): string => addresses.map(formatIpv4).join(' ');
  assert.deepEqual(
    egressIps.map(({ namespace, addresses }) => `${namespace}: ${words(addresses)}`),
    ['web: 192.168.1.201 192.168.1.200'],
  );
  assert.deepEqual(
    hostedIps.map(({ node, addresses }) => `${node}: ${words(addresses)}`),
    ['n3: 192.168.1.200'],
  );
  assert.deepEqual(
    notes.filter((note) => note.startsWith('egress address')),
    [],
  );
});

test('egress addresses that no node can take beside its own are noted', async () => {
  const { notes } = await loadWith(
    netNamespace('web', '', "egressIPs: ['192.168.1.1', '10.129.0.7', '172.30.0.9', '192.168.1.200']\n"),
    hostSubnet('n3', "egressIPs: ['192.168.1.1', '192.168.1.9', '10.129.0.7']\n"),
  );
  assert.deepEqual(
    notes.filter((note) => note.startsWith('egress address')),
    [
      'egress address 10.129.0.7 lies in a pod or Service network, where no node has its NIC: it is not put on one, and packets leave masqueraded',
      'egress address 172.30.0.9 lies in a pod or Service network, where no node has its NIC: it is not put on one, and packets leave masqueraded',
      "egress address 192.168.1.1 is node n1's own: it is not put on a node, and packets leave masqueraded",
      "egress address 192.168.1.9 is node n3's own: it is not put on a node, and packets leave masqueraded",
    ],
  );
});

test('egressCIDRs without addresses are noted: the master would give it some', async () => {
  const { notes } = await loadWith(hostSubnet('n3', "egressCIDRs: ['192.168.1.0/24']\n"));
  assert.ok(
    notes.some((note) => note.startsWith('HostSubnets with egressCIDRs alone')),
    notes.join('\n'),
  );
});

for (const [value, isEnabled] of [
  ["'true'", true],
  ["'True'", false],
  ["''", false],
] as const)
  test(`multicast: the annotation says ${value}`, async () => {
    const { cluster } = await loadWith(netNamespace('web', `, annotations: { ${MULTICAST}: ${value} }`));
    assert.deepEqual(cluster.network.multicast, isEnabled ? ['web'] : []);
  });

test('a fixed NetID is read from its annotation, and must be one', async () => {
  const annotated = (text: string): string =>
    hostSubnet('n3', '').replace('{ name: n3 }', `{ name: n3, annotations: { ${FIXED}: '${text}' } }`);
  const { cluster } = await loadWith(annotated('4660'));
  assert.deepEqual(cluster.network.fixedVnis, [{ node: 'n3', vni: 4660 }]);
  const [line] = await problemLines(annotated('16777216'));
  assert.match(line!, /"16777216", would do: a NetID from 0 to 16777215$/);
});

test('what is no IPv4 address is told with its place, as the pattern of the API has it', async () => {
  const wanted = 'would do: an IPv4 address, such as 192.168.1.200';
  for (const text of ['x', '', '2001:db8::1', '192.168.1.0/24']) {
    assert.deepEqual(await problemLines(netNamespace('web', '', `egressIPs: ['${text}']\n`)), [
      `in.yaml:6: NetNamespace web: egressIPs[0]: "${text}", ${wanted}`,
    ]);
    assert.deepEqual(await problemLines(hostSubnet('n3', `egressIPs: ['${text}']\n`)), [
      `in.yaml:6: HostSubnet n3: egressIPs[0]: "${text}", ${wanted}`,
    ]);
  }
});
