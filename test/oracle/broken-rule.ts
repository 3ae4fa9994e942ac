/** A rule broken on purpose, to see that the judges notice. */
import { Epoch } from '../../src/tables/epoch.js';
import { Op } from '../../src/tables/flows.js';

/** A copy whose rules towards the tunnel forget to take the NetID along. */
export function withoutNetId(epoch: Epoch): Epoch {
  const copy = Epoch.load(epoch.save());
  const { action } = copy.tables.flows;
  for (let row = 0; row < action.rows; row++)
    if (action.op[row] === Op.TunIdFromReg0) action.op[row] = Op.LoadReg2;
  return copy;
}
