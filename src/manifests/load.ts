/** Manifests in, cluster out: reads the sources, takes every object to its place, throws all problems at once. */
import type { Cluster, ClusterDns, Platform } from '../model/cluster.js';
import type { Service } from '../model/service.js';
import { type ManifestDocument, parseDocuments } from './documents.js';
import { EndpointSource } from './endpoints.js';
import { expandPods } from './expand.js';
import { type Inventory, takeInventory, type UnusedKind } from './inventory.js';
import { readNamespaces } from './namespaces.js';
import { readNetworks } from './networks.js';
import { draftNodes, finishNodes } from './nodes.js';
import { Notes } from './notes.js';
import { detectPlatform, masqueradeBit, pluginMode } from './platform.js';
import { readPods } from './pods.js';
import { readPolicies } from './policies.js';
import { ProblemList } from './problems.js';
import { readServices } from './services.js';
import { type ManifestSource, readPath } from './sources.js';

export type { UnusedKind } from './inventory.js';
export type { ManifestSource } from './sources.js';

export interface LoadOptions {
  /** Instead of what the objects show. */
  readonly platform?: Platform;
  /** Make the pods of Deployments and other owners, and place pods that have no node yet. */
  readonly expand?: boolean;
}

export interface LoadResult {
  readonly cluster: Cluster;
  /** Kinds that play no part on a packet's path, sorted by apiVersion and kind. */
  readonly unused: readonly UnusedKind[];
  /** What was assumed and what was left out, one sentence each. */
  readonly notes: readonly string[];
}

/** Load a cluster from YAML, JSON or objects. The order of the sources does not matter to the result.
 *  @throws InputError with every problem of every source. */
export async function loadManifests(
  sources: readonly ManifestSource[],
  options: LoadOptions = {},
): Promise<LoadResult> {
  const problems = new ProblemList();
  const inventory = takeInventory(await readDocuments(sources, problems), problems);
  const notes = new Notes();
  const cluster = buildCluster(inventory, options, problems, notes);
  problems.throwIfAny();
  const unused = options.expand === true ? inventory.unused : withOwners(inventory);
  return { cluster, unused, notes: notes.list() };
}

async function readDocuments(
  sources: readonly ManifestSource[],
  problems: ProblemList,
): Promise<ManifestDocument[]> {
  const documents: ManifestDocument[] = [];
  const seen = new Set<string>();
  for (const source of sources) {
    if ('objects' in source) {
      const file = source.name ?? 'objects';
      for (const value of source.objects)
        documents.push({ file, order: documents.length, text: null, firstLine: 0, indexInText: 0, value });
      continue;
    }
    const texts = 'path' in source ? await readPath(source.path, seen, problems.placed) : [source];
    for (const { name, text } of texts) {
      // One by one: a spread of twenty thousand arguments would overflow the stack.
      for (const document of parseDocuments(name, text, problems.placed, documents.length))
        documents.push(document);
    }
  }
  return documents;
}

function buildCluster(
  inventory: Inventory,
  options: LoadOptions,
  problems: ProblemList,
  notes: Notes,
): Cluster {
  const { objects } = inventory;
  const platform = options.platform ?? detectPlatform(inventory);
  const mode = pluginMode(inventory, platform, notes);
  const drafts = draftNodes(inventory, problems, notes);
  const subnets = drafts.flatMap((draft) => (draft.subnet === null ? [] : [draft.subnet]));
  const networks = readNetworks(inventory, platform, subnets, drafts.length, notes);
  const nodes = finishNodes(drafts, networks, problems, notes);
  const podEntries = options.expand === true ? expandPods(inventory, nodes, notes) : objects.Pod;
  const pods = readPods(podEntries, nodes, inventory.nodeNames, problems, notes);
  const endpoints = new EndpointSource(inventory, pods, problems, notes);
  const services = readServices(objects.Service, networks, endpoints, problems, notes);
  return {
    platform,
    mode,
    clusterNetworks: networks.clusterNetworks,
    serviceNetworks: networks.serviceNetworks,
    vxlanPort: networks.vxlanPort,
    mtu: networks.mtu,
    masqueradeBit: masqueradeBit(platform),
    dns: clusterDns(platform, services),
    nodes,
    namespaces: readNamespaces(inventory, platform, mode, notes),
    pods: pods.map((record) => record.pod),
    services,
    policies: readPolicies(objects.NetworkPolicy, notes),
  };
}

/** The address that pods ask. In OpenShift 3 that is each node's own address: no Service, hence 0. */
function clusterDns(platform: Platform, services: readonly Service[]): ClusterDns {
  const address = (namespace: string, name: string): number =>
    services.find((service) => service.namespace === namespace && service.name === name)?.clusterIp ?? 0;
  const found = address('openshift-dns', 'dns-default') || address('kube-system', 'kube-dns');
  return { address: platform === 'ocp3' ? 0 : found, domain: 'cluster.local' };
}

/** Owners are not used unless they are expanded. */
function withOwners(inventory: Inventory): UnusedKind[] {
  const counts = new Map<string, UnusedKind>();
  for (const { apiVersion, kind } of inventory.objects.Owner) {
    const key = `${apiVersion} ${kind}`;
    counts.set(key, { apiVersion, kind, count: (counts.get(key)?.count ?? 0) + 1 });
  }
  const rank = ({ apiVersion, kind }: UnusedKind): string => `${apiVersion} ${kind}`;
  return [...inventory.unused, ...counts.values()].sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
}
