/** The rules that a scope has, as the lookup wants them: slots, and intervals of blocks. See tables/policies. */
import { maskOf } from '../addr/ipv4.js';
import { TableBuilder } from '../layout/builder.js';
import { slotsFor } from '../tables/addresses.js';
import { NONE } from '../tables/nodes.js';
import { PeerKind, POLICY_BLOCKS, POLICY_INTERVALS, POLICY_SLOTS, slotHash } from '../tables/policies.js';
import { EMPTY_LIST, RuleLists } from './policy-lists.js';
import type { Peer, RuleRow } from './policy-rules.js';

/** Keys are kind * 2^32 + value; the exact kinds are below BLOCK. */
const KIND = 0x1_0000_0000;

/** What a scope's row needs to know. */
export interface ScopeRun {
  readonly first: number;
  readonly count: number;
  readonly kinds: number;
}

interface Block {
  readonly base: number;
  readonly length: number;
  list: number;
}

export class ScopeBuilder {
  readonly intervals = new TableBuilder(POLICY_INTERVALS);
  readonly blocks = new TableBuilder(POLICY_BLOCKS);
  readonly lists: RuleLists;
  readonly #rows: readonly RuleRow[];
  /** Those of all scopes, not yet where their hashes say. */
  readonly #slots = new TableBuilder(POLICY_SLOTS);

  constructor(rows: readonly RuleRow[]) {
    this.#rows = rows;
    this.lists = new RuleLists(rows);
  }

  /** How many slots it takes at least. */
  get slotCount(): number {
    return slotsFor(this.#slots.rows);
  }

  /** Lay out scope number `scope`, which has these rules, in rising order. */
  add(scope: number, rules: readonly number[]): ScopeRun {
    /** Lists by key. */
    const exact = new Map<number, number>();
    const blocks = new Map<number, Block>();
    for (const rule of rules)
      for (const peer of this.#rows[rule]!.peers)
        if (peer.kind === PeerKind.BLOCK) this.#addBlock(blocks, peer, rule);
        else {
          const key = peer.kind * KIND + peer.value;
          exact.set(key, this.lists.with(exact.get(key) ?? EMPTY_LIST, rule));
        }
    let kinds = blocks.size === 0 ? 0 : 1 << PeerKind.BLOCK;
    for (const [key, list] of exact) {
      const kind = Math.floor(key / KIND);
      kinds |= 1 << kind;
      this.#slots.add({ scope, value: key % KIND, list: this.lists.row(list) + 1, kind });
    }
    const first = this.intervals.rows;
    this.#addIntervals([...blocks.values()]);
    return { first, count: this.intervals.rows - first, kinds };
  }

  /** The slots of all scopes, so many of them, a power of two. */
  finishSlots(size = slotsFor(this.#slots.rows)): TableBuilder<typeof POLICY_SLOTS.columns> {
    const table = new TableBuilder(POLICY_SLOTS);
    table.addZeros(size);
    const [scopes, values, lists, kinds] = columnsOf(this.#slots);
    const [scope, value, list, kind] = columnsOf(table);
    for (let i = 0; i < this.#slots.rows; i++) {
      let slot = slotHash(scopes![i]!, kinds![i]!, values![i]!) & (size - 1);
      while (list![slot] !== 0) slot = (slot + 1) & (size - 1);
      scope![slot] = scopes![i]!;
      value![slot] = values![i]!;
      list![slot] = lists![i]!;
      kind![slot] = kinds![i]!;
    }
    return table;
  }

  #addBlock(blocks: Map<number, Block>, { value, length }: Peer, rule: number): void {
    const key = length * KIND + value;
    const known = blocks.get(key);
    if (known === undefined)
      blocks.set(key, { base: value, length, list: this.lists.with(EMPTY_LIST, rule) });
    else known.list = this.lists.with(known.list, rule);
  }

  /** Cut the address space where a block begins or ends: each interval knows the smallest block around it. */
  #addIntervals(blocks: Block[]): void {
    blocks.sort((a, b) => a.base - b.base || a.length - b.length);
    const firstRow = this.intervals.rows;
    const open: { readonly row: number; readonly last: number }[] = [];
    const begin = (start: number, block: number): void => {
      // A block that begins where another ends, or begins, has the last word.
      const before = this.intervals.rows - 1;
      if (before >= firstRow && this.intervals.get(before, 'start') === start)
        this.intervals.set(before, 'block', block);
      else this.intervals.add({ start, block });
    };
    const closeBefore = (address: number): void => {
      while (open.length > 0 && open.at(-1)!.last < address) {
        const { last } = open.pop()!;
        if (last < 0xffffffff) begin(last + 1, open.at(-1)?.row ?? NONE);
      }
    };
    for (const { base, length, list } of blocks) {
      closeBefore(base);
      const row = this.blocks.add({ parent: open.at(-1)?.row ?? NONE, list: this.lists.row(list) });
      open.push({ row, last: (base | ~maskOf(length)) >>> 0 });
      begin(base, row);
    }
    closeBefore(Number.POSITIVE_INFINITY);
  }
}

const columnsOf = (table: TableBuilder<typeof POLICY_SLOTS.columns>) =>
  (['scope', 'value', 'list', 'kind'] as const).map((name) => table.column(name));
