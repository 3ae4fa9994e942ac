/** NetworkPolicies: which rule lets a packet through, found in a few steps however many policies there are.
 *
 *  Pods of one namespace that no selector and no named port tells apart are one *identity*. An identity that policies
 *  isolate has, per direction, a *scope*: all rules of all those policies, by the other end's address, then by port.
 *
 *    pod address -> ADR1 -> PLP1 identity -> PLI1 ingress | egress -> PLS1 scope
 *    scope, what the other end is -> PLH1 slot          (the pod's identity, its namespace, any pod, NetID, own node, all)
 *    scope, the other end's address -> PLV1 interval -> PLB1 block, its parent, … (ipBlocks that hold the address)
 *    slot or block -> PLL1 list -> PLT1 port interval -> PLR1 rule -> FRL1 rule
 *
 *  PLP1, by pod: identity u32 | next u32: the next pod of the same identity, NONE ends.
 *  PLI1: namespace u32 | labels u32 (equal for equal labels in any namespace) | ingress u32 | egress u32 (scopes, NONE: not
 *        isolated) | podFirst u32 (NONE: no pod) | podCount u32 | facts u32
 *  PLS1: next u32 | first u32 | count u32 (its intervals) | policyFirst u32 | policyCount u32 | kinds u16 | effect u8
 *  PLQ1: document u32, runs by scope: the policies that isolate.
 *  PLH1: scope u32 | value u32 | list u32, +1; 0 is empty | kind u8. Linear probing, power-of-two, load <= 0.5.
 *  PLV1: start u32, rising within a scope | block u32.   PLB1: parent u32 | list u32. NONE ends.
 *  PLL1: first u32 | count u32.   PLT1: start u32, protocol << 16 | port, rising within a list | rule u32, NONE: a gap.
 *  PLR1: rule u32 (row of FRL1) | namespace u32 | targetFirst u32 | targetCount u32 | peerFirst u32 | peerCount u32 |
 *        portFirst u32 | portLast u32 | effect u8. What compile made PLS1 to PLT1 of; for explanations.
 *  PLG1: identity u32, runs of targets.   PLE1: value u32 | kind u8 | length u8, runs of peers.
 *  PLD1, by policy: name u32 | document u32.   PLN1, by namespace: labels u32. JSON as strings; for explanations.
 *  Written by compile, read-only. */
import { type ColumnType, layout, type Table, type TableLayout, type TableOf } from '../layout/layout.js';
import { ADDRESS_KIND, type ADDRESS_TABLE, findAddress } from './addresses.js';
import { type NODE_TABLE, NONE } from './nodes.js';

export const POLICY_PODS = layout('PLP1', { identity: 'u32', next: 'u32' });
export const POLICY_IDENTITIES = layout('PLI1', {
  namespace: 'u32',
  labels: 'u32',
  ingress: 'u32',
  egress: 'u32',
  podFirst: 'u32',
  podCount: 'u32',
  facts: 'u32',
});
export const POLICY_SCOPES = layout('PLS1', {
  next: 'u32',
  first: 'u32',
  count: 'u32',
  policyFirst: 'u32',
  policyCount: 'u32',
  kinds: 'u16',
  effect: 'u8',
});
export const POLICY_ISOLATING = layout('PLQ1', { document: 'u32' });
export const POLICY_SLOTS = layout('PLH1', { scope: 'u32', value: 'u32', list: 'u32', kind: 'u8' });
export const POLICY_INTERVALS = layout('PLV1', { start: 'u32', block: 'u32' });
export const POLICY_BLOCKS = layout('PLB1', { parent: 'u32', list: 'u32' });
export const POLICY_LISTS = layout('PLL1', { first: 'u32', count: 'u32' });
export const POLICY_PORTS = layout('PLT1', { start: 'u32', rule: 'u32' });
export const POLICY_RULES = layout('PLR1', {
  rule: 'u32',
  namespace: 'u32',
  targetFirst: 'u32',
  /** NONE: every pod of the namespace. */
  targetCount: 'u32',
  peerFirst: 'u32',
  peerCount: 'u32',
  portFirst: 'u32',
  portLast: 'u32',
  effect: 'u8',
});
export const POLICY_TARGETS = layout('PLG1', { identity: 'u32' });
export const POLICY_PEERS = layout('PLE1', { value: 'u32', kind: 'u8', length: 'u8' });
export const POLICY_DOCUMENTS = layout('PLD1', { name: 'u32', document: 'u32' });
export const POLICY_NAMESPACES = layout('PLN1', { labels: 'u32' });

/** The order in which these tables lie in the buffer. */
export const POLICY_ORDER = [
  POLICY_PODS,
  POLICY_IDENTITIES,
  POLICY_SCOPES,
  POLICY_ISOLATING,
  POLICY_SLOTS,
  POLICY_INTERVALS,
  POLICY_BLOCKS,
  POLICY_LISTS,
  POLICY_PORTS,
  POLICY_RULES,
  POLICY_TARGETS,
  POLICY_PEERS,
  POLICY_DOCUMENTS,
  POLICY_NAMESPACES,
] as const;

/** What a rule says of the other end. NETID: register 0 holds it. NETID_POD: that, and the address is a pod's of the
 *  namespace. LABELS: pods of any namespace. BLOCK is found by interval, the others by slot. */
export const PeerKind = {
  ANY: 0,
  NODE: 1,
  NETID: 2,
  POD: 3,
  NAMESPACE: 4,
  NETID_POD: 5,
  IDENTITY: 6,
  LABELS: 7,
  BLOCK: 8,
} as const;

/** What became of a rule: it stands as the API has it; a quirk of the SDN adds it; a quirk leaves it out. */
export const Effect = { Stands: 0, Added: 1, LeftOut: 2 } as const;

export interface PolicyTables {
  readonly pods: TableOf<typeof POLICY_PODS>;
  readonly identities: TableOf<typeof POLICY_IDENTITIES>;
  readonly scopes: TableOf<typeof POLICY_SCOPES>;
  readonly isolating: TableOf<typeof POLICY_ISOLATING>;
  readonly slots: TableOf<typeof POLICY_SLOTS>;
  readonly intervals: TableOf<typeof POLICY_INTERVALS>;
  readonly blocks: TableOf<typeof POLICY_BLOCKS>;
  readonly lists: TableOf<typeof POLICY_LISTS>;
  readonly ports: TableOf<typeof POLICY_PORTS>;
  readonly rules: TableOf<typeof POLICY_RULES>;
  readonly targets: TableOf<typeof POLICY_TARGETS>;
  readonly peers: TableOf<typeof POLICY_PEERS>;
  readonly documents: TableOf<typeof POLICY_DOCUMENTS>;
  readonly namespaces: TableOf<typeof POLICY_NAMESPACES>;
  /** Of the same table set. */
  readonly addresses: TableOf<typeof ADDRESS_TABLE>;
  readonly nodes: TableOf<typeof NODE_TABLE>;
}

/** Views of the tables, the first of which is table `at` of the set; `open` is that of openTables. */
export function openPolicies(
  open: <C extends Readonly<Record<string, ColumnType>>>(i: number, table: TableLayout<C>) => Table<C>,
  at: number,
  addresses: TableOf<typeof ADDRESS_TABLE>,
  nodes: TableOf<typeof NODE_TABLE>,
): PolicyTables {
  let i = at;
  return {
    pods: open(i++, POLICY_PODS),
    identities: open(i++, POLICY_IDENTITIES),
    scopes: open(i++, POLICY_SCOPES),
    isolating: open(i++, POLICY_ISOLATING),
    slots: open(i++, POLICY_SLOTS),
    intervals: open(i++, POLICY_INTERVALS),
    blocks: open(i++, POLICY_BLOCKS),
    lists: open(i++, POLICY_LISTS),
    ports: open(i++, POLICY_PORTS),
    rules: open(i++, POLICY_RULES),
    targets: open(i++, POLICY_TARGETS),
    peers: open(i++, POLICY_PEERS),
    documents: open(i++, POLICY_DOCUMENTS),
    namespaces: open(i++, POLICY_NAMESPACES),
    addresses,
    nodes,
  };
}

/** Hash of a slot's key; compile uses the same. */
export function slotHash(scope: number, kind: number, value: number): number {
  let h = Math.imul(scope ^ (kind << 27), 0x85ebca6b) ^ Math.imul(value ^ (value >>> 15), 0x9e3779b1);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Identity behind an address (u32), or NONE. */
export function identityOf(t: PolicyTables, address: number): number {
  const slot = findAddress(t.addresses, address);
  if (slot < 0 || t.addresses.kind[slot] !== ADDRESS_KIND.POD) return NONE;
  return t.pods.identity[t.addresses.row[slot]!]!;
}

/** The row of PLR1 that `scope` has for a packet to or from `peer` (u32), or NONE. `netId` is its register 0, `port` its
 *  protocol << 16 | destination port, `identity` that of the other end, or NONE. */
export function findInScope(
  t: PolicyTables,
  scope: number,
  peer: number,
  identity: number,
  netId: number,
  node: number,
  port: number,
): number {
  const kinds = t.scopes.kinds[scope]!;
  let rule = NONE;
  if (identity !== NONE) {
    const namespace = t.identities.namespace[identity]!;
    if (kinds & (1 << PeerKind.IDENTITY)) rule = bySlot(t, scope, PeerKind.IDENTITY, identity, port);
    if (rule === NONE && kinds & (1 << PeerKind.LABELS))
      rule = bySlot(t, scope, PeerKind.LABELS, t.identities.labels[identity]!, port);
    if (rule === NONE && kinds & (1 << PeerKind.NAMESPACE))
      rule = bySlot(t, scope, PeerKind.NAMESPACE, namespace, port);
    if (rule === NONE && kinds & (1 << PeerKind.POD)) rule = bySlot(t, scope, PeerKind.POD, 0, port);
    if (rule === NONE && netId === 0 && kinds & (1 << PeerKind.NETID_POD))
      rule = bySlot(t, scope, PeerKind.NETID_POD, namespace, port);
  }
  if (rule === NONE && kinds & (1 << PeerKind.NETID)) rule = bySlot(t, scope, PeerKind.NETID, netId, port);
  if (rule === NONE && kinds & (1 << PeerKind.BLOCK)) rule = byBlock(t, scope, peer, port);
  if (rule === NONE && kinds & (1 << PeerKind.ANY)) rule = bySlot(t, scope, PeerKind.ANY, 0, port);
  if (rule === NONE && kinds & (1 << PeerKind.NODE)) {
    const { gateway, address } = t.nodes;
    if (peer === gateway[node] || peer === address[node]) rule = bySlot(t, scope, PeerKind.NODE, 0, port);
  }
  return rule;
}

function bySlot(t: PolicyTables, scope: number, kind: number, value: number, port: number): number {
  const { slots } = t;
  const mask = slots.capacity - 1;
  let slot = slotHash(scope, kind, value) & mask;
  for (;;) {
    const list = slots.list[slot]!;
    if (list === 0) return NONE;
    if (slots.scope[slot] === scope && slots.value[slot] === value && slots.kind[slot] === kind)
      return inList(t, list - 1, port);
    slot = (slot + 1) & mask;
  }
}

/** The smallest block that holds the address, then those around it. */
function byBlock(t: PolicyTables, scope: number, address: number, port: number): number {
  const { start } = t.intervals;
  const first = t.scopes.first[scope]!;
  let low = first;
  let high = first + t.scopes.count[scope]!;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (start[middle]! <= address) low = middle + 1;
    else high = middle;
  }
  let block = low === first ? NONE : t.intervals.block[low - 1]!;
  while (block !== NONE) {
    const rule = inList(t, t.blocks.list[block]!, port);
    if (rule !== NONE) return rule;
    block = t.blocks.parent[block]!;
  }
  return NONE;
}

function inList(t: PolicyTables, list: number, port: number): number {
  const { start } = t.ports;
  const first = t.lists.first[list]!;
  let low = first;
  let high = first + t.lists.count[list]!;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (start[middle]! <= port) low = middle + 1;
    else high = middle;
  }
  return low === first ? NONE : t.ports.rule[low - 1]!;
}
