/** br0's OpenFlow tables of all nodes: a classifier of masked fields, one subtable per table, priority and mask.
 *
 *  FTB1, a row per OpenFlow table number: first u32, count u32: its run of subtables, highest priority first.
 *  FSB1, subtable: fieldFirst u32 | fieldCount u32 | sameCount u32 | onlyRule u32 | table u32 | priority u32
 *    The first sameCount fields have the same value in all its rules and are compared before anything is hashed;
 *    where all fields are of that kind there is one rule, onlyRule (else NO_RULE). IN_POLICIES: see policies.ts.
 *  FFD1, a subtable's fields: mask i32 | value i32, of a field that all rules share | field u8.
 *  FRL1, rule: subtable u32 | node u32 | valueFirst u32 | actionFirst u32 | cookie u32 | object u32 | reason u16 | quirk u8
 *    values: FVL1 value i32, one for each field of the subtable, already masked; of a policy's rule the last one is its row of PLR1.
 *  FHS1, slots: row u32, rule + 1; 0 is empty. Key (subtable, values that differ), linear probing, power-of-two, load <= 0.5.
 *  FAC1, actions: arg u32 | op u8; a rule's run ends with End.
 *  A rule belongs to the node in its NODE field; where the subtable lacks that field, to every node.
 *  The first subtable that hits wins, so no two subtables of one table and priority may overlap with different actions,
 *  as OpenFlow asks. Written by compile, read-only. Source: Open vSwitch lib/classifier.c (tuple space search). */
import { layout, type TableOf } from '../layout/layout.js';
import { NONE } from './nodes.js';
import { Effect, findInScope, identityOf, type PolicyTables } from './policies.js';

export const FLOW_TABLE = layout('FTB1', { first: 'u32', count: 'u32' });
export const FLOW_SUBTABLE = layout('FSB1', {
  fieldFirst: 'u32',
  fieldCount: 'u32',
  sameCount: 'u32',
  onlyRule: 'u32',
  table: 'u32',
  priority: 'u32',
});
export const FLOW_FIELD = layout('FFD1', { mask: 'i32', value: 'i32', field: 'u8' });
export const NO_RULE = 0xffffffff;
/** The subtable's rules are those of NetworkPolicies. */
export const IN_POLICIES = 0xfffffffe;
export const FLOW_RULE = layout('FRL1', {
  subtable: 'u32',
  node: 'u32',
  valueFirst: 'u32',
  actionFirst: 'u32',
  cookie: 'u32',
  object: 'u32',
  reason: 'u16',
  quirk: 'u8',
});
export const FLOW_VALUE = layout('FVL1', { value: 'i32' });
export const FLOW_SLOTS = layout('FHS1', { row: 'u32' });
export const FLOW_ACTION = layout('FAC1', { arg: 'u32', op: 'u8' });

/** Fields of a flow key, as indices into an Int32Array; OpenFlow's names. ARP's addresses stand in NW_SRC and NW_DST. */
export const Field = {
  NODE: 0,
  IN_PORT: 1,
  ETH_TYPE: 2,
  NW_SRC: 3,
  NW_DST: 4,
  NW_PROTO: 5,
  TP_SRC: 6,
  TP_DST: 7,
  CT_STATE: 8,
  REG0: 9,
  REG1: 10,
  REG2: 11,
  TUN_ID: 12,
  TUN_SRC: 13,
  ARP_SHA_LO: 14,
  /** No field of OpenFlow's. In a match: the row of PLR1. In a key: 1 + the row of FRL1 that would have let the packet
   *  through, had a quirk not left it out; else 0. */
  POLICY_RULE: 15,
  /** A MAC's first two octets and its last four, as all MACs in tables. */
  ETH_DST_HI: 16,
  ETH_DST_LO: 17,
} as const;
export const FLOW_KEY_SIZE = 18;

export const FIELD_NAMES: readonly string[] = [
  'node',
  'in_port',
  'eth_type',
  'nw_src',
  'nw_dst',
  'nw_proto',
  'tp_src',
  'tp_dst',
  'ct_state',
  'reg0',
  'reg1',
  'reg2',
  'tun_id',
  'tun_src',
  'arp_sha',
  'policy_rule',
  'dl_dst',
  'dl_dst',
];

/** ct_state bits of Open vSwitch (lib/odp-util.h OVS_CS_F_*). */
export const CT = { NEW: 0x01, EST: 0x02, REL: 0x04, RPL: 0x08, INV: 0x10, TRK: 0x20 } as const;

export const Op = {
  End: 0,
  Goto: 1,
  /** ct(table=arg): look up in zone 0, begin again in that table. */
  CtRecirculate: 2,
  CtCommit: 3,
  CtNat: 4,
  Output: 5,
  OutputReg2: 6,
  LoadReg0: 7,
  LoadReg1: 8,
  LoadReg2: 9,
  Reg0FromTunId: 10,
  TunIdFromReg0: 11,
  SetTunDst: 12,
  Drop: 13,
  /** ct(commit), and on with the next action. */
  CtCommitHere: 14,
  /** set_field of tun0's MAC, into the frame's destination. */
  SetEthDstTun: 15,
  /** set_field of the mark of row arg of the egress addresses. */
  SetPktMark: 16,
  /** Group of type select, see groupArg; its buckets follow, each behind a Bucket. */
  Group: 17,
  /** Actions of the bucket that follows. */
  Bucket: 18,
  /** Output like Output, with further ones to come: each takes a frame of its own, and none goes to in_port. */
  OutputCopy: 19,
  /** To the node with address arg by vxlan0, likewise; nothing on that node itself. */
  TunnelCopy: 20,
  LoadTunId: 21,
  /** The pod's MAC, 0a:58 and nw_dst, into the frame's destination. */
  SetEthDstPod: 22,
  /** resubmit:arg: this table again, in_port being arg while it is searched; no rule there asks for it. */
  Resubmit: 23,
} as const;

/** Argument of Op.Group: the group's number, which is a NetID, and how many buckets it has. */
export const groupArg = (id: number, buckets: number): number => ((Math.min(buckets, 255) << 24) | id) >>> 0;
export const groupId = (arg: number): number => arg & 0xffffff;
export const groupBuckets = (arg: number): number => arg >>> 24;

/** br0's fixed port numbers. */
export const OFPORT = { VXLAN0: 1, TUN0: 2, FIRST_POD: 3 } as const;

export interface FlowTables {
  readonly table: TableOf<typeof FLOW_TABLE>;
  readonly subtable: TableOf<typeof FLOW_SUBTABLE>;
  readonly field: TableOf<typeof FLOW_FIELD>;
  readonly rule: TableOf<typeof FLOW_RULE>;
  readonly value: TableOf<typeof FLOW_VALUE>;
  readonly slots: TableOf<typeof FLOW_SLOTS>;
  readonly action: TableOf<typeof FLOW_ACTION>;
  readonly policies: PolicyTables;
}

/** One step of the key hash; compile uses the same. */
export const hashStep = (hash: number, value: number): number => {
  const h = Math.imul(hash ^ value, 0x9e3779b1);
  return h ^ (h >>> 15);
};

/** Highest-priority rule of OpenFlow table `table` that matches `key`, or -1: every table ends with a rule for all. */
export function classify(flows: FlowTables, table: number, key: Int32Array): number {
  const { subtable } = flows;
  const first = flows.table.first[table]!;
  const last = first + flows.table.count[table]!;
  for (let s = first; s < last; s++) {
    if (!sharesFields(flows, s, key)) continue;
    const only = subtable.onlyRule[s]!;
    if (only < IN_POLICIES) return only;
    const row = only === NO_RULE ? findRule(flows, s, key) : findPolicyRule(flows, table, key);
    if (row >= 0) return row;
  }
  return -1;
}

/** Does the key have the values that all rules of the subtable ask for? Most subtables end here. */
function sharesFields(flows: FlowTables, s: number, key: Int32Array): boolean {
  const { subtable, field } = flows;
  const from = subtable.fieldFirst[s]!;
  const end = from + subtable.sameCount[s]!;
  for (let f = from; f < end; f++)
    if ((key[field.field[f]!]! & field.mask[f]!) !== field.value[f]) return false;
  return true;
}

/** The rule of subtable `s` with the key's values in the other fields, or -1. */
function findRule(flows: FlowTables, s: number, key: Int32Array): number {
  const { subtable, field, rule, value, slots } = flows;
  const first = subtable.fieldFirst[s]!;
  const from = first + subtable.sameCount[s]!;
  const end = first + subtable.fieldCount[s]!;
  let hash = hashStep(0, s);
  for (let f = from; f < end; f++) hash = hashStep(hash, key[field.field[f]!]! & field.mask[f]!);
  const mask = slots.capacity - 1;
  let slot = hash & mask;
  for (;;) {
    const row = slots.row[slot]! - 1;
    if (row < 0) return -1;
    if (rule.subtable[row] === s) {
      const values = rule.valueFirst[row]! - first;
      let f = from;
      while (f < end && value.value[values + f] === (key[field.field[f]!]! & field.mask[f]!)) f++;
      if (f === end) return row;
    }
    slot = (slot + 1) & mask;
  }
}

/** Table 27 polices what its source sends, table 80 what its destination receives. */
export const EGRESS_TABLE = 27;

/** The rule of a NetworkPolicy that lets the packet through, or -1. Of rules that quirks add or leave out only those
 *  count that make a difference. */
function findPolicyRule(flows: FlowTables, table: number, key: Int32Array): number {
  const t = flows.policies;
  const isEgress = table === EGRESS_TABLE;
  const own = identityOf(t, (isEgress ? key[Field.NW_SRC]! : key[Field.NW_DST]!) >>> 0);
  if (own === NONE) return -1;
  let scope = isEgress ? t.identities.egress[own]! : t.identities.ingress[own]!;
  if (scope === NONE) return -1;
  const peer = (isEgress ? key[Field.NW_DST]! : key[Field.NW_SRC]!) >>> 0;
  const identity = identityOf(t, peer);
  const port = (key[Field.NW_PROTO]! << 16) | key[Field.TP_DST]!;
  const netId = key[Field.REG0]! >>> 0;
  const node = key[Field.NODE]!;
  do {
    const found = findInScope(t, scope, peer, identity, netId, node, port);
    if (found !== NONE) {
      const row = t.rules.rule[found]!;
      if (t.scopes.effect[scope] !== Effect.LeftOut) return row;
      key[Field.POLICY_RULE] = row + 1;
      return -1;
    }
    scope = t.scopes.next[scope]!;
  } while (scope !== NONE);
  return -1;
}

/** Row of PLR1 behind row `rule`, or -1 when it is no rule of a NetworkPolicy. */
export function policyRuleOf(flows: FlowTables, rule: number): number {
  const s = flows.rule.subtable[rule]!;
  if (flows.subtable.onlyRule[s] !== IN_POLICIES) return -1;
  return flows.value.value[flows.rule.valueFirst[rule]! + flows.subtable.fieldCount[s]! - 1]!;
}
