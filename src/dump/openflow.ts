/** br0's flows as `ovs-ofctl -O OpenFlow13 add-flows` reads them: those that this one node really has.
 *  Source: openshift/sdn pkg/network/node/ovscontroller.go (SetupOVS, AddHostSubnetRules), networkpolicy.go (VNIDs in use). */
import type { Epoch } from '../tables/epoch.js';
import { Field, IN_POLICIES } from '../tables/flows.js';
import { NONE } from '../tables/nodes.js';
import { policyFlows } from './policy-flows.js';

/** One rule in words. The engine's `ruleText` gives these. */
export interface FlowWords {
  readonly priority: number;
  readonly match: string;
  readonly actions: string;
  readonly cookie: number;
  readonly object: string;
}

export interface DumpedFlow extends FlowWords {
  readonly table: number;
  /** The line without its comment. */
  readonly text: string;
}

const MODE = { SUBNET: 0, MULTITENANT: 1, NETWORKPOLICY: 2 } as const;
/** Version of the rule set that the SDN writes into table 253 beside the plugin's number. */
const RULE_VERSION = 13;
/** Table whose rules are there for NetIDs in use alone -> register that holds the NetID. */
const POLICED: Readonly<Record<number, number>> = { 27: Field.REG0, 80: Field.REG1, 110: Field.REG0 };

/** Flows of node row `node`, by table, falling priority, then text. `describe` puts a rule row into words.
 *  Left out as the real node has not got them: flows to its own HostSubnet, and those of NetIDs without a pod here. */
export function dumpFlows(
  epoch: Epoch,
  node: number,
  describe: (rule: number) => FlowWords,
): readonly DumpedFlow[] {
  const { flows, config } = epoch.tables;
  const here = netIdsOf(epoch, node);
  const nodeName = epoch.text(epoch.tables.nodes.name[node]!);
  const mode = config.mode[0]!;
  const dumped: DumpedFlow[] = [];
  for (let rule = 0; rule < flows.rule.rows; rule++) {
    if (flows.rule.node[rule] !== NONE && flows.rule.node[rule] !== node) continue;
    const subtable = flows.rule.subtable[rule]!;
    if (subtable === NONE) continue;
    if (flows.subtable.onlyRule[subtable] === IN_POLICIES) continue;
    const table = flows.subtable.table[subtable]!;
    if (!isForNetIdHere(epoch, rule, table, mode, here)) continue;
    const words = describe(rule);
    if (words.object === `HostSubnet ${nodeName}`) continue;
    dumped.push(withText(table, words));
  }
  let last = -1;
  let words: FlowWords | null = null;
  for (const { table, rule, match } of policyFlows(epoch, node, here)) {
    // Many flows of one rule come one after the other.
    if (rule !== last) words = describe(rule);
    last = rule;
    dumped.push(withText(table, { ...words!, match }));
  }
  const note = { cookie: 0, priority: 32_768, match: '', actions: versionNote(mode), object: 'rule version' };
  dumped.push(withText(253, note));
  return dumped.sort((a, b) => a.table - b.table || b.priority - a.priority || (a.text < b.text ? -1 : 1));
}

export interface DumpedGroup {
  readonly text: string;
  readonly object: string;
}

/** Groups that the flows of node row `node` send packets to, as `ovs-ofctl add-groups` reads them. `describe` puts a rule
 *  row's group into words, or answers null. */
export function dumpGroups(
  epoch: Epoch,
  node: number,
  describe: (rule: number) => string | null,
): readonly DumpedGroup[] {
  const { rule } = epoch.tables.flows;
  const groups: DumpedGroup[] = [];
  for (let row = 0; row < rule.rows; row++) {
    if (rule.subtable[row] === NONE || rule.node[row] !== node) continue;
    const text = describe(row);
    if (text !== null) groups.push({ text, object: epoch.text(rule.object[row]!) });
  }
  return groups.sort((a, b) => (a.text < b.text ? -1 : 1));
}

function withText(table: number, words: FlowWords): DumpedFlow {
  const match = words.match === '' ? '' : `,${words.match}`;
  const cookie = words.cookie === 0 ? '0' : `0x${words.cookie.toString(16)}`;
  const text = `cookie=${cookie},table=${table},priority=${words.priority}${match},actions=${words.actions}`;
  return { ...words, table, text };
}

/** What the SDN reads back to see whether a bridge is its own: plugin number and rule version. */
function versionNote(mode: number): string {
  const hex = (value: number): string => value.toString(16).padStart(2, '0').toUpperCase();
  return `note:${hex(mode)}.${hex(RULE_VERSION)}.00.00.00.00`;
}

function netIdsOf(epoch: Epoch, node: number): ReadonlySet<number> {
  const { pods } = epoch.tables;
  const here = new Set<number>();
  for (let row = 0; row < pods.rows; row++) if (pods.node[row] === node) here.add(pods.vni[row]!);
  return here;
}

/** A namespace's isolation is installed where it has a pod; the rules for NetID 0 of the multitenant plugin everywhere. */
function isForNetIdHere(
  epoch: Epoch,
  rule: number,
  table: number,
  mode: number,
  here: ReadonlySet<number>,
): boolean {
  const register = POLICED[table];
  if (register === undefined || mode === MODE.SUBNET) return true;
  const netId = exactValue(epoch, rule, register);
  if (netId === null || (mode === MODE.MULTITENANT && netId === 0)) return true;
  return here.has(netId);
}

/** The value that a rule asks of `field` in all its bits, or null. */
function exactValue(epoch: Epoch, rule: number, field: number): number | null {
  const { flows } = epoch.tables;
  const subtable = flows.rule.subtable[rule]!;
  const first = flows.subtable.fieldFirst[subtable]!;
  for (let i = 0; i < flows.subtable.fieldCount[subtable]!; i++)
    if (flows.field.field[first + i] === field && flows.field.mask[first + i] === -1)
      return flows.value.value[flows.rule.valueFirst[rule]! + i]! >>> 0;
  return null;
}
