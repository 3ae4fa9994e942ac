/** What the parts of kube-proxy's dump have in common: where their rules go, and targets that several use. */
import type { Rule } from './iptables-text.js';

/** Where kube-proxy adds the marks that KUBE-POSTROUTING masquerades. */
export const MARK_MASQUERADE = 'KUBE-MARK-MASQ';
export const REJECT = 'REJECT --reject-with icmp-port-unreachable';

export interface ServiceRules {
  /** Chains beyond the fixed ones. */
  readonly chains: string[];
  readonly nat: Rule[];
  readonly filter: Rule[];
}

/** What is a pod of this node, and what is not: by device on OpenShift SDN, by address upstream. */
export interface LocalDetector {
  readonly local: Pick<Rule, 'source' | 'inDevice'>;
  readonly notLocal: Pick<Rule, 'source' | 'inDevice'>;
}
