/** Checked objects to the model: every kind to its place. */
import type { Cluster, ClusterDns, Platform } from '../model/cluster.js';
import type { PolicyMode } from '../model/policy.js';
import type { Service } from '../model/service.js';
import { EndpointSource } from './endpoints.js';
import { expandPods } from './expand.js';
import type { Inventory } from './inventory.js';
import { readNamespaces } from './namespaces.js';
import { readNetworkObjects } from './network-objects.js';
import { type Networks, readNetworks } from './networks.js';
import { draftNodes, finishNodes } from './nodes.js';
import type { Notes } from './notes.js';
import { detectPlatform, masqueradeBit, pluginMode } from './platform.js';
import { readPods } from './pods.js';
import { readPolicies } from './policies.js';
import type { ProblemList } from './problems.js';
import { readServices } from './services.js';

export interface LoadOptions {
  /** Instead of what the objects show. */
  readonly platform?: Platform;
  /** How NetworkPolicies are taken: `sdn`, as openshift/sdn does, the default on OpenShift; `api`, as the API's text says. */
  readonly policy?: PolicyMode;
  /** Make the pods of Deployments and other owners, and place pods that have no node yet. */
  readonly expand?: boolean;
}

export interface BuiltCluster {
  readonly cluster: Cluster;
  /** Where the Services' endpoints came from, to be asked again when one object changes. */
  readonly endpoints: EndpointSource;
  readonly networks: Networks;
}

/** Build the model. Problems of fields that only show beside other objects go to `problems`. */
export function buildCluster(
  inventory: Inventory,
  options: LoadOptions,
  problems: ProblemList,
  notes: Notes,
): BuiltCluster {
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
  const namespaces = readNamespaces(inventory, platform, mode, notes);
  const cluster: Cluster = {
    platform,
    mode,
    policyMode: options.policy ?? (platform === 'kubernetes' ? 'api' : 'sdn'),
    clusterNetworks: networks.clusterNetworks,
    serviceNetworks: networks.serviceNetworks,
    vxlanPort: networks.vxlanPort,
    mtu: networks.mtu,
    masqueradeBit: masqueradeBit(platform),
    dns: clusterDns(platform, services),
    nodes,
    namespaces,
    pods: pods.map((record) => record.pod),
    services,
    policies: readPolicies(objects.NetworkPolicy, notes),
    network: readNetworkObjects(inventory, nodes, networks, namespaces, problems, notes),
  };
  return { cluster, endpoints, networks };
}

/** The address that pods ask. In OpenShift 3 that is each node's own address: no Service, hence 0. */
function clusterDns(platform: Platform, services: readonly Service[]): ClusterDns {
  const address = (namespace: string, name: string): number =>
    services.find((service) => service.namespace === namespace && service.name === name)?.clusterIp ?? 0;
  const found = address('openshift-dns', 'dns-default') || address('kube-system', 'kube-dns');
  return { address: platform === 'ocp3' ? 0 : found, domain: 'cluster.local' };
}
