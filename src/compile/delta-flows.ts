/** Flows that come and go in a live table set. A rule that went leaves its row and values to the next one of its subtable;
 *  action lists stay, as others may come that do the same. */
import {
  Field,
  FLOW_ACTION,
  FLOW_KEY_SIZE,
  FLOW_RULE,
  FLOW_VALUE,
  type FlowTables,
  hashStep,
  IN_POLICIES,
  NO_RULE,
  Op,
} from '../tables/flows.js';
import { NONE } from '../tables/nodes.js';
import type { Action } from './action-lists.js';
import type { Flow } from './flow-builder.js';
import type { LiveSet } from './live-set.js';
import { removeSlot } from './live-slots.js';

export class FlowDelta {
  /** Rows of FRL1 that are another rule's, or none's, since takeChanged(). */
  readonly #changed = new Set<number>();
  /** Those of them that nobody took yet: a rule that comes back at once is the one that it was. */
  readonly #left = new Set<number>();
  readonly #set: LiveSet;
  /** By table, priority, fields and masks. */
  readonly #subtables = new Map<string, number>();
  /** By subtable: rows that no rule has now. Their values lie where they lay. */
  readonly #free = new Map<number, number[]>();
  /** First row of an action list by its hash; lists of one hash follow one another. */
  readonly #actions = new Map<number, number>();
  #rules: number;
  #values: number;
  #actionRows: number;
  #used = 0;
  /** Values of the flow in hand, in the order of its subtable's fields. */
  readonly #own = new Int32Array(FLOW_KEY_SIZE);

  constructor(set: LiveSet) {
    this.#set = set;
    const { subtable, rule, value, slots, action } = this.#flows;
    this.#rules = rule.rows;
    this.#values = value.rows;
    this.#actionRows = action.rows;
    for (let s = 0; s < subtable.rows; s++) this.#subtables.set(this.#keyOf(s), s);
    for (let slot = 0; slot < slots.capacity; slot++) if (slots.row[slot] !== 0) this.#used++;
    for (let first = 0; first < action.rows; ) first = this.#noteActions(first);
  }

  get rows(): readonly (readonly [layout: unknown, rows: number])[] {
    return [
      [FLOW_RULE, this.#rules],
      [FLOW_VALUE, this.#values],
      [FLOW_ACTION, this.#actionRows],
    ];
  }

  /** Add a flow; its row, or -1 when there is no room, no subtable of its shape, or another flow with its match. */
  add(flow: Flow): number {
    const s = this.#subtables.get(shapeOf(flow));
    if (s === undefined) return -1;
    this.#gather(flow, s);
    this.#loosen(flow, s);
    const { slots, rule, value, subtable } = this.#flows;
    const slot = this.#slotOf(s, this.#own, 0);
    if (slots.row[slot] !== 0 || (this.#used + 1) * 2 > slots.capacity) return -1;
    const actionFirst = this.#actionsOf(flow.actions);
    const row = actionFirst < 0 ? -1 : this.#takeRow(s);
    if (row < 0) return -1;
    const width = subtable.fieldCount[s]!;
    const at = rule.valueFirst[row]!;
    let isSame = this.#left.delete(row);
    for (let i = 0; i < width; i++) {
      isSame &&= value.value[at + i] === this.#own[i];
      this.#set.set(value.value, at + i, this.#own[i]!);
    }
    if (isSame) this.#changed.delete(row);
    else this.#changed.add(row);
    this.#set.set(rule.subtable, row, s);
    this.#set.set(rule.node, row, flow.node);
    this.#set.set(rule.actionFirst, row, actionFirst);
    this.#set.set(rule.cookie, row, flow.cookie ?? 0);
    this.#set.set(rule.object, row, flow.object ?? 0);
    this.#set.set(rule.reason, row, flow.reason ?? 0);
    this.#set.set(rule.quirk, row, flow.quirk ?? 0);
    this.#set.set(slots.row, slot, row + 1);
    this.#used++;
    return row;
  }

  /** Take the flow with that match away. False when there is none. */
  remove(flow: Pick<Flow, 'table' | 'priority' | 'node' | 'match'>): boolean {
    const s = this.#subtables.get(shapeOf(flow));
    if (s === undefined) return false;
    this.#gather(flow, s);
    const { slots, rule, subtable } = this.#flows;
    const row = slots.row[this.#slotOf(s, this.#own, 0)]! - 1;
    if (row < 0) return false;
    this.#unslot(row);
    if (subtable.onlyRule[s]! < IN_POLICIES) this.#set.set(subtable.onlyRule, s, NO_RULE);
    for (const column of [rule.object, rule.reason, rule.quirk]) this.#set.set(column, row, 0);
    this.#set.set(rule.subtable, row, NONE);
    const free = this.#free.get(s);
    if (free === undefined) this.#free.set(s, [row]);
    else free.push(row);
    // One that came with this very change never counted.
    if (!this.#changed.has(row)) this.#left.add(row);
    this.#changed.add(row);
    return true;
  }

  /** Rows that changed hands since the last call. */
  takeChanged(): readonly number[] {
    const rows = [...this.#changed];
    this.#changed.clear();
    this.#left.clear();
    return rows;
  }

  get #flows(): FlowTables {
    return this.#set.tables.flows;
  }

  #keyOf(s: number): string {
    const { subtable, field } = this.#flows;
    const first = subtable.fieldFirst[s]!;
    const fields = Array.from({ length: subtable.fieldCount[s]! }, (_, i) => first + i)
      .sort((a, b) => field.field[a]! - field.field[b]!)
      .map((at) => `${field.field[at]}/${field.mask[at]}`);
    return `${subtable.table[s]} ${subtable.priority[s]} ${fields.join(' ')}`;
  }

  /** Put the flow's masked values into the order of subtable `s`. */
  #gather({ node, match }: Pick<Flow, 'node' | 'match'>, s: number): void {
    const { subtable, field } = this.#flows;
    const first = subtable.fieldFirst[s]!;
    for (let i = 0; i < subtable.fieldCount[s]!; i++) {
      const number = field.field[first + i]!;
      let value = node;
      if (number !== Field.NODE)
        for (let m = 0; m < match.length; m += 3) if (match[m] === number) value = match[m + 1]!;
      this.#own[i] = value & field.mask[first + i]!;
    }
  }

  /** Fields that all rules of the subtable shared so far, and this flow does not, are hashed from now on: every rule of the
   *  subtable gets another slot. Each field comes to that once, while the subtable is small. */
  #loosen(flow: Flow, s: number): void {
    const { subtable, field, rule, value } = this.#flows;
    const first = subtable.fieldFirst[s]!;
    const width = subtable.fieldCount[s]!;
    const same = subtable.sameCount[s]!;
    const isLoose = (i: number): boolean => i < same && field.value[first + i] !== this.#own[i];
    const order = Array.from({ length: width }, (_, i) => i);
    if (!order.some(isLoose)) return;
    const kept = order.filter((i) => i < same && !isLoose(i));
    const now = [...kept, ...order.filter((i) => !kept.includes(i))];
    const rows: number[] = [];
    for (let row = 0; row < this.#rules; row++) if (rule.subtable[row] === s) rows.push(row);
    for (const row of rows) this.#unslot(row);
    const fields = now.map((i) => [field.field[first + i]!, field.mask[first + i]!, field.value[first + i]!]);
    fields.forEach(([number, mask, shared], i) => {
      this.#set.set(field.field, first + i, number!);
      this.#set.set(field.mask, first + i, mask!);
      this.#set.set(field.value, first + i, i < kept.length ? shared! : 0);
    });
    this.#set.set(subtable.sameCount, s, kept.length);
    if (subtable.onlyRule[s]! < IN_POLICIES) this.#set.set(subtable.onlyRule, s, NO_RULE);
    for (const row of rows) {
      const at = rule.valueFirst[row]!;
      const old = value.value.slice(at, at + width);
      now.forEach((i, place) => {
        this.#set.set(value.value, at + place, old[i]!);
      });
      this.#set.set(this.#flows.slots.row, this.#slotOf(s, value.value, at), row + 1);
      this.#used++;
    }
    this.#gather(flow, s);
  }

  /** Slot of the rule of `s` whose values begin at from[at], or the empty one where it belongs. */
  #slotOf(s: number, from: Int32Array, at: number): number {
    const { subtable, slots, rule, value } = this.#flows;
    const width = subtable.fieldCount[s]!;
    const mask = slots.capacity - 1;
    let slot = this.#hash(s, from, at) & mask;
    for (; ; slot = (slot + 1) & mask) {
      const row = slots.row[slot]! - 1;
      if (row < 0) return slot;
      if (rule.subtable[row] !== s) continue;
      const first = rule.valueFirst[row]!;
      let i = 0;
      while (i < width && value.value[first + i] === from[at + i]) i++;
      if (i === width) return slot;
    }
  }

  #hash(s: number, from: Int32Array, at: number): number {
    const { subtable } = this.#flows;
    let hash = hashStep(0, s);
    for (let i = subtable.sameCount[s]!; i < subtable.fieldCount[s]!; i++)
      hash = hashStep(hash, from[at + i]!);
    return hash;
  }

  #hashOfRow(row: number): number {
    const { rule, value } = this.#flows;
    return this.#hash(rule.subtable[row]!, value.value, rule.valueFirst[row]!);
  }

  #unslot(row: number): void {
    const { slots } = this.#flows;
    const mask = slots.capacity - 1;
    let slot = this.#hashOfRow(row) & mask;
    while (slots.row[slot] !== row + 1) slot = (slot + 1) & mask;
    removeSlot(
      {
        capacity: slots.capacity,
        isEmpty: (at) => slots.row[at] === 0,
        hashOf: (at) => this.#hashOfRow(slots.row[at]! - 1),
        move: (from, to) => this.#set.set(slots.row, to, slots.row[from]!),
        clear: (at) => this.#set.set(slots.row, at, 0),
      },
      slot,
    );
    this.#used--;
  }

  /** A row with room for the values of subtable `s`, or -1. */
  #takeRow(s: number): number {
    const free = this.#free.get(s)?.pop();
    if (free !== undefined) return free;
    const { rule, value, subtable } = this.#flows;
    const width = subtable.fieldCount[s]!;
    if (this.#rules === rule.capacity || this.#values + width > value.capacity) return -1;
    const row = this.#rules++;
    this.#set.set(rule.valueFirst, row, this.#values);
    this.#values += width;
    return row;
  }

  /** First row of the action list, put there if need be; -1 when there is no room. */
  #actionsOf(actions: readonly Action[]): number {
    const { action } = this.#flows;
    let hash = 0;
    for (const [op, arg] of actions) hash = hashStep(hashStep(hash, op), arg | 0);
    for (; this.#actions.has(hash); hash = (hash + 1) | 0) {
      const first = this.#actions.get(hash)!;
      const isSame = actions.every(
        ([op, arg], i) => action.op[first + i] === op && action.arg[first + i] === arg >>> 0,
      );
      if (isSame && action.op[first + actions.length] === Op.End) return first;
    }
    if (this.#actionRows + actions.length + 1 > action.capacity) return -1;
    const first = this.#actionRows;
    for (const [op, arg] of actions) this.#addAction(op, arg);
    this.#addAction(Op.End, 0);
    this.#actions.set(hash, first);
    return first;
  }

  #addAction(op: number, arg: number): void {
    const { action } = this.#flows;
    this.#set.set(action.op, this.#actionRows, op);
    this.#set.set(action.arg, this.#actionRows++, arg >>> 0);
  }

  /** Remember the list that begins at row `first`; returns where the next one begins. */
  #noteActions(first: number): number {
    const { action } = this.#flows;
    let hash = 0;
    let at = first;
    for (; action.op[at] !== Op.End; at++)
      hash = hashStep(hashStep(hash, action.op[at]!), action.arg[at]! | 0);
    while (this.#actions.has(hash)) hash = (hash + 1) | 0;
    this.#actions.set(hash, first);
    return at + 1;
  }
}

/** What flows of one subtable have in common. */
function shapeOf({
  table,
  priority,
  node,
  match,
}: Pick<Flow, 'table' | 'priority' | 'node' | 'match'>): string {
  let shape = node === NONE ? `${table} ${priority} ` : `${table} ${priority} ${Field.NODE}/-1`;
  for (let i = 0; i < match.length; i += 3)
    shape += `${i === 0 && node === NONE ? '' : ' '}${match[i]}/${match[i + 2]! | 0}`;
  return shape;
}
