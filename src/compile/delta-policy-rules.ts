/** Brings the rules of NetworkPolicies in a live table set up to date: scopes and lists are written where they differ, a rule that
 *  stays keeps its row. */
import type { TableBuilder } from '../layout/builder.js';
import type { ColumnType, Table } from '../layout/layout.js';
import type { Namespace } from '../model/cluster.js';
import type { NetworkPolicy } from '../model/policy.js';
import { NONE } from '../tables/nodes.js';
import {
  POLICY_BLOCKS,
  POLICY_DOCUMENTS,
  POLICY_INTERVALS,
  POLICY_ISOLATING,
  POLICY_LISTS,
  POLICY_NAMESPACES,
  POLICY_PEERS,
  POLICY_PORTS,
  POLICY_RULES,
  POLICY_SCOPES,
  POLICY_TARGETS,
  type PolicyTables,
} from '../tables/policies.js';
import type { FlowDelta } from './delta-flows.js';
import type { StringsDelta } from './delta-strings.js';
import type { LiveSet } from './live-set.js';
import { type PolicySet, ruleFlow } from './policy.js';
import type { Direction, RuleRow } from './policy-rules.js';
import { buildRules, buildScopes } from './policy-tables.js';

type Columns = Readonly<Record<string, ColumnType>>;

/** A rule that is there: its row of PLR1, its row of FRL1, and what it was made of. */
interface Placed {
  readonly number: number;
  readonly rule: number;
  readonly row: RuleRow;
}

export class PolicyRulesDelta {
  readonly #set: LiveSet;
  readonly #strings: StringsDelta;
  readonly #flows: FlowDelta;
  readonly #placed = new Map<string, Placed>();
  readonly #free: number[] = [];
  #rules: number;
  readonly #rows = new Map<unknown, number>();

  /** `rows`: the rules as they were compiled. */
  constructor(set: LiveSet, strings: StringsDelta, flows: FlowDelta, rows: readonly RuleRow[]) {
    this.#set = set;
    this.#strings = strings;
    this.#flows = flows;
    const { rule } = this.#tables.rules;
    for (const [number, key] of keysOf(rows).entries())
      this.#placed.set(key, { number, rule: rule[number]!, row: rows[number]! });
    this.#rules = rows.length;
  }

  /** Of the tables that were written. */
  get rows(): readonly (readonly [layout: unknown, rows: number])[] {
    return [...this.#rows];
  }

  /** Write what `read` says. Returns the scopes of the identities; null when there is no room. */
  write(
    read: PolicySet,
    policies: readonly NetworkPolicy[],
    namespaces: readonly Namespace[],
  ): Readonly<Record<Direction, readonly number[]>> | null {
    const placed = this.#place(read.rows);
    if (placed === null) return null;
    const t = this.#tables;
    const scopes = buildScopes(read);
    const { builder } = scopes;
    if (builder.slotCount > t.slots.capacity) return null;
    const ports = builder.lists.ports.column('rule');
    for (let i = 0; i < ports.length; i++) if (ports[i] !== NONE) ports[i] = placed[ports[i]!]!.number;
    const slots = builder.finishSlots(t.slots.capacity);
    for (const column of ['scope', 'value', 'list', 'kind'] as const)
      this.#set.setAll(t.slots[column], slots.column(column));
    const isWritten =
      this.#put(t.scopes, scopes.table) &&
      this.#put(t.isolating, scopes.isolating) &&
      this.#put(t.intervals, builder.intervals) &&
      this.#put(t.blocks, builder.blocks) &&
      this.#put(t.lists, builder.lists.lists) &&
      this.#put(t.ports, builder.lists.ports) &&
      this.#putRules(read, placed) &&
      this.#putDocuments(read.rows.length > 0 ? policies : [], read.rows.length > 0 ? namespaces : []);
    return isWritten ? scopes.ofIdentity : null;
  }

  get #tables(): PolicyTables {
    return this.#set.tables.flows.policies;
  }

  /** Give every rule its rows; those that are gone leave theirs. */
  #place(rows: readonly RuleRow[]): readonly Placed[] | null {
    const keys = keysOf(rows);
    const { rules } = this.#tables;
    const kept = new Set(keys);
    for (const [key, { number, row }] of [...this.#placed]) {
      if (kept.has(key)) continue;
      if (!this.#flows.remove(ruleFlow(row, number, 0))) return null;
      this.#set.set(rules.rule, number, NONE);
      this.#placed.delete(key);
      this.#free.push(number);
    }
    const placed: Placed[] = [];
    for (const [i, key] of keys.entries()) {
      const row = rows[i]!;
      const known = this.#placed.get(key);
      const number = known?.number ?? this.#free.pop() ?? this.#rules++;
      const object = this.#strings.id(row.object);
      if (number >= rules.capacity || object < 0) return null;
      const rule = known?.rule ?? this.#flows.add(ruleFlow(row, number, object));
      if (rule < 0) return null;
      placed.push({ number, rule, row });
      this.#placed.set(key, placed[i]!);
    }
    return placed;
  }

  #putRules(read: PolicySet, placed: readonly Placed[]): boolean {
    const built = buildRules(
      read,
      placed.map(({ rule }) => rule),
    );
    const { rules, targets, peers } = this.#tables;
    for (const name of Object.keys(POLICY_RULES.columns) as (keyof typeof POLICY_RULES.columns)[]) {
      const from = built.table.column(name);
      const to = rules[name];
      for (const [i, { number }] of placed.entries())
        if (to[number] !== from[i]) this.#set.set(to, number, from[i]!);
    }
    this.#rows.set(POLICY_RULES, this.#rules);
    return this.#put(targets, built.targets) && this.#put(peers, built.peers);
  }

  #putDocuments(policies: readonly NetworkPolicy[], namespaces: readonly Namespace[]): boolean {
    const { documents, namespaces: labelled } = this.#tables;
    const names = policies.map(({ namespace, name }) =>
      this.#strings.id(`NetworkPolicy ${namespace}/${name}`),
    );
    const texts = policies.map((policy) => this.#strings.id(JSON.stringify(policy)));
    const labels = namespaces.map((namespace) => this.#strings.id(JSON.stringify(namespace.labels)));
    if ([...names, ...texts, ...labels].some((id) => id < 0)) return false;
    if (names.length > documents.capacity || labels.length > labelled.capacity) return false;
    this.#set.setAll(documents.name, names);
    this.#set.setAll(documents.document, texts);
    this.#set.setAll(labelled.labels, labels);
    this.#rows.set(POLICY_DOCUMENTS, names.length);
    this.#rows.set(POLICY_NAMESPACES, labels.length);
    return true;
  }

  /** Write a whole table. False when it has no room. */
  #put<C extends Columns>(to: Table<C>, from: TableBuilder<C>): boolean {
    if (from.rows > to.capacity) return false;
    for (const name of Object.keys(from.layout.columns) as (keyof C & string)[])
      this.#set.setAll(to[name] as never, from.column(name));
    this.#rows.set(from.layout, from.rows);
    return true;
  }
}

/** Tables that write() may make longer. */
export const POLICY_RULE_TABLES: readonly unknown[] = [
  POLICY_SCOPES,
  POLICY_ISOLATING,
  POLICY_INTERVALS,
  POLICY_BLOCKS,
  POLICY_LISTS,
  POLICY_PORTS,
  POLICY_RULES,
  POLICY_TARGETS,
  POLICY_PEERS,
  POLICY_DOCUMENTS,
  POLICY_NAMESPACES,
];

/** What tells each rule from all others, before and after a change. */
function keysOf(rows: readonly RuleRow[]): readonly string[] {
  const turns = new Map<string, number>();
  return rows.map(({ direction, object, quirk, effect, portFirst, portLast }) => {
    const key = `${direction} ${object} ${quirk} ${effect} ${portFirst}-${portLast}`;
    const turn = (turns.get(key) ?? 0) + 1;
    turns.set(key, turn);
    return `${key} ${turn}`;
  });
}
