/** Puts the counts of br0's rules into words. */
import { ruleText } from '../engine/explain.js';
import type { Epoch } from '../tables/epoch.js';
import { NONE } from '../tables/nodes.js';
import type { RuleCount } from './counts.js';

/** Rules that packets matched, by table, falling priority, node and match. `packets` is by rule row. */
export function ruleCounts(epoch: Epoch, packets: Float64Array): RuleCount[] {
  const { flows, nodes } = epoch.tables;
  const counts: RuleCount[] = [];
  const rulesOfTable = new Map<number, number>();
  for (let row = 0; row < flows.rule.rows; row++) {
    if (flows.rule.subtable[row] === NONE) continue;
    const table = flows.subtable.table[flows.rule.subtable[row]!]!;
    const rank = rulesOfTable.get(table) ?? 0;
    rulesOfTable.set(table, rank + 1);
    if (packets[row] === 0) continue;
    const { priority, match, object } = ruleText(epoch, row);
    const node = flows.rule.node[row]!;
    counts.push({
      node: node === NONE ? '' : epoch.text(nodes.name[node]!),
      table,
      priority,
      match,
      object,
      rank,
      packets: packets[row]!,
    });
  }
  return counts.sort(
    (a, b) =>
      a.table - b.table || b.priority - a.priority || byText(a.node, b.node) || byText(a.match, b.match),
  );
}

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
