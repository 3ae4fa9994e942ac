/** Nodes: address, subnet, labels, out of Node and HostSubnet objects. */
import { formatIpv4, formatPrefix, type Ipv4Prefix, parseIpv4, prefixContains } from '../addr/ipv4.js';
import { parsePrefix } from '../addr/ipv4-prefix.js';
import { type Mac, parseMac } from '../addr/mac.js';
import type { Node } from '../model/cluster.js';
import { compare, type Entry, type Inventory } from './inventory.js';
import type { Path } from './locate.js';
import type { Networks } from './networks.js';
import type { Notes } from './notes.js';
import type { ManifestObject, ProblemList } from './problems.js';
import { toLabels } from './schema.js';
import { overlaps, SubnetAllocator } from './subnets.js';

/** A node before the ones without a subnet got theirs. */
export interface NodeDraft extends Omit<Node, 'subnet'> {
  readonly subnet: Ipv4Prefix | null;
  /** Objects to blame for a wrong address or subnet. */
  readonly addressAt: Blame;
  readonly subnetAt: Blame;
}

interface Blame {
  readonly object: ManifestObject;
  readonly path: Path;
}

/** Annotation that gives the MAC of a node's NIC where it matters; without it one is made up from the address. */
const MAC_ANNOTATION = 'podplane/mac';

/** Nodes by name, with the subnets that objects name. A node without an IPv4 address is left out: no tunnel ends there. */
export function draftNodes(inventory: Inventory, problems: ProblemList, notes: Notes): NodeDraft[] {
  const hostSubnets = new Map(
    inventory.objects.HostSubnet.map((entry) => [entry.value.host || entry.name, entry]),
  );
  const nodes = new Map(inventory.objects.Node.map((entry) => [entry.name, entry]));
  const names = [...new Set([...hostSubnets.keys(), ...nodes.keys()])].sort(compare);
  const drafts: NodeDraft[] = [];
  for (const name of names) {
    if (inventory.brokenNodes.has(name)) continue;
    const draft = draftNode(name, nodes.get(name), hostSubnets.get(name), problems);
    if (draft === null) notes.say(`node ${name} has no IPv4 address and is left out, with its pods`);
    else drafts.push(draft);
  }
  return drafts;
}

function draftNode(
  name: string,
  node: Entry<'Node'> | undefined,
  hostSubnet: Entry<'HostSubnet'> | undefined,
  problems: ProblemList,
): NodeDraft | null {
  const object = (hostSubnet ?? node)!;
  const internal = node === undefined ? null : internalAddress(node, problems);
  const hostIp = parseIpv4(hostSubnet?.value.hostIP ?? '');
  // The HostSubnet's address is the one that the other nodes' flows send to.
  const addressAt =
    hostIp !== -1 || internal === null
      ? { object, path: ['hostIP'] }
      : { object: node!, path: internal.path };
  const address = hostIp !== -1 ? hostIp : (internal?.address ?? -1);
  if (address === -1) return null;
  const podCidr = node === undefined ? undefined : ipv4PodCidr(node);
  const subnetAt =
    hostSubnet !== undefined
      ? { object: hostSubnet, path: ['subnet'] }
      : { object, path: ['spec', 'podCIDR'] };
  return {
    name,
    address,
    mac: node === undefined ? null : annotatedMac(node, problems),
    subnet: parsePrefix(hostSubnet?.value.subnet ?? '') ?? podCidr ?? null,
    hostSubnetUid: hostSubnet?.value.metadata.uid ?? '',
    labels: toLabels(node?.value.metadata.labels),
    addressAt,
    subnetAt,
  };
}

function internalAddress(node: Entry<'Node'>, problems: ProblemList): { address: number; path: Path } | null {
  for (const [index, entry] of (node.value.status?.addresses ?? []).entries()) {
    if (entry.type !== 'InternalIP' || (entry.address ?? '').includes(':')) continue;
    const address = parseIpv4(entry.address ?? '');
    const path = ['status', 'addresses', index, 'address'];
    if (address !== -1) return { address, path };
    problems.add(node, path, JSON.stringify(entry.address), 'an IP address, such as 192.168.1.101');
  }
  return null;
}

function ipv4PodCidr(node: Entry<'Node'>): Ipv4Prefix | undefined {
  const { spec } = node.value;
  return [spec?.podCIDR ?? '', ...(spec?.podCIDRs ?? [])].map(parsePrefix).find((prefix) => prefix !== null);
}

function annotatedMac(node: Entry<'Node'>, problems: ProblemList): Mac | null {
  const text = node.value.metadata.annotations?.[MAC_ANNOTATION];
  if (typeof text !== 'string') return null;
  const mac = parseMac(text);
  const path = ['metadata', 'annotations', MAC_ANNOTATION];
  if (mac === null)
    problems.add(node, path, JSON.stringify(text), 'a MAC address, such as 52:54:00:00:00:01');
  return mac;
}

/** Give the nodes without a subnet the next free ones, in the order of their names, and check that no two nodes
 *  share an address or a part of a subnet. Sorted by name. */
export function finishNodes(
  drafts: readonly NodeDraft[],
  networks: Networks,
  problems: ProblemList,
  notes: Notes,
): Node[] {
  checkNodes(drafts, problems);
  const taken = drafts.flatMap((draft) => (draft.subnet === null ? [] : [draft.subnet]));
  const allocator = new SubnetAllocator(networks.clusterNetworks, taken);
  const nodes: Node[] = [];
  for (const draft of drafts) {
    const subnet = draft.subnet ?? allocator.next();
    if (subnet === null) {
      const size = networks.clusterNetworks.map((entry) => formatPrefix(entry.prefix)).join(', ');
      problems.add(
        draft.subnetAt.object,
        ['spec'],
        `no node subnet left in ${size}`,
        'a larger cluster network',
      );
      continue;
    }
    if (draft.subnet === null)
      notes.count("nodes without a subnet in the objects, given the next ones in OpenShift's order");
    else if (!networks.clusterNetworks.some((entry) => prefixContains(entry.prefix, subnet.base)))
      notes.say(`subnet ${formatPrefix(subnet)} of node ${draft.name} is outside the cluster network`);
    const { addressAt: _address, subnetAt: _subnet, ...node } = draft;
    nodes.push({ ...node, subnet });
  }
  return nodes;
}

function checkNodes(drafts: readonly NodeDraft[], problems: ProblemList): void {
  const byAddress = new Map<number, NodeDraft>();
  for (const draft of drafts) {
    const other = byAddress.get(draft.address);
    if (other === undefined) byAddress.set(draft.address, draft);
    else {
      const found = `${formatIpv4(draft.address)}, the address of node ${other.name} too`;
      problems.add(draft.addressAt.object, draft.addressAt.path, found, 'an address of its own');
    }
  }
  const bySubnet = drafts
    .filter((draft) => draft.subnet !== null)
    .sort(
      (a, b) =>
        a.subnet!.base - b.subnet!.base || a.subnet!.length - b.subnet!.length || compare(a.name, b.name),
    );
  let widest = bySubnet[0];
  for (const draft of bySubnet.slice(1)) {
    if (overlaps(widest!.subnet!, draft.subnet!)) {
      const found = `${formatPrefix(draft.subnet!)}, which overlaps ${formatPrefix(widest!.subnet!)} of node ${widest!.name}`;
      problems.add(draft.subnetAt.object, draft.subnetAt.path, found, 'a subnet that no other node has');
    } else widest = draft;
  }
}
