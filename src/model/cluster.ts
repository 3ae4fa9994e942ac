/** What a cluster is: the plain types that manifests are read into and tables are compiled from. */
import type { Ipv4Prefix } from '../addr/ipv4.js';
import type { Mac } from '../addr/mac.js';
import type { NetworkObjects } from './network-objects.js';
import type { NetworkPolicy, PolicyMode } from './policy.js';
import type { Service } from './service.js';

/** Which distribution the cluster is: it fixes pipeline, proxy default, DNS and masquerade mark. */
export type Platform = 'ocp4' | 'ocp3' | 'kubernetes';

/** OpenShift SDN's plugin modes (ClusterNetwork.pluginName redhat/openshift-ovs-*). */
export type PluginMode = 'subnet' | 'multitenant' | 'networkpolicy';

export interface Cluster {
  readonly platform: Platform;
  readonly mode: PluginMode;
  /** How NetworkPolicies are taken, in networkpolicy mode; the others know none. */
  readonly policyMode: PolicyMode;
  /** Networks that pods live in, in the ClusterNetwork's order. */
  readonly clusterNetworks: readonly ClusterNetworkEntry[];
  readonly serviceNetworks: readonly Ipv4Prefix[];
  /** UDP port of the tunnel; 4789 unless the ClusterNetwork says otherwise. */
  readonly vxlanPort: number;
  /** MTU of pods and tun0; 1450 unless the ClusterNetwork says otherwise. */
  readonly mtu: number;
  /** Bit of the packet mark that asks for masquerade: 0 on OpenShift, 14 upstream. */
  readonly masqueradeBit: number;
  readonly dns: ClusterDns;
  /** All sorted: nodes by name, the others by namespace, then name. */
  readonly nodes: readonly Node[];
  readonly namespaces: readonly Namespace[];
  readonly pods: readonly Pod[];
  readonly services: readonly Service[];
  readonly policies: readonly NetworkPolicy[];
  readonly network: NetworkObjects;
}

export interface ClusterNetworkEntry {
  readonly prefix: Ipv4Prefix;
  /** Host bits of a node's subnet: 9 gives a /23. */
  readonly hostSubnetLength: number;
}

export interface ClusterDns {
  /** What pods have as nameserver, u32; 0 when the cluster has no DNS Service. */
  readonly address: number;
  /** Usually `cluster.local`. */
  readonly domain: string;
}

export interface Node {
  readonly name: string;
  /** InternalIP, the tunnel end, u32. */
  readonly address: number;
  /** Set when known from the manifests (annotation), else derived by compile. */
  readonly mac: Mac | null;
  /** The HostSubnet, or what the allocator gave. */
  readonly subnet: Ipv4Prefix;
  /** metadata.uid of the HostSubnet: its flows' cookie is made of it. Empty when derived. */
  readonly hostSubnetUid: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface Namespace {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** NetID, 24 bits; 0 is global. */
  readonly vni: number;
}

export type Protocol = 'TCP' | 'UDP' | 'SCTP';

export interface ContainerPort {
  readonly name: string;
  readonly protocol: Protocol;
  readonly port: number;
}

export interface Pod {
  readonly namespace: string;
  readonly name: string;
  /** Name of the node it runs on; every pod in the model runs on a known node. */
  readonly node: string;
  /** u32; a host-network pod has its node's address. */
  readonly address: number;
  readonly isHostNetwork: boolean;
  readonly isReady: boolean;
  /** Ports of all containers; empty means that nothing was declared, and then every port listens. */
  readonly ports: readonly ContainerPort[];
  readonly labels: Readonly<Record<string, string>>;
  readonly hostname: string;
  readonly subdomain: string;
  readonly dnsPolicy: 'ClusterFirst' | 'ClusterFirstWithHostNet' | 'Default' | 'None';
  readonly dnsConfig: DnsConfig | null;
}

export interface DnsConfig {
  readonly nameservers: readonly string[];
  readonly searches: readonly string[];
  readonly options: readonly { readonly name: string; readonly value: string | null }[];
}
