/** NetworkPolicies with their defaults filled in. Source: Kubernetes networking.k8s.io/v1, NetworkPolicySpec. */
import { parsePrefix } from '../addr/ipv4-prefix.js';
import type { LabelSelector, NetworkPolicy, PolicyPeer, PolicyPort, PolicyRule } from '../model/policy.js';
import type { Entry } from './inventory.js';
import type { PeerManifest, PolicyManifest, PolicyPortManifest } from './kinds/policy.js';
import type { Notes } from './notes.js';
import { toLabels, toPort } from './schema.js';

export function readPolicies(entries: readonly Entry<'NetworkPolicy'>[], notes: Notes): NetworkPolicy[] {
  return entries.map((entry) => {
    const spec = entry.value.spec ?? {};
    const types = policyTypes(spec);
    return {
      namespace: entry.namespace,
      name: entry.name,
      podSelector: readSelector(spec.podSelector) ?? { matchLabels: {}, matchExpressions: [] },
      hasIngress: types.includes('Ingress'),
      hasEgress: types.includes('Egress'),
      ingress: readRules(
        (spec.ingress ?? []).map((rule) => ({ peers: rule.from, ports: rule.ports })),
        notes,
      ),
      egress: readRules(
        (spec.egress ?? []).map((rule) => ({ peers: rule.to, ports: rule.ports })),
        notes,
      ),
    };
  });
}

/** Without policyTypes a policy is about ingress, and about egress when it has an egress rule. */
function policyTypes(spec: NonNullable<PolicyManifest['spec']>): readonly string[] {
  const types = spec.policyTypes ?? [];
  if (types.length > 0) return types;
  return (spec.egress ?? []).length > 0 ? ['Ingress', 'Egress'] : ['Ingress'];
}

interface RuleManifest {
  readonly peers: readonly PeerManifest[] | null | undefined;
  readonly ports: readonly PolicyPortManifest[] | null | undefined;
}

function readRules(rules: readonly RuleManifest[], notes: Notes): PolicyRule[] {
  return rules.flatMap((rule) => {
    const named = rule.peers ?? [];
    const peers = named.map((peer) => readPeer(peer, notes)).filter((peer) => peer !== null);
    // No peers would mean every peer: a rule for IPv6 alone says nothing about IPv4.
    if (named.length > 0 && peers.length === 0) return [];
    return [{ peers, ports: (rule.ports ?? []).map(readPort) }];
  });
}

function readPeer(peer: PeerManifest, notes: Notes): PolicyPeer | null {
  if (!peer.ipBlock) {
    const podSelector = readSelector(peer.podSelector);
    return { kind: 'pods', podSelector, namespaceSelector: readSelector(peer.namespaceSelector) };
  }
  const prefix = parsePrefix(peer.ipBlock.cidr);
  if (prefix === null) {
    notes.count('ipBlocks of NetworkPolicies left out, as they are IPv6');
    return null;
  }
  const except = (peer.ipBlock.except ?? []).map(parsePrefix).filter((hole) => hole !== null);
  return { kind: 'block', prefix, except };
}

function readPort(port: PolicyPortManifest): PolicyPort {
  const number = toPort(port.port ?? '');
  return {
    protocol: port.protocol || 'TCP',
    port: number === '' ? null : number,
    endPort: port.endPort ?? null,
  };
}

function readSelector(selector: PeerManifest['podSelector']): LabelSelector | null {
  if (selector === null || selector === undefined) return null;
  return {
    matchLabels: toLabels(selector.matchLabels),
    matchExpressions: (selector.matchExpressions ?? []).map((expression) => ({
      key: expression.key,
      operator: expression.operator,
      values: expression.values ?? [],
    })),
  };
}
