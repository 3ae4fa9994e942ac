/** Turns flows (table, priority, match, actions) into the classifier's tables. */
import { TableBuilder } from '../layout/builder.js';
import { slotsFor } from '../tables/addresses.js';
import {
  Field,
  FLOW_ACTION,
  FLOW_FIELD,
  FLOW_RULE,
  FLOW_SLOTS,
  FLOW_SUBTABLE,
  FLOW_TABLE,
  FLOW_VALUE,
  hashStep,
  NO_RULE,
  Op,
} from '../tables/flows.js';
import { NONE } from '../tables/nodes.js';
import type { Reason } from '../verdict/reasons.js';

/** A match: field number -> [value, mask]. */
export type Match = ReadonlyMap<number, readonly [value: number, mask: number]>;
export type Action = readonly [op: number, arg: number];

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
}

interface Group {
  readonly table: number;
  readonly priority: number;
  readonly fields: readonly (readonly [field: number, mask: number])[];
  readonly flows: Flow[];
}

export class FlowBuilder {
  readonly #groups = new Map<string, Group>();

  add(flow: Flow): void {
    const fields = [...flow.match].map(([field, [, mask]]) => [field, mask] as const);
    if (flow.node !== NONE) fields.push([Field.NODE, -1]);
    fields.sort(([a], [b]) => a - b);
    const key = `${flow.table} ${flow.priority} ${fields.map(([f, m]) => `${f}/${m}`).join(' ')}`;
    let group = this.#groups.get(key);
    if (group === undefined) {
      group = { table: flow.table, priority: flow.priority, fields, flows: [] };
      this.#groups.set(key, group);
    }
    group.flows.push(flow);
  }

  /** The tables in the epoch's order: FTB, FSB, FFD, FRL, FVL, FHS, FAC. */
  finish(): readonly TableBuilder<never>[] {
    const table = new TableBuilder(FLOW_TABLE);
    const subtable = new TableBuilder(FLOW_SUBTABLE);
    const field = new TableBuilder(FLOW_FIELD);
    const rule = new TableBuilder(FLOW_RULE);
    const value = new TableBuilder(FLOW_VALUE);
    const action = new TableBuilder(FLOW_ACTION);
    const hashes: number[] = [];
    const groups = [...this.#groups.values()].sort((a, b) => a.table - b.table || b.priority - a.priority);
    let next = 0;
    for (let number = 0; number < 256; number++) {
      const first = next;
      while (next < groups.length && groups[next]!.table === number) next++;
      table.add({ first, count: next - first });
    }
    const runs = new Map<string, number>();
    groups.forEach((group, s) => {
      const rows = distinctRows(group);
      const fields = sharedFirst(group, rows);
      subtable.add({
        fieldFirst: field.rows,
        fieldCount: fields.length,
        sameCount: fields.filter((f) => f.isShared).length,
        onlyRule: fields.every((f) => f.isShared) ? rule.rows : NO_RULE,
        table: group.table,
        priority: group.priority,
      });
      for (const f of fields)
        field.add({ mask: f.mask | 0, value: f.isShared ? rows[0]!.values[f.index]! : 0, field: f.field });
      for (const { flow, values } of rows) {
        let hash = hashStep(0, s);
        for (const f of fields) if (!f.isShared) hash = hashStep(hash, values[f.index]!);
        hashes.push(hash);
        rule.add({
          subtable: s,
          node: flow.node,
          valueFirst: value.rows,
          actionFirst: actionRun(flow.actions, runs, action),
          cookie: flow.cookie ?? 0,
          object: flow.object ?? 0,
          reason: flow.reason ?? 0,
        });
        for (const f of fields) value.add({ value: values[f.index]! });
      }
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
}

interface Row {
  readonly flow: Flow;
  /** Masked values in the order of the group's fields. */
  readonly values: readonly number[];
}

/** The group's flows; of those with the same match the first stays, as the others would never be reached. */
function distinctRows(group: Group): readonly Row[] {
  const rows = new Map<string, Row>();
  for (const flow of group.flows) {
    const values = group.fields.map(([f, mask]) =>
      f === Field.NODE && flow.node !== NONE ? flow.node : (flow.match.get(f)![0] & mask) | 0,
    );
    const key = values.join(' ');
    if (!rows.has(key)) rows.set(key, { flow, values });
  }
  return [...rows.values()];
}

/** The group's fields, those that all its rows have alike in front: they are compared before anything is hashed. */
function sharedFirst(
  group: Group,
  rows: readonly Row[],
): readonly { field: number; mask: number; index: number; isShared: boolean }[] {
  const fields = group.fields.map(([field, mask], index) => ({
    field,
    mask,
    index,
    isShared: rows.every((row) => row.values[index] === rows[0]!.values[index]),
  }));
  return [...fields.filter((f) => f.isShared), ...fields.filter((f) => !f.isShared)];
}

/** Equal action lists share one run. */
function actionRun(
  actions: readonly Action[],
  runs: Map<string, number>,
  table: TableBuilder<typeof FLOW_ACTION.columns>,
): number {
  const key = actions.join(';');
  const known = runs.get(key);
  if (known !== undefined) return known;
  const first = table.rows;
  for (const [op, arg] of actions) table.add({ op, arg: arg >>> 0 });
  table.add({ op: Op.End, arg: 0 });
  runs.set(key, first);
  return first;
}

function fillSlots(hashes: readonly number[]): TableBuilder<typeof FLOW_SLOTS.columns> {
  const slots = slotsFor(hashes.length);
  const rows = new Array<number>(slots).fill(0);
  hashes.forEach((hash, row) => {
    let slot = hash & (slots - 1);
    while (rows[slot] !== 0) slot = (slot + 1) & (slots - 1);
    rows[slot] = row + 1;
  });
  const table = new TableBuilder(FLOW_SLOTS);
  for (const row of rows) table.add({ row });
  return table;
}
