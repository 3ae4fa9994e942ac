/** Nodes, pods, the ports that packets enter and leave by, and what each pod listens on.
 *  Rows only, found by number or through the address table. Written by compile, read-only. */
import { layout, type TableOf } from '../layout/layout.js';

/** Row number that stands for "none" in u32 columns. */
export const NONE = 0xffffffff;

/** One row, the facts of the whole cluster. Mark is the masquerade bit as a mask. */
export const CONFIG_TABLE = layout('CFG1', {
  vxlanPort: 'u32',
  mtu: 'u32',
  masqueradeMark: 'u32',
  dnsAddress: 'u32',
  /** 0 subnet, 1 multitenant, 2 networkpolicy. */
  mode: 'u8',
  /** 0 ocp4, 1 ocp3, 2 kubernetes. */
  platform: 'u8',
  /** NetworkPolicies: 0 as openshift/sdn has them, 1 by the API's text. */
  policyMode: 'u8',
});

/** Cluster (kind 1) and service (kind 2) networks. */
export const NETWORK_TABLE = layout('NET1', { base: 'u32', mask: 'u32', kind: 'u8' });
export const NETWORK_KIND = { CLUSTER: 1, SERVICE: 2 } as const;

export const NODE_TABLE = layout('NOD1', {
  address: 'u32',
  gateway: 'u32',
  subnetBase: 'u32',
  subnetMask: 'u32',
  nicMacHi: 'u32',
  nicMacLo: 'u32',
  tunMacHi: 'u32',
  tunMacLo: 'u32',
  /** Rows of the port table. */
  nicPort: 'u32',
  tunPort: 'u32',
  /** First row of the node's pods in the ofport table, which begins at OpenFlow port 3. */
  ofportFirst: 'u32',
  name: 'u32',
  /** 1 when the manifests gave the NIC's MAC. */
  isMacKnown: 'u8',
});

/** Pods of the pod network; host-network pods are their node. `listenCount` 0 means that all ports listen. */
export const POD_TABLE = layout('POD1', {
  address: 'u32',
  node: 'u32',
  vni: 'u32',
  /** OVS port number on br0, 3 upward. */
  ofport: 'u32',
  macHi: 'u32',
  macLo: 'u32',
  port: 'u32',
  listenFirst: 'u32',
  listenCount: 'u32',
  name: 'u32',
  /** Bit 0: this pod answers cluster DNS. */
  flags: 'u8',
});
export const POD_FLAG = { DNS: 1 } as const;

/** Pod behind each OpenFlow port of each node, from port 3 upward. */
export const OFPORT_TABLE = layout('OFP1', { pod: 'u32' });

/** port << 16 | IP protocol. */
export const LISTEN_TABLE = layout('LSN1', { portProto: 'u32' });

/** Where packets enter and leave. kind: 1 a pod's eth0, 2 a node's NIC, 3 a node's tun0 (its own stack). */
export const PORT_TABLE = layout('PRT1', { node: 'u32', pod: 'u32', name: 'u32', kind: 'u8' });
export const PORT_KIND = { POD: 1, NIC: 2, TUN: 3 } as const;

/** Namespaces: NetID and name. */
export const NAMESPACE_TABLE = layout('NSP1', { vni: 'u32', name: 'u32' });

/** Is `address` (u32) in one of the pod networks? A cluster has one or two, so they are looked at in turn. */
export function isClusterAddress(networks: TableOf<typeof NETWORK_TABLE>, address: number): boolean {
  for (let i = 0; i < networks.rows; i++)
    if (networks.kind[i] === NETWORK_KIND.CLUSTER && (address & networks.mask[i]!) >>> 0 === networks.base[i])
      return true;
  return false;
}

/** Does pod row `pod` listen on port << 16 | protocol? A pod has few ports, so they are looked at in turn. */
export function podListens(
  pods: TableOf<typeof POD_TABLE>,
  listen: TableOf<typeof LISTEN_TABLE>,
  pod: number,
  portProto: number,
): boolean {
  const count = pods.listenCount[pod]!;
  if (count === 0) return true;
  const first = pods.listenFirst[pod]!;
  for (let i = 0; i < count; i++) if (listen.portProto[first + i] === portProto) return true;
  return false;
}
