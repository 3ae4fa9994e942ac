/** What tells br0's rules apart in any table set: node, table, priority and match, as for ovs-ofctl. */
import type { Epoch } from '../tables/epoch.js';
import { Field, policyRuleOf } from '../tables/flows.js';
import { NONE } from '../tables/nodes.js';

/** One key a rule, in the order of the rows; rows of no rule have none. Allocates. */
export function ruleKeys(epoch: Epoch): string[] {
  const { flows, nodes } = epoch.tables;
  const { rule, subtable, field, value, policies } = flows;
  const turns = new Map<string, number>();
  return Array.from({ length: rule.rows }, (_, row) => {
    const s = rule.subtable[row]!;
    if (s === NONE) return '';
    const first = subtable.fieldFirst[s]!;
    const node = rule.node[row]!;
    const policyRule = policyRuleOf(flows, row);
    if (policyRule >= 0) {
      const { portFirst, portLast, effect } = policies.rules;
      const ports = `${portFirst[policyRule]}-${portLast[policyRule]} ${effect[policyRule]}`;
      const key = `${subtable.table[s]} ${epoch.text(rule.object[row]!)} ${rule.quirk[row]} ${ports}`;
      // Those of several other ends are alike but for these, whose numbers of pods change.
      const turn = (turns.get(key) ?? 0) + 1;
      turns.set(key, turn);
      return `${key} ${turn}`;
    }
    const match: string[] = [];
    for (let i = 0; i < subtable.fieldCount[s]!; i++) {
      const number = field.field[first + i]!;
      if (number !== Field.NODE)
        match.push(`${number}/${field.mask[first + i]}=${value.value[rule.valueFirst[row]! + i]}`);
    }
    const place = node === NONE ? '' : epoch.text(nodes.name[node]!);
    // Which fields a subtable has in front is up to the other rules in it.
    return `${place} ${subtable.table[s]} ${subtable.priority[s]} ${match.sort().join(' ')}`;
  });
}
