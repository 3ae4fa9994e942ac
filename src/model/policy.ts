/** NetworkPolicies of networking.k8s.io/v1, defaults filled in. */
import type { Ipv4Prefix } from '../addr/ipv4.js';
import type { Protocol } from './cluster.js';

/** Whose NetworkPolicy is in force: that of the API's text, or openshift/sdn's with its quirks. */
export type PolicyMode = 'api' | 'sdn';

export interface NetworkPolicy {
  readonly namespace: string;
  readonly name: string;
  readonly podSelector: LabelSelector;
  readonly hasIngress: boolean;
  readonly hasEgress: boolean;
  readonly ingress: readonly PolicyRule[];
  readonly egress: readonly PolicyRule[];
}

export interface PolicyRule {
  /** Empty: every peer. */
  readonly peers: readonly PolicyPeer[];
  /** Empty: every port. */
  readonly ports: readonly PolicyPort[];
}

export type PolicyPeer =
  | {
      readonly kind: 'pods';
      readonly podSelector: LabelSelector | null;
      readonly namespaceSelector: LabelSelector | null;
    }
  | { readonly kind: 'block'; readonly prefix: Ipv4Prefix; readonly except: readonly Ipv4Prefix[] };

export interface PolicyPort {
  readonly protocol: Protocol;
  /** A number, a container port's name, or null for every port of the protocol. */
  readonly port: number | string | null;
  readonly endPort: number | null;
}

export interface LabelSelector {
  readonly matchLabels: Readonly<Record<string, string>>;
  readonly matchExpressions: readonly {
    readonly key: string;
    readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
    readonly values: readonly string[];
  }[];
}
