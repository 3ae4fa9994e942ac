/** Turns flows (table, priority, match, actions) into the classifier's tables. */
import { TableBuilder } from '../layout/builder.js';
import { slotsFor } from '../tables/addresses.js';
import {
  Field,
  FLOW_ACTION,
  FLOW_FIELD,
  FLOW_KEY_SIZE,
  FLOW_RULE,
  FLOW_SLOTS,
  FLOW_SUBTABLE,
  FLOW_TABLE,
  FLOW_VALUE,
  hashStep,
  IN_POLICIES,
  NO_RULE,
} from '../tables/flows.js';
import { NONE } from '../tables/nodes.js';
import type { Reason } from '../verdict/reasons.js';
import { type Action, ActionLists } from './action-lists.js';
import { FLOW_COLUMN, FlowGroup } from './flow-groups.js';

export type { Action } from './action-lists.js';

/** A match: field number, value, mask, field number, … with the fields in ascending order. */
export type Match = readonly number[];

export interface Flow {
  readonly table: number;
  readonly priority: number;
  /** Node row, or NONE for a rule that all nodes have alike. */
  readonly node: number;
  readonly match: Match;
  readonly actions: readonly Action[];
  /** Why packets die here, for rules that drop. */
  readonly reason?: Reason;
  readonly cookie?: number;
  /** String number of the object behind the rule. */
  readonly object?: number;
  /** See verdict/quirks. */
  readonly quirk?: number;
}

export class FlowBuilder {
  /** By number of a NetworkPolicy's rule: its row, once the tables are finished. */
  readonly policyRows: number[] = [];
  readonly #groups: FlowGroup[] = [];
  readonly #byHash = new Map<number, FlowGroup[]>();
  readonly #actions = new ActionLists();
  // The flow in hand.
  readonly #fields = new Int32Array(FLOW_KEY_SIZE);
  readonly #masks = new Int32Array(FLOW_KEY_SIZE);
  readonly #values = new Int32Array(FLOW_KEY_SIZE);

  add(flow: Flow): void {
    const width = this.#spread(flow);
    const group = this.#groupOf(flow, width);
    const row = group.add(this.#values);
    if (row < 0) return;
    const { columns } = group;
    const at = row * FLOW_COLUMN.COUNT;
    columns[at + FLOW_COLUMN.NODE] = flow.node;
    columns[at + FLOW_COLUMN.ACTIONS] = this.#actions.id(flow.actions);
    columns[at + FLOW_COLUMN.COOKIE] = flow.cookie ?? 0;
    columns[at + FLOW_COLUMN.OBJECT] = flow.object ?? 0;
    columns[at + FLOW_COLUMN.REASON] = flow.reason ?? 0;
    columns[at + FLOW_COLUMN.QUIRK] = flow.quirk ?? 0;
  }

  /** The tables in the epoch's order: FTB, FSB, FFD, FRL, FVL, FHS, FAC. */
  finish(): readonly TableBuilder<never>[] {
    const table = new TableBuilder(FLOW_TABLE);
    const subtable = new TableBuilder(FLOW_SUBTABLE);
    const field = new TableBuilder(FLOW_FIELD);
    const rule = new TableBuilder(FLOW_RULE);
    const value = new TableBuilder(FLOW_VALUE);
    const action = new TableBuilder(FLOW_ACTION);
    const groups = this.#groups.sort((a, b) => a.table - b.table || b.priority - a.priority);
    let next = 0;
    for (let number = 0; number < 256; number++) {
      const first = next;
      while (next < groups.length && groups[next]!.table === number) next++;
      table.add({ first, count: next - first });
    }
    const hashes = new Int32Array(groups.reduce((sum, { rows }) => sum + rows, 0));
    groups.forEach((group, s) => {
      const shared = sharedFields(group);
      // Those that all rules have alike in front: they are compared before anything is hashed.
      const order = [...shared.keys()].sort((a, b) => Number(shared[b]) - Number(shared[a]) || a - b);
      subtable.add({
        fieldFirst: field.rows,
        fieldCount: group.width,
        sameCount: shared.filter((isShared) => isShared).length,
        onlyRule: isOfPolicies(group)
          ? IN_POLICIES
          : shared.every((isShared) => isShared)
            ? rule.rows
            : NO_RULE,
        table: group.table,
        priority: group.priority,
      });
      for (const i of order)
        field.add({
          mask: group.masks[i]!,
          value: shared[i] ? group.values[i]! : 0,
          field: group.fields[i]!,
        });
      this.#addRules(s, group, order, shared, { rule, value, action }, hashes);
    });
    return [
      table,
      subtable,
      field,
      rule,
      value,
      fillSlots(hashes),
      action,
    ] as unknown as TableBuilder<never>[];
  }

  /** Put the flow's fields, masks and masked values side by side; returns how many there are. */
  #spread({ match, node }: Flow): number {
    let width = 0;
    // NODE is the first of all fields.
    if (node !== NONE) {
      this.#fields[0] = Field.NODE;
      this.#masks[0] = -1;
      this.#values[0] = node;
      width = 1;
    }
    for (let i = 0; i < match.length; i += 3, width++) {
      const mask = match[i + 2]! | 0;
      this.#fields[width] = match[i]!;
      this.#masks[width] = mask;
      this.#values[width] = match[i + 1]! & mask;
    }
    return width;
  }

  #groupOf({ table, priority }: Flow, width: number): FlowGroup {
    let hash = hashStep(table, priority);
    for (let i = 0; i < width; i++) hash = hashStep(hashStep(hash, this.#fields[i]!), this.#masks[i]!);
    const known = this.#byHash.get(hash);
    if (known !== undefined)
      for (const group of known)
        if (group.isOf(table, priority, this.#fields, this.#masks, width)) return group;
    const group = new FlowGroup(table, priority, this.#fields.slice(0, width), this.#masks.slice(0, width));
    this.#groups.push(group);
    if (known === undefined) this.#byHash.set(hash, [group]);
    else known.push(group);
    return group;
  }

  #addRules(
    s: number,
    group: FlowGroup,
    order: readonly number[],
    shared: readonly boolean[],
    to: {
      readonly rule: TableBuilder<typeof FLOW_RULE.columns>;
      readonly value: TableBuilder<typeof FLOW_VALUE.columns>;
      readonly action: TableBuilder<typeof FLOW_ACTION.columns>;
    },
    hashes: Int32Array,
  ): void {
    const { width, columns } = group;
    const firstValue = to.value.addZeros(group.rows * width);
    const values = to.value.column('value');
    for (let row = 0; row < group.rows; row++) {
      let hash = hashStep(0, s);
      order.forEach((i, place) => {
        const value = group.values[row * width + i]!;
        values[firstValue + row * width + place] = value;
        if (!shared[i]) hash = hashStep(hash, value);
      });
      const at = row * FLOW_COLUMN.COUNT;
      hashes[to.rule.rows] = hash;
      to.rule.add({
        subtable: s,
        node: columns[at + FLOW_COLUMN.NODE]!,
        valueFirst: firstValue + row * width,
        actionFirst: this.#actions.run(columns[at + FLOW_COLUMN.ACTIONS]!, to.action),
        cookie: columns[at + FLOW_COLUMN.COOKIE]!,
        object: columns[at + FLOW_COLUMN.OBJECT]!,
        reason: columns[at + FLOW_COLUMN.REASON]!,
        quirk: columns[at + FLOW_COLUMN.QUIRK]!,
      });
      if (isOfPolicies(group)) this.policyRows[group.values[(row + 1) * width - 1]!] = to.rule.rows - 1;
    }
  }
}

/** The number of the policy's rule is the last of its fields. */
const isOfPolicies = (group: FlowGroup): boolean => group.fields.at(-1) === Field.POLICY_RULE;

/** Which of the group's fields have one value in all its flows? */
function sharedFields({ width, rows, fields, values }: FlowGroup): readonly boolean[] {
  return Array.from({ length: width }, (_, i) => {
    // No packet has it: policies are found by tables of their own.
    if (fields[i] === Field.POLICY_RULE) return false;
    for (let row = 1; row < rows; row++) if (values[row * width + i] !== values[i]) return false;
    return true;
  });
}

function fillSlots(hashes: Int32Array): TableBuilder<typeof FLOW_SLOTS.columns> {
  const table = new TableBuilder(FLOW_SLOTS);
  const size = slotsFor(hashes.length);
  table.addZeros(size);
  const slots = table.column('row');
  for (let row = 0; row < hashes.length; row++) {
    let slot = hashes[row]! & (size - 1);
    while (slots[slot] !== 0) slot = (slot + 1) & (size - 1);
    slots[slot] = row + 1;
  }
  return table;
}
