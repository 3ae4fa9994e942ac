/** br0's pipeline as one numbered list of flows. Source: openshift/sdn pkg/network/node/ovscontroller.go (rule version 13). */
import type { Cluster, Node } from '../model/cluster.js';
import { CT, OFPORT, Op } from '../tables/flows.js';
import { NONE } from '../tables/nodes.js';
import { Reason } from '../verdict/reasons.js';
import { hostSubnetFlows, podFlows } from './bridge-ends.js';
import { egressFirewallFlows } from './egress-firewall.js';
import { egressIpFlows } from './egress-ips.js';
import type { Action, Flow, Match } from './flow-builder.js';
import { FlowBuilder } from './flow-builder.js';
import { any, arp, host, ip } from './match.js';
import { multicastFlows } from './multicast.js';
import { gatewayOf, nicMacOf, type Places } from './nodes.js';
import { type PolicySet, policyFlows } from './policy.js';
import type { Strings } from './strings.js';

const { VXLAN0, TUN0 } = OFPORT;
const MULTICAST = { base: 0xe0000000, length: 4 };
const REPLY = [CT.RPL, CT.RPL] as const;
const NOT_REPLY = [0, CT.RPL] as const;
const UDP = 17;
const TCP = 6;

const goto = (table: number): readonly Action[] => [[Op.Goto, table]];
const output = (port: number): readonly Action[] => [[Op.Output, port]];
const DROP: readonly Action[] = [[Op.Drop, 0]];

/** All flows of all nodes, as the classifier's tables. */
export function buildBridge(
  cluster: Cluster,
  places: Places,
  policies: PolicySet,
  strings: Strings,
): FlowBuilder {
  const builder = new FlowBuilder();
  const add = (flows: Iterable<Flow>): void => {
    for (const flow of flows) builder.add(flow);
  };
  cluster.nodes.forEach((node, row) => {
    add(nodeFlows(cluster, node, row));
  });
  add(sharedFlows(cluster));
  add(hostSubnetFlows(cluster, strings));
  add(podFlows(cluster, places, strings));
  add(isolationFlows(cluster, policies, strings));
  add(egressFirewallFlows(cluster, strings));
  add(egressIpFlows(cluster, strings));
  add(multicastFlows(cluster, places, strings));
  return builder;
}

/** What differs from node to node: its gateway, its subnet, its address. */
function* nodeFlows(cluster: Cluster, node: Node, row: number): Generator<Flow> {
  const gateway = host(gatewayOf(node));
  const subnet = node.subnet;
  const flow = (table: number, priority: number, match: Match, actions: readonly Action[]): Flow => ({
    table,
    priority,
    node: row,
    match,
    actions,
  });
  const fromTunnel: readonly Action[] = [[Op.Reg0FromTunId, 0], ...goto(10)];
  yield flow(0, 400, ip({ inPort: TUN0, nwSrc: gateway }), goto(30));
  for (const { prefix } of cluster.clusterNetworks) {
    yield flow(0, 300, ip({ inPort: TUN0, nwSrc: subnet, nwDst: prefix }), goto(25));
    yield flow(0, 200, arp({ inPort: VXLAN0, nwSrc: prefix, nwDst: subnet }), fromTunnel);
    yield flow(0, 200, arp({ inPort: TUN0, nwSrc: gateway, nwDst: prefix }), goto(30));
  }
  // From nodes that OVN-Kubernetes has already, in a live migration: they know this node's NIC only. `resubmit:10` asks
  // the same table again; that it does so with in_port=10 makes no difference there.
  const ethDst = nicMacOf(node);
  const again: Action = [Op.Resubmit, 10];
  yield flow(10, 210, ip({ ethDst, nwDst: gateway }), [[Op.SetEthDstTun, 0], again]);
  yield flow(10, 200, ip({ ethDst, nwDst: subnet }), [[Op.SetEthDstPod, 0], again]);
  yield flow(31, 300, arp({ nwDst: gateway }), output(TUN0));
  yield flow(31, 300, ip({ nwDst: gateway }), output(TUN0));
  yield flow(31, 250, ip({ nwDst: subnet, ctState: REPLY }), [[Op.CtNat, 70]]);
  yield flow(31, 200, arp({ nwDst: subnet }), goto(40));
  yield flow(31, 200, ip({ nwDst: subnet }), goto(70));
  yield flow(80, 300, ip({ nwSrc: gateway }), [[Op.OutputReg2, 0]]);
  for (const proto of [TCP, UDP])
    yield flow(99, 200, ip({ proto, tpDst: [53, -1], nwDst: host(node.address) }), output(TUN0));
}

/** What every node has alike. */
function* sharedFlows(cluster: Cluster): Generator<Flow> {
  const flow = (table: number, priority: number, match: Match, actions: readonly Action[]): Flow => ({
    table,
    priority,
    node: NONE,
    match,
    actions,
  });
  const drop = (table: number, priority: number, match: Match, reason: Reason): Flow => ({
    ...flow(table, priority, match, DROP),
    reason,
  });
  const fromTunnel: readonly Action[] = [[Op.Reg0FromTunId, 0], ...goto(10)];
  const networks = cluster.clusterNetworks.map((entry) => entry.prefix);

  yield flow(0, 1000, ip({ ctState: [0, CT.TRK] }), [[Op.CtRecirculate, 0]]);
  yield drop(0, 250, ip({ inPort: TUN0, nwDst: MULTICAST }), Reason.HostMulticast);
  for (const prefix of networks) {
    yield flow(0, 200, ip({ inPort: VXLAN0, nwSrc: prefix }), fromTunnel);
    yield flow(0, 200, ip({ inPort: VXLAN0, nwDst: prefix }), fromTunnel);
  }
  yield flow(0, 200, ip({ inPort: TUN0 }), goto(30));
  yield drop(0, 150, any({ inPort: VXLAN0 }), Reason.TunnelOutsideCluster);
  yield drop(0, 150, any({ inPort: TUN0 }), Reason.HostArpRefused);
  yield flow(0, 100, arp(), goto(20));
  yield flow(0, 100, ip(), goto(20));
  yield drop(0, 0, any(), Reason.EtherTypeUnsupported);

  yield drop(10, 0, any(), Reason.VxlanUnknownVtep);
  yield drop(20, 300, ip({ proto: UDP, tpDst: [cluster.vxlanPort, -1] }), Reason.PodSendsVxlan);
  yield drop(20, 0, any(), Reason.SourceSpoofed);
  yield drop(25, 0, any(), Reason.ServiceReturnUnknown);

  if (cluster.mode === 'networkpolicy') {
    for (const service of cluster.serviceNetworks) yield flow(27, 300, ip({ nwDst: service }), goto(30));
    yield flow(27, 200, ip({ ctState: REPLY }), goto(30));
    for (const from of networks)
      for (const to of networks)
        yield flow(30, 100, ip({ nwSrc: from, nwDst: to, ctState: NOT_REPLY }), [[Op.CtCommit, 31]]);
  } else {
    yield flow(27, 500, any(), goto(30));
  }
  yield drop(27, 0, any(), Reason.PolicyEgress);
  yield flow(30, 0, any(), goto(31));

  for (const prefix of networks) {
    yield flow(31, 100, arp({ nwDst: prefix }), goto(50));
    yield flow(31, 100, ip({ nwDst: prefix }), goto(90));
  }
  for (const service of cluster.serviceNetworks) yield flow(31, 100, ip({ nwDst: service }), goto(60));
  yield flow(31, 50, ip({ inPort: VXLAN0, nwDst: MULTICAST }), goto(120));
  yield flow(31, 25, ip({ nwDst: MULTICAST }), goto(110));
  yield flow(31, 0, ip(), goto(99));
  yield drop(31, 0, arp(), Reason.ArpOutsideCluster);

  yield drop(40, 0, any(), Reason.ArpUnknownPod);
  yield drop(50, 0, any(), Reason.ArpUnknownSubnet);
  yield flow(60, 200, any(), output(TUN0));
  yield drop(60, 0, any(), Reason.NoRoute);
  yield drop(70, 0, any(), Reason.UnknownPod);
  yield drop(80, 0, any(), cluster.mode === 'multitenant' ? Reason.TenantIsolated : Reason.PolicyIngress);
  yield drop(90, 0, any(), Reason.UnknownSubnet);
  yield flow(99, 0, any(), goto(100));
  yield flow(100, 0, any(), goto(101));
  yield flow(101, 150, any({ ctState: REPLY }), output(TUN0));
  yield flow(101, 0, any(), output(TUN0));
  yield drop(110, 0, any(), Reason.MulticastDisabled);
  yield drop(120, 0, any(), Reason.MulticastNoReceiver);
}

/** Table 80 by plugin mode (singletenant.go, multitenant.go, networkpolicy.go). */
function* isolationFlows(cluster: Cluster, policies: PolicySet, strings: Strings): Generator<Flow> {
  const deliver: readonly Action[] = [[Op.OutputReg2, 0]];
  const flow = (priority: number, match: Match): Flow => ({
    table: 80,
    priority,
    node: NONE,
    match,
    actions: deliver,
  });
  if (cluster.mode === 'subnet') {
    yield flow(200, any());
  } else if (cluster.mode === 'multitenant') {
    yield flow(200, any({ reg0: 0 }));
    yield flow(200, any({ reg1: 0 }));
    for (const vni of new Set(cluster.namespaces.map((namespace) => namespace.vni)))
      if (vni !== 0) yield flow(100, any({ reg0: vni, reg1: vni }));
  } else {
    yield flow(200, ip({ ctState: REPLY }));
    yield* policyFlows(cluster, policies, strings);
  }
}
