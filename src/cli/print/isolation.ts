/** Names the NetworkPolicies behind a drop: the rule that drops is table 80's own and belongs to none of them. */
import { ADDRESS_KIND, findAddress } from '../../tables/addresses.js';
import type { Epoch } from '../../tables/epoch.js';

/** The policies that isolate the pod at `address`, as text; '' when it is no pod or none does. */
export function policiesAround(epoch: Epoch, address: number): string {
  const { addresses, pods, namespaces } = epoch.tables;
  const slot = findAddress(addresses, address);
  if (slot < 0 || addresses.kind[slot] !== ADDRESS_KIND.POD) return '';
  const name = epoch.text(pods.name[addresses.row[slot]!]!);
  const namespace = name.slice(0, name.indexOf('/'));
  for (let row = 0; row < namespaces.rows; row++)
    if (epoch.text(namespaces.name[row]!) === namespace) return epoch.text(namespaces.isolatedBy[row]!);
  return '';
}
