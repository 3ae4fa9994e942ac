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
      subtable.add({
        fieldFirst: field.rows,
        fieldCount: group.fields.length,
        table: group.table,
        priority: group.priority,
      });
      for (const [f, mask] of group.fields) field.add({ mask: mask | 0, field: f });
      const seen = new Set<string>();
      for (const flow of group.flows) {
        const values = group.fields.map(([f, mask]) =>
          f === Field.NODE && flow.node !== NONE ? flow.node : flow.match.get(f)![0] & mask,
        );
        // The same match and priority again replaces nothing here: the first stays, as add-flow of equal text would.
        const same = values.join(' ');
        if (seen.has(same)) continue;
        seen.add(same);
        let hash = hashStep(0, s);
        for (const v of values) hash = hashStep(hash, v);
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
        for (const v of values) value.add({ value: v | 0 });
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
