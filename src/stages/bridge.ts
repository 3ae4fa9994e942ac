/** br0: the frame's flow key walks the numbered OpenFlow tables until it is put out of a port or dropped.
 *  next: Vxlan0 | Tun0 | Pod. Drops: the reason of the rule that drops, sharpened by what was wrong with the frame. */
import { tupleHash } from '../kernels/five-tuple.js';
import { classify, Field, groupBuckets, OFPORT, Op } from '../tables/flows.js';
import { FragmentUser } from '../tables/fragments.js';
import { NONE } from '../tables/nodes.js';
import { Reason } from '../verdict/reasons.js';
import { arpOper, arpShaLo, arpSpa, arpTpa, isArpIpv4 } from '../wire/arp.js';
import { ETHERNET, ETHERTYPE, ethDstHi, ethDstLo, etherType, setEthDst } from '../wire/ethernet.js';
import {
  checkIpv4,
  ipv4Dst,
  ipv4Protocol,
  ipv4Src,
  isFragment,
  isLaterFragment,
  PROTOCOL,
} from '../wire/ipv4.js';
import { POD_MAC_HI } from '../wire/pod-mac.js';
import { SCTP } from '../wire/sctp.js';
import { TCP } from '../wire/tcp.js';
import { UDP } from '../wire/udp.js';
import { keepCopies } from './bridge-copies.js';
import { cut } from './cut.js';
import { natWhole } from './nat.js';
import { gather, Waits } from './reassembly.js';
import { CT_STATE_BITS, confirm, track } from './track.js';
import { findTransport, ipv4End } from './transport.js';
import { CtInfo, DONE, type Walk } from './walk.js';

export const BridgeNext = { Vxlan0: 0, Tun0: 1, Pod: 2 } as const;

/** More rules than any packet meets: two passes through every table. */
const STEPS_MAX = 64;

export function bridge(w: Walk): number {
  const { key, tables } = w;
  if (w.isCopy) return outputCopy(w);
  extractKey(w);
  if (w.end - w.at < ETHERNET.SIZE) return w.drop(Reason.FrameTruncated);
  const { rule, action } = tables.flows;
  let table = 0;
  let refused: Reason = Reason.None;
  for (let step = 0; step < STEPS_MAX; step++) {
    const row = classify(tables.flows, table, key);
    if (w.hops !== null) {
      w.hops.rule(w, table, row);
      if (key[Field.POLICY_RULE] !== 0) w.hops.rule(w, table, key[Field.POLICY_RULE]! - 1);
    }
    let at = rule.actionFirst[row]!;
    let next = -1;
    for (; action.op[at] !== Op.End; at++) {
      const arg = action.arg[at]!;
      switch (action.op[at]) {
        case Op.Goto:
          next = arg;
          break;
        case Op.CtRecirculate:
          if (isFragmentInHand(w) && !gatherHere(w)) return DONE;
          if (w.malformed === Reason.None) trimPadding(w);
          if (w.malformed === Reason.None) track(w);
          else w.ctInfo = CtInfo.INVALID;
          key[Field.CT_STATE] = CT_STATE_BITS[w.ctInfo]!;
          next = arg;
          break;
        case Op.CtCommit:
          if (isFragmentInHand(w) && !gatherHere(w)) return DONE;
          refused = confirm(w);
          if (refused !== Reason.None) return w.drop(refused);
          next = arg;
          break;
        case Op.CtNat:
          if (isFragmentInHand(w) && !gatherHere(w)) return DONE;
          natWhole(w);
          key[Field.NW_SRC] = ipv4Src(w.p, w.l3) | 0;
          key[Field.NW_DST] = ipv4Dst(w.p, w.l3) | 0;
          next = arg;
          break;
        case Op.LoadReg0:
          key[Field.REG0] = arg;
          break;
        case Op.LoadReg1:
          key[Field.REG1] = arg;
          break;
        case Op.LoadReg2:
          key[Field.REG2] = arg;
          break;
        case Op.Reg0FromTunId:
          key[Field.REG0] = key[Field.TUN_ID]!;
          break;
        case Op.TunIdFromReg0:
          w.tunId = key[Field.REG0]!;
          break;
        case Op.SetTunDst:
          w.tunDst = arg;
          break;
        case Op.Output:
          return output(w, arg);
        case Op.OutputReg2:
          return output(w, key[Field.REG2]!);
        case Op.CtCommitHere:
          if (isFragmentInHand(w) && !gatherHere(w)) return DONE;
          refused = confirm(w);
          if (refused !== Reason.None) return w.drop(refused);
          break;
        case Op.SetEthDstTun:
          setDestination(w, tables.nodes.tunMacHi[w.node]!, tables.nodes.tunMacLo[w.node]!);
          break;
        case Op.SetEthDstPod:
          setDestination(w, POD_MAC_HI, key[Field.NW_DST]! >>> 0);
          break;
        case Op.LoadTunId:
          w.tunId = arg;
          break;
        case Op.Resubmit:
          next = table;
          break;
        case Op.SetPktMark:
          w.egressIp = arg;
          w.mark = tables.egressIps.mark[arg]!;
          break;
        case Op.Group:
          at = selectBucket(w, at, groupBuckets(arg));
          break;
        case Op.OutputCopy:
          if (arg === w.ofport) break;
          return keepCopies(w, row, at + 1) ? output(w, arg) : w.drop(Reason.WalkTooLong);
        case Op.TunnelCopy:
          if (arg === tables.nodes.address[w.node]) break;
          if (!keepCopies(w, row, at + 1)) return w.drop(Reason.WalkTooLong);
          w.tunDst = arg;
          return leave(w, BridgeNext.Vxlan0);
        case Op.Drop:
          return w.drop(sharpen(w, rule.reason[row]!));
        default:
          break;
      }
    }
    if (next < 0) return w.drop(Reason.MulticastNoReceiver);
    table = next;
  }
  return w.drop(Reason.WalkTooLong);
}

/** Fill the flow key. A header that cannot be read leaves its fields zero, as Open vSwitch's flow extraction does
 *  (lib/flow.c miniflow_extract). The Ethernet type is matched even where the rest is broken. */
function extractKey(w: Walk): void {
  const { key, p, at, end } = w;
  const { NODE, IN_PORT, TUN_ID, TUN_SRC } = Field;
  const tunSrc = key[TUN_SRC]!;
  key.fill(0);
  key[NODE] = w.node;
  key[IN_PORT] = w.ofport;
  key[TUN_SRC] = tunSrc;
  key[TUN_ID] = w.tunId;
  w.malformed = Reason.None;
  if (end - at < ETHERNET.SIZE) return;
  w.etherType = etherType(p, at);
  key[Field.ETH_TYPE] = w.etherType;
  key[Field.ETH_DST_HI] = ethDstHi(p, at);
  key[Field.ETH_DST_LO] = ethDstLo(p, at) | 0;
  if (w.etherType === ETHERTYPE.IPV4) extractIpv4(w);
  else if (w.etherType === ETHERTYPE.ARP) extractArp(w);
}

function extractIpv4(w: Walk): void {
  const { key, p } = w;
  const l3 = w.at + ETHERNET.SIZE;
  w.malformed = checkIpv4(p, l3, w.end);
  key[Field.CT_STATE] = CT_STATE_BITS[w.ctInfo]!;
  if (w.malformed !== Reason.None) return;
  findTransport(w);
  key[Field.NW_SRC] = ipv4Src(p, l3) | 0;
  key[Field.NW_DST] = ipv4Dst(p, l3) | 0;
  const protocol = ipv4Protocol(p, l3);
  key[Field.NW_PROTO] = protocol;
  extractPorts(w, protocol);
}

/** Ports are read where a whole fixed header is behind them, and never of a later fragment (nx-match). */
function extractPorts(w: Walk, protocol: number): void {
  const { key, p } = w;
  const size =
    protocol === PROTOCOL.TCP
      ? TCP.MIN_SIZE
      : protocol === PROTOCOL.UDP
        ? UDP.SIZE
        : protocol === PROTOCOL.SCTP
          ? SCTP.SIZE
          : 0;
  if (size === 0 || isLaterFragment(p, w.l3) || ipv4End(w) - w.l4 < size) return;
  key[Field.TP_SRC] = p.getUint16(w.l4);
  key[Field.TP_DST] = p.getUint16(w.l4 + 2);
}

function extractArp(w: Walk): void {
  const { key, p } = w;
  const arp = w.at + ETHERNET.SIZE;
  if (!isArpIpv4(p, arp, w.end)) {
    w.malformed = Reason.ArpMalformed;
    return;
  }
  key[Field.NW_PROTO] = arpOper(p, arp);
  key[Field.NW_SRC] = arpSpa(p, arp) | 0;
  key[Field.NW_DST] = arpTpa(p, arp) | 0;
  key[Field.ARP_SHA_LO] = arpShaLo(p, arp) | 0;
}

/** ct() cuts the frame to the length that the IPv4 header says (net/openvswitch/conntrack.c, nf_ct_skb_network_trim);
 *  a length below the header's leaves nothing to match addresses on. */
function trimPadding(w: Walk): void {
  w.end = ipv4End(w);
  if (w.end >= w.l4) return;
  w.malformed = Reason.Ipv4BadTotalLength;
  w.key[Field.NW_SRC] = 0;
  w.key[Field.NW_DST] = 0;
}

const isFragmentInHand = (w: Walk): boolean => w.malformed === Reason.None && isFragment(w.p, w.l3);

/** ct() asks for whole datagrams; of one that has become whole, the ports are known now
 *  (net/openvswitch/conntrack.c ovs_ct_handle_fragments, ovs_flow_key_update_l3l4). */
function gatherHere(w: Walk): boolean {
  if (!gather(w, FragmentUser.CONNTRACK_IN, w.node, Waits.BRIDGE)) return false;
  extractPorts(w, w.key[Field.NW_PROTO]!);
  return true;
}

/** The rule says where it died; the frame may say better why. */
function sharpen(w: Walk, reason: number): number {
  if (w.malformed !== Reason.None) return w.malformed;
  if (reason !== Reason.EtherTypeUnsupported) return reason;
  if (w.etherType === ETHERTYPE.IPV6) return Reason.Ipv6Unsupported;
  return w.etherType === ETHERTYPE.VLAN || w.etherType === ETHERTYPE.SVLAN
    ? Reason.VlanTagged
    : Reason.EtherTypeUnsupported;
}

/** The bucket of a select group for the packet in hand: the same for all packets of a flow, by its hash (Open vSwitch
 *  ofproto-dpif-xlate.c, dp_hash). Answers the row of its Bucket. */
function selectBucket(w: Walk, group: number, buckets: number): number {
  const { action } = w.tables.flows;
  const { key } = w;
  const ports = (key[Field.TP_SRC]! << 16) | key[Field.TP_DST]!;
  const hash = tupleHash(w.seed, key[Field.NW_SRC]!, key[Field.NW_DST]!, ports, key[Field.NW_PROTO]!);
  let at = group + 1;
  for (let left = hash % buckets; left > 0; left--) at += action.arg[at]! + 1;
  return at;
}

function setDestination(w: Walk, hi: number, lo: number): void {
  setEthDst(w.p, w.at, hi, lo);
  w.key[Field.ETH_DST_HI] = hi;
  w.key[Field.ETH_DST_LO] = lo | 0;
}

/** The packet in hand is a copy: it goes where the action says that is due for it. */
function outputCopy(w: Walk): number {
  const { copies } = w;
  const { rule, action, subtable } = w.tables.flows;
  const level = copies.depth - 1;
  const row = copies.rule[level]!;
  const at = copies.action[level]!++;
  w.isCopy = false;
  if (w.hops !== null) w.hops.copy(w, subtable.table[rule.subtable[row]!]!, row);
  if (action.op[at] === Op.OutputCopy) return output(w, action.arg[at]!);
  w.tunDst = action.arg[at]!;
  return leave(w, BridgeNext.Vxlan0);
}

function output(w: Walk, port: number): number {
  if (port === w.ofport) return w.drop(Reason.BridgeSuppressed);
  const edge =
    port === OFPORT.VXLAN0 ? BridgeNext.Vxlan0 : port === OFPORT.TUN0 ? BridgeNext.Tun0 : BridgeNext.Pod;
  if (edge === BridgeNext.Pod && !findPod(w, port)) return w.drop(Reason.UnknownPod);
  return leave(w, edge);
}

/** What came in fragments leaves in fragments (net/openvswitch/actions.c do_output). */
function leave(w: Walk, edge: number): number {
  if (w.mru === 0) return edge;
  if (w.end - w.at <= w.mru + ETHERNET.SIZE) {
    w.mru = 0;
    return edge;
  }
  w.flowPorts = (w.key[Field.TP_SRC]! << 16) | w.key[Field.TP_DST]!;
  return cut(w, edge, 0xffff, false, true);
}

function findPod(w: Walk, port: number): boolean {
  const { nodes, ofports } = w.tables;
  const pod = ofports.pod[nodes.ofportFirst[w.node]! + port - OFPORT.FIRST_POD];
  if (pod === undefined || pod === NONE) return false;
  w.pod = pod;
  return true;
}
