/** The quirks of the SDN that decided about packets of a run. */
import type { Epoch } from '../tables/epoch.js';
import { NONE } from '../tables/nodes.js';
import { Effect } from '../tables/policies.js';
import { QUIRKS } from '../verdict/quirks.js';
import type { QuirkCount } from './counts.js';

/** Are there rules that a quirk adds or leaves out? Then a run counts the packets of rules, to be able to tell. */
export const hasQuirks = (epoch: Epoch): boolean =>
  epoch.tables.flows.rule.quirk.some((quirk) => quirk !== 0);

/** Rules that are there, or left out, for a quirk, and the packets that went otherwise for it; in the order of tables.
 *  `packets` is by rule row. */
export function quirkCounts(epoch: Epoch, packets: Float64Array): QuirkCount[] {
  const { rule, policies } = epoch.tables.flows;
  const counts: QuirkCount[] = [];
  for (let row = 0; row < policies.rules.rows; row++) {
    const at = policies.rules.rule[row]!;
    if (at === NONE) continue;
    const quirk = rule.quirk[at]!;
    if (quirk === 0 || packets[at] === 0) continue;
    counts.push({
      quirk: QUIRKS[quirk]!.name,
      sentence: QUIRKS[quirk]!.sentence,
      rule: epoch.text(rule.object[at]!),
      verdict: policies.rules.effect[row] === Effect.LeftOut ? 'denied' : 'let through',
      packets: packets[at]!,
    });
  }
  return counts;
}
