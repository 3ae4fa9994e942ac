/** Node subnets: OpenShift's order, and what nodes get that come without one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatPrefix } from '../../src/addr/ipv4.js';
import { parsePrefix } from '../../src/addr/ipv4-prefix.js';
import { overlaps, SubnetAllocator, subnetAt } from '../../src/manifests/subnets.js';
import { loadTexts } from './support.js';

const entry = (network: string, hostSubnetLength: number) => ({
  prefix: parsePrefix(network)!,
  hostSubnetLength,
});

const ORDERS: { why: string; network: string; hostBits: number; gives: string[] }[] = [
  {
    why: 'bits rotate, so that the octet that nodes share with pods stays zero first',
    network: '10.128.0.0/14',
    hostBits: 9,
    gives:
      '10.128.0.0 10.129.0.0 10.130.0.0 10.131.0.0 10.128.2.0 10.129.2.0 10.130.2.0 10.131.2.0 10.128.4.0 10.129.4.0'.split(
        ' ',
      ),
  },
  {
    why: 'whole octets count up',
    network: '10.1.0.0/16',
    hostBits: 8,
    gives: ['10.1.0.0', '10.1.1.0', '10.1.2.0'],
  },
  {
    why: 'within one octet they count up',
    network: '10.1.0.0/24',
    hostBits: 6,
    gives: ['10.1.0.0', '10.1.0.64', '10.1.0.128', '10.1.0.192'],
  },
  {
    why: 'six host bits over an octet’s edge',
    network: '10.1.0.0/16',
    hostBits: 6,
    gives: ['10.1.0.0', '10.1.1.0', '10.1.2.0'],
  },
];

for (const { why, network, hostBits, gives } of ORDERS) {
  test(`subnets in order: ${why}`, () => {
    const found = gives.map((_, index) => formatPrefix(subnetAt(entry(network, hostBits), index)!));
    assert.deepEqual(
      found,
      gives.map((base) => `${base}/${32 - hostBits}`),
    );
  });
}

test('every subnet of a cluster network comes once, and none after the last', () => {
  const shapes = fc.tuple(fc.integer({ min: 2, max: 16 }), fc.integer({ min: 0, max: 10 }));
  fc.assert(
    fc.property(shapes, ([hostBits, subnetBits]) => {
      const network = {
        prefix: { base: 0x40000000, length: 32 - hostBits - subnetBits },
        hostSubnetLength: hostBits,
      };
      const bases = new Set<number>();
      for (let index = 0; index < 2 ** subnetBits; index++) bases.add(subnetAt(network, index)!.base);
      assert.equal(bases.size, 2 ** subnetBits);
      assert.ok([...bases].every((base) => overlaps(network.prefix, { base, length: 32 })));
      assert.equal(subnetAt(network, 2 ** subnetBits), null);
    }),
  );
});

test('the allocator leaves out what is taken and goes on in the next network', () => {
  const networks = [entry('10.0.0.0/23', 8), entry('10.9.0.0/24', 8)];
  const allocator = new SubnetAllocator(networks, [parsePrefix('10.0.0.128/25')!]);
  const found = [allocator.next(), allocator.next(), allocator.next()].map(
    (subnet) => subnet && formatPrefix(subnet),
  );
  assert.deepEqual(found, ['10.0.1.0/24', '10.9.0.0/24', null]);
});

const node = (name: string, host: number, podCidr = ''): string =>
  `apiVersion: v1\nkind: Node\nmetadata: { name: ${name} }\nspec: { podCIDR: "${podCidr}" }\n` +
  `status: { addresses: [{ type: Hostname, address: ${name} }, { type: InternalIP, address: "fd00::${host}" }, { type: InternalIP, address: 192.168.1.${host} }] }\n`;
const hostSubnet = (name: string, host: number, subnet: string): string =>
  `apiVersion: network.openshift.io/v1\nkind: HostSubnet\nmetadata: { name: ${name}, uid: u-${name} }\nhost: ${name}\nhostIP: 192.168.1.${host}\nsubnet: ${subnet}\n`;

const subnetsOf = async (...texts: string[]): Promise<string[]> =>
  (await loadTexts(texts)).cluster.nodes.map((found) => `${found.name} ${formatPrefix(found.subnet)}`);

test('a node’s subnet is its HostSubnet’s, else its podCIDR, else the next free one', async () => {
  const found = await subnetsOf(
    node('b', 2),
    node('a', 1, '10.129.0.0/23'),
    node('c', 3, '10.131.0.0/23'),
    hostSubnet('c', 3, '10.128.0.0/23'),
    node('d', 4),
  );
  assert.deepEqual(found, ['a 10.129.0.0/23', 'b 10.130.0.0/23', 'c 10.128.0.0/23', 'd 10.131.0.0/23']);
});

test('a HostSubnet alone makes a node, and its uid is kept for its flows', async () => {
  const { cluster } = await loadTexts([hostSubnet('x', 9, '10.130.4.0/23')]);
  assert.equal(cluster.nodes[0]?.hostSubnetUid, 'u-x');
  assert.equal(cluster.platform, 'ocp4');
});

test('a node without an IPv4 address is left out with its pods, and that is no error', async () => {
  const lonely = 'apiVersion: v1\nkind: Node\nmetadata: { name: v6 }\n';
  const pod =
    'apiVersion: v1\nkind: Pod\nmetadata: { name: p }\nspec: { nodeName: v6 }\nstatus: { podIP: 10.128.0.2 }\n';
  const { cluster, notes } = await loadTexts([lonely, pod]);
  assert.deepEqual(cluster.nodes, []);
  assert.deepEqual(cluster.pods, []);
  assert.deepEqual(notes, ['node v6 has no IPv4 address and is left out, with its pods']);
});

test('a cluster network with no room left is an error', async () => {
  const network =
    'apiVersion: network.openshift.io/v1\nkind: ClusterNetwork\nmetadata: { name: default }\nclusterNetworks: [{ CIDR: 10.0.0.0/24, hostSubnetLength: 8 }]\n';
  await assert.rejects(
    loadTexts([network, node('a', 1), node('b', 2)]),
    /Node b: spec: no node subnet left in 10.0.0.0\/24/,
  );
});
