/** A NetworkPolicy's rules by the API's text. Source: Kubernetes networking.k8s.io/v1 NetworkPolicySpec, and its page
 *  Network Policies. */
import type { NetworkPolicy } from '../model/policy.js';
import type { Identities, Identity } from './policy-identities.js';
import {
  ALL_PORTS,
  apiPeers,
  type Direction,
  namedPortRows,
  portSpan,
  type RuleRow,
  rowBase,
} from './policy-rules.js';

/** The rows of one direction. `targets`: the pods that the policy selects, null for all of the namespace. */
export function* apiRows(
  identities: Identities,
  policy: NetworkPolicy,
  direction: Direction,
  namespace: number,
  targets: readonly Identity[] | null,
): Generator<RuleRow> {
  for (const [index, rule] of policy[direction].entries()) {
    const base = rowBase(policy, direction, namespace, index, targets);
    const peers = apiPeers(identities, rule, namespace);
    if (rule.ports.length === 0) yield { ...base, peers, portFirst: ALL_PORTS[0], portLast: ALL_PORTS[1] };
    for (const [i, port] of rule.ports.entries()) {
      const own = { ...base, object: `${base.object}.ports[${i}]` };
      if (typeof port.port === 'string') yield* namedPortRows(identities, own, peers, port);
      else {
        const span = portSpan(port);
        if (span !== null) yield { ...own, peers, portFirst: span[0], portLast: span[1] };
      }
    }
  }
}
