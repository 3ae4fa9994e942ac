/** Egress addresses that a node hosts: what leaves the cluster from a NetID goes under one of them.
 *  EGI1: address u32 | node u32 | vni u32 | mark u32 | name u32 | isRewritten u8.
 *    Sorted by node, then address. mark: what br0 puts on packets, so that the host's nat knows whose they are.
 *    isRewritten 0: no node can put the address on its NIC, so the SDN installs no rules for it.
 *  Written by compile, read-only. Source: openshift/sdn pkg/network/node/egressip.go. */
import { layout, type TableOf } from '../layout/layout.js';

export const EGRESS_IP_TABLE = layout('EGI1', {
  address: 'u32',
  node: 'u32',
  vni: 'u32',
  mark: 'u32',
  name: 'u32',
  isRewritten: 'u8',
});

export type EgressIps = TableOf<typeof EGRESS_IP_TABLE>;
