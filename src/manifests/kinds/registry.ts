/** Which kinds are read, from which API groups, with which schema. */
import type { z } from 'zod';
import { egressPolicySchema } from './egress-policy.js';
import { endpointSliceSchema, endpointsSchema } from './endpoints.js';
import { namespaceSchema, serviceCidrSchema } from './namespace.js';
import { nodeSchema } from './node.js';
import {
  clusterNetworkSchema,
  hostSubnetSchema,
  netNamespaceSchema,
  networkConfigSchema,
  networkOperatorSchema,
} from './openshift.js';
import { ownerSchema } from './owner.js';
import { podSchema } from './pod.js';
import { policySchema } from './policy.js';
import { serviceSchema } from './service.js';

/** Schema by the name under which the loader keeps the objects. */
export const SCHEMAS = {
  Namespace: namespaceSchema,
  Node: nodeSchema,
  Pod: podSchema,
  Service: serviceSchema,
  ServiceCIDR: serviceCidrSchema,
  EndpointSlice: endpointSliceSchema,
  Endpoints: endpointsSchema,
  NetworkPolicy: policySchema,
  Owner: ownerSchema,
  ClusterNetwork: clusterNetworkSchema,
  HostSubnet: hostSubnetSchema,
  NetNamespace: netNamespaceSchema,
  EgressNetworkPolicy: egressPolicySchema,
  NetworkConfig: networkConfigSchema,
  NetworkOperator: networkOperatorSchema,
} as const;

export type KindName = keyof typeof SCHEMAS;
export type ManifestOf<Kind extends KindName> = z.infer<(typeof SCHEMAS)[Kind]>;

export interface KindRow {
  readonly name: KindName;
  readonly isNamespaced: boolean;
}

const CORE = '';
const SDN = 'network.openshift.io';

/** name, groups, the kinds of the API that it stands for, and whether they live in a namespace. Groups that have
 *  gone from Kubernetes stay: a dump of an old cluster still names them. */
const ROWS: readonly [KindName, readonly string[], readonly string[], boolean][] = [
  ['Namespace', [CORE], ['Namespace'], false],
  ['Namespace', ['project.openshift.io'], ['Project'], false],
  ['Node', [CORE], ['Node'], false],
  ['Pod', [CORE], ['Pod'], true],
  ['Service', [CORE], ['Service'], true],
  ['ServiceCIDR', ['networking.k8s.io'], ['ServiceCIDR'], false],
  ['EndpointSlice', ['discovery.k8s.io'], ['EndpointSlice'], true],
  ['Endpoints', [CORE], ['Endpoints'], true],
  ['NetworkPolicy', ['networking.k8s.io', 'extensions'], ['NetworkPolicy'], true],
  ['Owner', ['apps', 'extensions'], ['Deployment', 'ReplicaSet', 'StatefulSet', 'DaemonSet'], true],
  ['Owner', [CORE], ['ReplicationController'], true],
  ['Owner', ['batch'], ['Job'], true],
  ['Owner', ['apps.openshift.io', CORE], ['DeploymentConfig'], true],
  ['ClusterNetwork', [SDN, CORE], ['ClusterNetwork'], false],
  ['HostSubnet', [SDN, CORE], ['HostSubnet'], false],
  ['NetNamespace', [SDN, CORE], ['NetNamespace'], false],
  ['EgressNetworkPolicy', [SDN, CORE], ['EgressNetworkPolicy'], true],
  ['NetworkConfig', ['config.openshift.io'], ['Network'], false],
  ['NetworkOperator', ['operator.openshift.io'], ['Network'], false],
];

const BY_GROUP_KIND = new Map<string, KindRow>(
  ROWS.flatMap(([name, groups, kinds, isNamespaced]) =>
    groups.flatMap((group) => kinds.map((kind) => [`${group}/${kind}`, { name, isNamespaced }] as const)),
  ),
);

/** The row for an object's apiVersion and kind, or null for a kind that plays no part on a packet's path. */
export function kindRow(apiVersion: string, kind: string): KindRow | null {
  const slash = apiVersion.indexOf('/');
  return BY_GROUP_KIND.get(`${slash === -1 ? CORE : apiVersion.slice(0, slash)}/${kind}`) ?? null;
}
