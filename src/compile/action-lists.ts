/** Action lists, each kept once: most flows of a large cluster share theirs with others. */
import type { TableBuilder } from '../layout/builder.js';
import { type FLOW_ACTION, hashStep, Op } from '../tables/flows.js';

export type Action = readonly [op: number, arg: number];

export class ActionLists {
  readonly #lists: (readonly Action[])[] = [];
  readonly #byHash = new Map<number, number[]>();
  /** First row of each list in the table, -1 as long as it is not there. */
  readonly #runs: number[] = [];

  /** Number of the list. */
  id(actions: readonly Action[]): number {
    let hash = 0;
    for (const [op, arg] of actions) hash = hashStep(hashStep(hash, op), arg | 0);
    const known = this.#byHash.get(hash);
    for (const id of known ?? []) if (isSame(this.#lists[id]!, actions)) return id;
    const id = this.#lists.push(actions) - 1;
    this.#runs.push(-1);
    if (known === undefined) this.#byHash.set(hash, [id]);
    else known.push(id);
    return id;
  }

  /** First row of list `id` in `table`; it is put there at the first call. */
  run(id: number, table: TableBuilder<typeof FLOW_ACTION.columns>): number {
    if (this.#runs[id]! >= 0) return this.#runs[id]!;
    const first = table.rows;
    for (const [op, arg] of this.#lists[id]!) table.add({ op, arg: arg >>> 0 });
    table.add({ op: Op.End, arg: 0 });
    this.#runs[id] = first;
    return first;
  }
}

const isSame = (a: readonly Action[], b: readonly Action[]): boolean =>
  a.length === b.length && a.every(([op, arg], i) => op === b[i]![0] && arg === b[i]![1]);
