/** Where openshift/sdn does with a NetworkPolicy what the API's text does not say; each has a name and a sentence. */

export const Quirk = {
  None: 0,
  NamedPort: 1,
  EndPortZero: 2,
  EmptyNamespaceSelector: 3,
  TooManyFlows: 4,
  NetIdZero: 5,
  OwnNode: 6,
} as const;

export interface QuirkText {
  readonly name: string;
  readonly sentence: string;
}

/** By number. Source: openshift/sdn pkg/network/node/networkpolicy.go; Kubernetes, Network Policies. */
export const QUIRKS: readonly QuirkText[] = [
  { name: 'none', sentence: '' },
  { name: 'named-port', sentence: 'a named port gives no allow flow' },
  { name: 'end-port-zero', sentence: 'a range of ports adds a match of port 0' },
  {
    name: 'empty-namespace-selector',
    sentence: 'an empty namespaceSelector admits every address, those outside the cluster included',
  },
  { name: 'too-many-flows', sentence: '10,000 flows or more: the allows of the policy are left out' },
  { name: 'netid-zero', sentence: 'NetID 0 is that of nodes and the outside, too' },
  { name: 'own-node', sentence: "traffic with the pod's own node is not exempt" },
];
