/** Pods that are on the network: running on a known node, with an address of that node's subnet. */
import { formatIpv4, formatPrefix, parseIpv4, prefixContains } from '../addr/ipv4.js';
import type { ContainerPort, DnsConfig, Node, Pod } from '../model/cluster.js';
import { byNamespaceAndName, type Entry } from './inventory.js';
import type { PodManifest, PodSpec } from './kinds/pod.js';
import type { Notes } from './notes.js';
import { type ProblemList, subjectOf } from './problems.js';
import { toLabels } from './schema.js';

/** A pod of the model with what only the endpoint controller asks of it. */
export interface PodRecord {
  readonly pod: Pod;
  readonly isTerminating: boolean;
}

/** Read the pods, sorted by namespace and name. `nodeNames` are all nodes that objects name, also those left out. */
export function readPods(
  entries: readonly Entry<'Pod'>[],
  nodes: readonly Node[],
  nodeNames: ReadonlySet<string>,
  problems: ProblemList,
  notes: Notes,
): PodRecord[] {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const byAddress = new Map<number, Entry<'Pod'>>();
  const records: PodRecord[] = [];
  for (const entry of [...entries].sort(byNamespaceAndName)) {
    const record = readPodOf(entry, byName, notes);
    if (record === null) checkNode(entry, nodes, nodeNames, problems);
    else {
      if (!record.pod.isHostNetwork)
        checkAddress(entry, record.pod, byName.get(record.pod.node)!, byAddress, problems);
      records.push(record);
    }
  }
  return records;
}

/** The pod; null when it is not on the network, or its node is none of `nodes`, which are by name. */
export function readPodOf(
  entry: Entry<'Pod'>,
  nodes: ReadonlyMap<string, Node>,
  notes: Notes,
): PodRecord | null {
  if (isWaiting(entry.value)) {
    notes.count('pods left out, as they wait for a node or an address or have ended');
    return null;
  }
  const node = nodes.get(entry.value.spec!.nodeName!);
  return node === undefined ? null : readPod(entry, node, notes);
}

/** Is the pod on a node that no object names? */
export const isNowhere = ({ value }: Entry<'Pod'>, nodeNames: ReadonlySet<string>): boolean =>
  !isWaiting(value) && !nodeNames.has(value.spec!.nodeName!);

function checkNode(
  entry: Entry<'Pod'>,
  nodes: readonly Node[],
  nodeNames: ReadonlySet<string>,
  problems: ProblemList,
): void {
  if (!isNowhere(entry, nodeNames)) return;
  const known = nodes.length === 0 ? 'a Node or HostSubnet of that name' : `one of ${someNames(nodes)}`;
  const found = `unknown node ${JSON.stringify(entry.value.spec!.nodeName)}`;
  problems.add(entry, ['spec', 'nodeName'], found, known);
}

/** Not on the network: no node yet, no address yet, or ended. A pod whose init containers run is Pending, and has one. */
function isWaiting({ spec, status }: PodManifest): boolean {
  if (!spec?.nodeName || status?.phase === 'Succeeded' || status?.phase === 'Failed') return true;
  if (spec.hostNetwork) return status?.phase === 'Pending' && !status.podIP;
  return !status?.podIP && (status?.podIPs ?? []).every((entry) => !entry.ip);
}

const someNames = (nodes: readonly Node[]): string =>
  nodes.length <= 4 ? nodes.map((node) => node.name).join(', ') : `the ${nodes.length} known nodes`;

function readPod(entry: Entry<'Pod'>, node: Node, notes: Notes): PodRecord | null {
  const { metadata, spec, status } = entry.value;
  const isHostNetwork = spec?.hostNetwork === true;
  const texts = [status?.podIP ?? '', ...(status?.podIPs ?? []).map((address) => address.ip ?? '')];
  const own = texts.map(parseIpv4).find((parsed) => parsed !== -1);
  if (!isHostNetwork && own === undefined) {
    notes.count('pods left out, as they have only IPv6 addresses');
    return null;
  }
  if (!isHostNetwork && texts.some((text) => text.includes(':')))
    notes.count('pods whose IPv6 addresses are left out');
  const pod: Pod = {
    namespace: entry.namespace,
    name: entry.name,
    node: node.name,
    address: isHostNetwork ? node.address : own!,
    isHostNetwork,
    isReady: isReady(entry.value),
    ports: containerPorts(spec),
    labels: toLabels(metadata.labels),
    hostname: spec?.hostname ?? '',
    subdomain: spec?.subdomain ?? '',
    dnsPolicy: spec?.dnsPolicy || 'ClusterFirst',
    dnsConfig: dnsConfig(spec),
  };
  return { pod, isTerminating: Boolean(metadata.deletionTimestamp) };
}

/** The Ready condition; a pod written by hand has no conditions, and is ready when nothing says that it does not run. */
function isReady({ status }: PodManifest): boolean {
  const conditions = status?.conditions ?? [];
  if (conditions.length === 0) return !status?.phase || status.phase === 'Running';
  return conditions.some((condition) => condition.type === 'Ready' && condition.status === 'True');
}

/** Ports of all containers that stay: the ordinary ones, and init containers that are sidecars. */
function containerPorts(spec: PodSpec | null | undefined): ContainerPort[] {
  const sidecars = (spec?.initContainers ?? []).filter((container) => container.restartPolicy === 'Always');
  return [...(spec?.containers ?? []), ...sidecars].flatMap((container) =>
    (container.ports ?? []).map((port) => ({
      name: port.name ?? '',
      protocol: port.protocol || 'TCP',
      port: port.containerPort,
    })),
  );
}

function dnsConfig(spec: PodSpec | null | undefined): DnsConfig | null {
  const config = spec?.dnsConfig;
  if (config === null || config === undefined) return null;
  return {
    nameservers: config.nameservers ?? [],
    searches: config.searches ?? [],
    options: (config.options ?? []).map((option) => ({
      name: option.name ?? '',
      value: option.value ?? null,
    })),
  };
}

/** May a pod on `node` have this address? */
export const isPodAddress = (address: number, node: Node): boolean =>
  prefixContains(node.subnet, address) && address !== (node.subnet.base | 1) >>> 0;

function checkAddress(
  entry: Entry<'Pod'>,
  pod: Pod,
  node: Node,
  byAddress: Map<number, Entry<'Pod'>>,
  problems: ProblemList,
): void {
  const path = ['status', 'podIP'];
  const address = formatIpv4(pod.address);
  const subnet = `${formatPrefix(node.subnet)}, the subnet of ${node.name}`;
  const gateway = (node.subnet.base | 1) >>> 0;
  if (!prefixContains(node.subnet, pod.address))
    problems.add(entry, path, `${address}, outside ${subnet}`, `an address of ${formatPrefix(node.subnet)}`);
  else if (pod.address === gateway)
    problems.add(
      entry,
      path,
      `${address}, the gateway of ${subnet}`,
      `another address of ${formatPrefix(node.subnet)}`,
    );
  const other = byAddress.get(pod.address);
  if (other === undefined) byAddress.set(pod.address, entry);
  else
    problems.add(entry, path, `${address}, the address of ${subjectOf(other)} too`, 'an address of its own');
}
