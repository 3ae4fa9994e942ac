/** Puts a logged walk into words: devices, OpenFlow rules as ovs-ofctl writes them, the objects behind them. */
import { formatIpv4 } from '../addr/ipv4.js';
import { formatMac } from '../addr/mac.js';
import type { Epoch } from '../tables/epoch.js';
import { CT, FIELD_NAMES, Field, groupBuckets, groupId, Op, policyRuleOf } from '../tables/flows.js';
import { NONE } from '../tables/nodes.js';
import { REASONS, Reason } from '../verdict/reasons.js';
import { VERDICT_NAMES, type VerdictName } from '../verdict/verdict.js';
import { GRAPH } from './graph.js';
import type { LoggedHop, LoggedPacket } from './hop-log.js';
import {
  isLeftOut,
  type PolicyAllow,
  type PolicyDenial,
  policyAllows,
  policyDenial,
  quirkText,
} from './policy-decision.js';
import { policyMatch } from './policy-match.js';

export interface RuleText {
  readonly priority: number;
  readonly match: string;
  readonly actions: string;
  readonly cookie: number;
  /** `Pod web/pod-1`, `NetworkPolicy a/b ingress[0]`, or empty for a rule of the pipeline itself. */
  readonly object: string;
  /** The quirk of the SDN that the rule is there for, by name and sentence. */
  readonly quirk?: string;
}

export interface Hop {
  readonly node: string;
  readonly device: string;
  readonly stage: string;
  readonly table?: number;
  readonly rule?: RuleText;
  /** The frame as it was here. */
  readonly bytes: Uint8Array;
  readonly tsNs: number;
  /** What br0 knew of the packet beside its headers, on arrival here. */
  readonly flow: FlowState;
}

/** OpenFlow's registers, connection state and tunnel fields; addresses and NetIDs are u32, ports OpenFlow's. */
export interface FlowState {
  readonly inPort: number;
  /** Bits of CT in tables/flows.ts. */
  readonly ctState: number;
  readonly registers: readonly [reg0: number, reg1: number, reg2: number];
  readonly tunId: number;
  readonly tunSrc: number;
  readonly tunDst: number;
}

export interface PacketTrace {
  readonly packet: number;
  readonly parent: number;
  readonly verdict: VerdictName;
  readonly reason: string;
  /** Port where it ended, or empty. */
  readonly exit: string;
  readonly hops: readonly Hop[];
  readonly service: string;
  readonly endpoint: string;
  /** Rules of NetworkPolicies that let it through, in the order of its way. */
  readonly allowedBy: readonly PolicyAllow[];
  /** Where a NetworkPolicy was the reason for its end. */
  readonly denial: PolicyDenial | null;
}

/** Reasons that come of NetworkPolicies. */
const POLICY_DROPS: readonly number[] = [Reason.PolicyIngress, Reason.PolicyEgress];

/** Words for one logged packet. */
export function explainPacket(epoch: Epoch, logged: LoggedPacket): PacketTrace {
  const { tables } = epoch;
  return {
    packet: logged.packet,
    parent: logged.parent,
    verdict: VERDICT_NAMES[logged.verdict]!,
    reason: REASONS[logged.reason]!.name,
    exit: logged.exit < 0 ? '' : epoch.text(tables.ports.name[logged.exit]!),
    hops: logged.hops.filter((hop) => !isLeftOut(epoch, hop.rule)).map((hop) => explainHop(epoch, hop)),
    service: logged.service < 0 ? '' : epoch.text(tables.services.name[logged.service]!),
    endpoint: logged.endpoint < 0 ? '' : epoch.text(tables.endpoints.name[logged.endpoint]!),
    allowedBy: policyAllows(epoch, logged.hops),
    denial: POLICY_DROPS.includes(logged.reason) ? policyDenial(epoch, logged.hops) : null,
  };
}

function explainHop(epoch: Epoch, hop: LoggedHop): Hop {
  const row = GRAPH[hop.stage]!;
  const plain = {
    node: epoch.text(epoch.tables.nodes.name[hop.node]!),
    device: row.device,
    stage: row.name,
    bytes: hop.bytes,
    tsNs: hop.nowNs,
    flow: flowState(hop),
  };
  return hop.rule < 0 ? plain : { ...plain, table: hop.table, rule: ruleText(epoch, hop.rule, hop.node) };
}

const flowState = ({ key, tunId, tunDst }: LoggedHop): FlowState => ({
  inPort: key[Field.IN_PORT]!,
  ctState: key[Field.CT_STATE]!,
  registers: [key[Field.REG0]!, key[Field.REG1]!, key[Field.REG2]!],
  tunId,
  tunSrc: key[Field.TUN_SRC]! >>> 0,
  tunDst: tunDst >>> 0,
});

/** A rule in ovs-ofctl's words; as node row `node` has it, where it differs from node to node. */
export function ruleText(epoch: Epoch, rule: number, node: number = NONE): RuleText {
  const { flows } = epoch.tables;
  const subtable = flows.rule.subtable[rule]!;
  const policyRule = policyRuleOf(flows, rule);
  const quirk = quirkText(flows.rule.quirk[rule]!);
  return {
    priority: flows.subtable.priority[subtable]!,
    match: policyRule < 0 ? matchText(epoch, rule) : policyMatch(epoch, policyRule),
    actions: actionText(epoch, rule, node),
    cookie: flows.rule.cookie[rule]!,
    object: epoch.text(flows.rule.object[rule]!),
    ...(quirk === '' ? {} : { quirk }),
  };
}

const CT_NAMES: readonly (readonly [number, string])[] = [
  [CT.NEW, 'new'],
  [CT.EST, 'est'],
  [CT.REL, 'rel'],
  [CT.RPL, 'rpl'],
  [CT.INV, 'inv'],
  [CT.TRK, 'trk'],
];

function matchText(epoch: Epoch, rule: number): string {
  const { flows } = epoch.tables;
  const subtable = flows.rule.subtable[rule]!;
  const first = flows.subtable.fieldFirst[subtable]!;
  const fields = new Map<number, readonly [value: number, mask: number]>();
  for (let i = 0; i < flows.subtable.fieldCount[subtable]!; i++) {
    const value = flows.value.value[flows.rule.valueFirst[rule]! + i]!;
    fields.set(flows.field.field[first + i]!, [value, flows.field.mask[first + i]!]);
  }
  const isArp = fields.get(Field.ETH_TYPE)?.[0] === 0x0806;
  const parts: string[] = [];
  // ovs-ofctl writes the protocol first, then the fields in their order.
  const rank = (field: number): number =>
    field === Field.ETH_TYPE ? -1 : field === Field.ETH_DST_LO ? Field.IN_PORT + 0.5 : field;
  const sorted = [...fields].sort(([a], [b]) => rank(a) - rank(b));
  for (const [field, [value, mask]] of sorted) {
    if (field === Field.NODE || field === Field.ETH_DST_HI) continue;
    if (field === Field.ETH_DST_LO) {
      parts.push(`dl_dst=${formatMac(fields.get(Field.ETH_DST_HI)![0], value)}`);
      continue;
    }
    parts.push(fieldText(field, value, mask, isArp, fields.get(Field.NW_PROTO)?.[0]));
  }
  return parts.filter(Boolean).join(',');
}

function fieldText(
  field: number,
  value: number,
  mask: number,
  isArp: boolean,
  proto: number | undefined,
): string {
  const name = FIELD_NAMES[field]!;
  switch (field) {
    case Field.ETH_TYPE:
      if (isArp) return 'arp';
      return proto === 6 ? 'tcp' : proto === 17 ? 'udp' : proto === 132 ? 'sctp' : 'ip';
    case Field.NW_PROTO:
      return proto === 6 || proto === 17 || proto === 132 ? '' : `nw_proto=${value}`;
    case Field.NW_SRC:
    case Field.NW_DST: {
      const label = isArp ? (field === Field.NW_SRC ? 'arp_spa' : 'arp_tpa') : name;
      return `${label}=${formatIpv4(value)}${mask === -1 ? '' : `/${Math.clz32(~mask)}`}`;
    }
    case Field.TUN_SRC:
      return `tun_src=${formatIpv4(value)}`;
    case Field.CT_STATE:
      return `ct_state=${CT_NAMES.filter(([bit]) => mask & bit)
        .map(([bit, text]) => `${value & bit ? '+' : '-'}${text}`)
        .join('')}`;
    case Field.REG0:
    case Field.REG1:
    case Field.REG2:
      return `${name}=${registerText(value)}`;
    case Field.ARP_SHA_LO:
      return `arp_sha=00:00:${(value >>> 0).toString(16).padStart(8, '0').match(/../g)!.join(':')}/00:00:ff:ff:ff:ff`;
    default:
      return mask === -1 || (mask & 0xffff) === 0xffff
        ? `${name}=${value}`
        : `${name}=0x${value.toString(16)}/0x${(mask & 0xffff).toString(16)}`;
  }
}

/** As ovs-ofctl writes them: hexadecimal, but zero. */
const registerText = (value: number): string => (value === 0 ? '0' : `0x${value.toString(16)}`);

function actionText(epoch: Epoch, rule: number, at: number): string {
  const { rule: rules, action } = epoch.tables.flows;
  const node = rules.node[rule] === NONE ? at : rules.node[rule]!;
  return actionsText(epoch, node, rules.actionFirst[rule]!, action.capacity);
}

/** Actions from row `first` on, `count` at most; a group's buckets are not among them. */
function actionsText(epoch: Epoch, node: number, first: number, count: number): string {
  const { action } = epoch.tables.flows;
  const parts: string[] = [];
  for (let at = first; at < first + count && action.op[at] !== Op.End; at++) {
    const isSelf = action.op[at] === Op.TunnelCopy && action.arg[at] === epoch.tables.nodes.address[node];
    if (!isSelf) parts.push(oneAction(epoch, node, action.op[at]!, action.arg[at]!));
    if (action.op[at] === Op.Group) break;
  }
  return parts.join(',');
}

/** The group that a rule sends its packets to, as ovs-ofctl add-groups reads it; null when there is none. */
export function groupText(epoch: Epoch, rule: number): string | null {
  const { rule: rules, action } = epoch.tables.flows;
  let at = rules.actionFirst[rule]!;
  while (action.op[at] !== Op.Group && action.op[at] !== Op.End) at++;
  if (action.op[at] === Op.End) return null;
  const parts = [`group_id=${groupId(action.arg[at]!)}`, 'type=select'];
  let bucket = at + 1;
  for (let left = groupBuckets(action.arg[at]!); left > 0; left--) {
    const count = action.arg[bucket]!;
    parts.push(`bucket=actions=${actionsText(epoch, rules.node[rule]!, bucket + 1, count)}`);
    bucket += count + 1;
  }
  return parts.join(',');
}

function oneAction(epoch: Epoch, node: number, op: number, arg: number): string {
  switch (op) {
    case Op.Goto:
      return `goto_table:${arg}`;
    case Op.CtRecirculate:
      return `ct(table=${arg})`;
    case Op.CtCommit:
      return `ct(commit,table=${arg})`;
    case Op.CtNat:
      return `ct(nat,table=${arg})`;
    case Op.Output:
      return `output:${arg}`;
    case Op.OutputReg2:
      return 'output:NXM_NX_REG2[]';
    case Op.LoadReg0:
    case Op.LoadReg1:
    case Op.LoadReg2:
      return `load:${registerText(arg)}->NXM_NX_REG${op - Op.LoadReg0}[]`;
    case Op.Reg0FromTunId:
      return 'move:NXM_NX_TUN_ID[0..31]->NXM_NX_REG0[]';
    case Op.TunIdFromReg0:
      return 'move:NXM_NX_REG0[]->NXM_NX_TUN_ID[0..31]';
    case Op.SetTunDst:
      return `set_field:${formatIpv4(arg)}->tun_dst`;
    case Op.CtCommitHere:
      return 'ct(commit)';
    case Op.SetEthDstTun: {
      const { tunMacHi, tunMacLo } = epoch.tables.nodes;
      return `set_field:${formatMac(tunMacHi[node]!, tunMacLo[node]!)}->eth_dst`;
    }
    case Op.SetEthDstPod:
      return 'move:NXM_OF_IP_DST[]->NXM_OF_ETH_DST[0..31],set_field:0a:58:00:00:00:00/ff:ff:00:00:00:00->eth_dst';
    case Op.LoadTunId:
      return `load:0x${arg.toString(16)}->NXM_NX_TUN_ID[0..31]`;
    case Op.Resubmit:
      return `resubmit:${arg}`;
    case Op.SetPktMark:
      return `set_field:0x${epoch.tables.egressIps.mark[arg]!.toString(16).padStart(8, '0')}->pkt_mark`;
    case Op.OutputCopy:
      return `output:${arg}`;
    case Op.TunnelCopy:
      return `set_field:${formatIpv4(arg)}->tun_dst,output:1`;
    case Op.Group:
      return `group:${groupId(arg)}`;
    default:
      return 'drop';
  }
}
