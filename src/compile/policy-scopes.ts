/** The rules that a scope has, as the lookup wants them: slots, intervals of blocks, lists of ports. See tables/policies. */
import { maskOf } from '../addr/ipv4.js';
import { TableBuilder } from '../layout/builder.js';
import { slotsFor } from '../tables/addresses.js';
import { NONE } from '../tables/nodes.js';
import {
  PeerKind,
  POLICY_BLOCKS,
  POLICY_INTERVALS,
  POLICY_LISTS,
  POLICY_PORTS,
  POLICY_SLOTS,
  slotHash,
} from '../tables/policies.js';
import type { RuleRow } from './policy-rules.js';

/** Rules by number, in rising order. */
type RuleNumbers = number[];

interface Block {
  readonly base: number;
  readonly length: number;
  readonly rules: RuleNumbers;
}

/** What a scope's row needs to know. */
export interface ScopeRun {
  readonly first: number;
  readonly count: number;
  readonly kinds: number;
}

export class ScopeBuilder {
  readonly intervals = new TableBuilder(POLICY_INTERVALS);
  readonly blocks = new TableBuilder(POLICY_BLOCKS);
  readonly lists = new TableBuilder(POLICY_LISTS);
  readonly ports = new TableBuilder(POLICY_PORTS);
  readonly #rows: readonly RuleRow[];
  /** Equal lists share one row. */
  readonly #known = new Map<string, number>();
  readonly #slots: { scope: number; kind: number; value: number; list: number }[] = [];

  constructor(rows: readonly RuleRow[]) {
    this.#rows = rows;
  }

  /** Lay out scope number `scope`, which has these rules, in rising order. */
  add(scope: number, rules: RuleNumbers): ScopeRun {
    const exact: Map<number, RuleNumbers>[] = Array.from({ length: PeerKind.BLOCK }, () => new Map());
    const blocks = new Map<string, Block>();
    for (const number of rules)
      for (const { kind, value, length } of this.#rows[number]!.peers)
        if (kind !== PeerKind.BLOCK) append(exact[kind]!, value, number);
        else {
          const key = `${value}/${length}`;
          const known = blocks.get(key);
          if (known === undefined) blocks.set(key, { base: value, length, rules: [number] });
          else if (known.rules.at(-1) !== number) known.rules.push(number);
        }
    let kinds = blocks.size === 0 ? 0 : 1 << PeerKind.BLOCK;
    for (const [kind, byValue] of exact.entries()) {
      if (byValue.size > 0) kinds |= 1 << kind;
      for (const [value, numbers] of byValue)
        this.#slots.push({ scope, kind, value, list: this.#listOf(numbers) });
    }
    const first = this.intervals.rows;
    this.#addIntervals([...blocks.values()]);
    return { first, count: this.intervals.rows - first, kinds };
  }

  /** The slots of all scopes. */
  finishSlots(): TableBuilder<typeof POLICY_SLOTS.columns> {
    const table = new TableBuilder(POLICY_SLOTS);
    const size = slotsFor(this.#slots.length);
    for (let i = 0; i < size; i++) table.add({ scope: 0, value: 0, list: 0, kind: 0 });
    for (const { scope, kind, value, list } of this.#slots) {
      let slot = slotHash(scope, kind, value) & (size - 1);
      while (table.get(slot, 'list') !== 0) slot = (slot + 1) & (size - 1);
      table.set(slot, 'scope', scope);
      table.set(slot, 'value', value);
      table.set(slot, 'list', list + 1);
      table.set(slot, 'kind', kind);
    }
    return table;
  }

  /** Cut the address space where a block begins or ends: each interval knows the smallest block around it. */
  #addIntervals(blocks: Block[]): void {
    blocks.sort((a, b) => a.base - b.base || a.length - b.length);
    const open: { readonly row: number; readonly last: number }[] = [];
    const begin = (start: number, block: number): void => {
      // A block that begins where another ends, or begins, has the last word.
      const before = this.intervals.rows - 1;
      if (before >= 0 && this.#isOpen && this.intervals.get(before, 'start') === start)
        this.intervals.set(before, 'block', block);
      else this.intervals.add({ start, block });
      this.#isOpen = true;
    };
    const closeBefore = (address: number): void => {
      while (open.length > 0 && open.at(-1)!.last < address) {
        const { last } = open.pop()!;
        if (last < 0xffffffff) begin(last + 1, open.at(-1)?.row ?? NONE);
      }
    };
    this.#isOpen = false;
    for (const { base, length, rules } of blocks) {
      closeBefore(base);
      const row = this.blocks.add({ parent: open.at(-1)?.row ?? NONE, list: this.#listOf(rules) });
      open.push({ row, last: (base | ~maskOf(length)) >>> 0 });
      begin(base, row);
    }
    closeBefore(Number.POSITIVE_INFINITY);
  }

  /** Has the scope in hand an interval yet? */
  #isOpen = false;

  /** Row of the list of port intervals that these rules make; where several allow a port, the first is named. */
  #listOf(numbers: RuleNumbers): number {
    const key = numbers.join(' ');
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const painted = paint(numbers.map((number) => ({ number, ...spanOf(this.#rows[number]!) })));
    const list = this.lists.add({ first: this.ports.rows, count: painted.length });
    for (const { start, rule } of painted) this.ports.add({ start, rule });
    this.#known.set(key, list);
    return list;
  }
}

function append(lists: Map<number, RuleNumbers>, value: number, number: number): void {
  const list = lists.get(value);
  if (list === undefined) lists.set(value, [number]);
  else if (list.at(-1) !== number) list.push(number);
}

const spanOf = ({ portFirst, portLast }: RuleRow): { first: number; last: number } => ({
  first: portFirst,
  last: portLast,
});

/** Intervals with the first of the spans that cover each; equal neighbours are one, a gap has NONE. */
function paint(
  spans: readonly { readonly number: number; readonly first: number; readonly last: number }[],
): { start: number; rule: number }[] {
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
