/** Lists of rules, each once: a list is the list before it and one rule more. Rules are added in rising order. */
import { TableBuilder } from '../layout/builder.js';
import { NONE } from '../tables/nodes.js';
import { POLICY_LISTS, POLICY_PORTS } from '../tables/policies.js';
import type { RuleRow } from './policy-rules.js';

/** The list without rules. */
export const EMPTY_LIST = 0;

export class RuleLists {
  readonly lists = new TableBuilder(POLICY_LISTS);
  readonly ports = new TableBuilder(POLICY_PORTS);
  readonly #rows: readonly RuleRow[];
  /** By number of the list: the list before, and its last rule. */
  readonly #before: number[] = [EMPTY_LIST];
  readonly #last: number[] = [-1];
  /** By list * rules + rule: the longer list. */
  readonly #longer = new Map<number, number>();
  /** By number of the list: its row, once it has one. */
  readonly #rowOf = new Map<number, number>();

  constructor(rows: readonly RuleRow[]) {
    this.#rows = rows;
  }

  /** Number of the list with that rule behind; the same one when the rule is in it. */
  with(list: number, rule: number): number {
    if (this.#last[list] === rule) return list;
    const key = list * this.#rows.length + rule;
    const known = this.#longer.get(key);
    if (known !== undefined) return known;
    const longer = this.#before.length;
    this.#before.push(list);
    this.#last.push(rule);
    this.#longer.set(key, longer);
    return longer;
  }

  /** Row of the list's port intervals; where several rules allow a port, the first is named. */
  row(list: number): number {
    const known = this.#rowOf.get(list);
    if (known !== undefined) return known;
    const spans: Span[] = [];
    for (let at = list; at !== EMPTY_LIST; at = this.#before[at]!) {
      const number = this.#last[at]!;
      const { portFirst, portLast } = this.#rows[number]!;
      spans.push({ number, first: portFirst, last: portLast });
    }
    const painted = paint(spans.reverse());
    const row = this.lists.add({ first: this.ports.rows, count: painted.length });
    for (const interval of painted) this.ports.add(interval);
    this.#rowOf.set(list, row);
    return row;
  }
}

interface Span {
  readonly number: number;
  readonly first: number;
  readonly last: number;
}

/** Intervals with the first of the spans that cover each; equal neighbours are one, a gap has NONE. */
function paint(spans: readonly Span[]): { start: number; rule: number }[] {
  const cuts = [...new Set(spans.flatMap(({ first, last }) => [first, last + 1]))].sort((a, b) => a - b);
  const at = new Map(cuts.map((cut, i) => [cut, i]));
  const rule = new Array<number>(cuts.length).fill(NONE);
  // Of each piece, the next one that has no rule yet, itself included.
  const free = cuts.map((_, i) => i);
  const nextFree = (from: number): number => {
    let i = from;
    while (i < cuts.length && free[i] !== i) {
      free[i] = free[free[i]!] ?? cuts.length;
      i = free[i]!;
    }
    return i;
  };
  for (const { number, first, last } of spans) {
    const end = at.get(last + 1)!;
    for (let i = nextFree(at.get(first)!); i < end; i = nextFree(i)) {
      rule[i] = number;
      free[i] = i + 1;
    }
  }
  return cuts
    .map((start, i) => ({ start, rule: rule[i]! }))
    .filter(({ rule: own }, i) => i === 0 || own !== rule[i - 1]);
}
