/** EgressNetworkPolicies: networks as they are, DNS names by the addresses that an annotation gives them.
 *  Source: openshift/sdn pkg/network/node/ovscontroller.go (UpdateEgressNetworkPolicyRules). */
import { type Ipv4Prefix, parseIpv4 } from '../addr/ipv4.js';
import { parsePrefix } from '../addr/ipv4-prefix.js';
import type { Namespace } from '../model/cluster.js';
import type { EgressPolicy, EgressRule } from '../model/network-objects.js';
import type { Entry } from './inventory.js';
import type { EgressPolicyManifest } from './kinds/egress-policy.js';
import type { Notes } from './notes.js';
import type { ProblemList } from './problems.js';

/** Annotation that tells what DNS names resolve to: `www.example.com=203.0.113.7,203.0.113.8 api.example.com=…`. */
const ADDRESSES_ANNOTATION = 'podplane/addresses';

type RuleManifest = NonNullable<NonNullable<EgressPolicyManifest['spec']>['egress']>[number];

export function readEgressPolicies(
  entries: readonly Entry<'EgressNetworkPolicy'>[],
  namespaces: readonly Namespace[],
  problems: ProblemList,
  notes: Notes,
): EgressPolicy[] {
  const policies = entries.map((entry) => {
    const addresses = annotatedAddresses(entry, problems);
    const rules = (entry.value.spec?.egress ?? []).map((rule) => readRule(rule, addresses, notes));
    return { namespace: entry.namespace, name: entry.name, rules };
  });
  noteMisuse(policies, namespaces, notes);
  return policies;
}

function readRule(
  { type, to }: RuleManifest,
  addresses: ReadonlyMap<string, readonly number[]>,
  notes: Notes,
): EgressRule {
  const isAllow = type === 'Allow';
  if (to.cidrSelector) return { isAllow, to: to.cidrSelector, prefixes: networkOf(to.cidrSelector, notes) };
  const name = to.dnsName ?? '';
  const known = addresses.get(nameKey(name));
  if (known === undefined)
    notes.count(
      'rules of EgressNetworkPolicies without effect, as nothing tells what their DNS name resolves to',
    );
  return { isAllow, to: name, prefixes: (known ?? []).map((base) => ({ base, length: 32 })) };
}

function networkOf(text: string, notes: Notes): Ipv4Prefix[] {
  const prefix = parsePrefix(text);
  if (prefix === null) {
    notes.count('rules of EgressNetworkPolicies without effect, as their network is IPv6');
    return [];
  }
  if (prefix.base !== 0 || prefix.length !== 32) return [prefix];
  notes.say('EgressNetworkPolicies that say 0.0.0.0/32 are taken to mean 0.0.0.0/0, as OpenShift does');
  return [{ base: 0, length: 0 }];
}

/** A name's last dot does not matter, nor does its case. */
const nameKey = (name: string): string => name.toLowerCase().replace(/\.$/, '');

function annotatedAddresses(
  entry: Entry<'EgressNetworkPolicy'>,
  problems: ProblemList,
): ReadonlyMap<string, readonly number[]> {
  const found = new Map<string, number[]>();
  const text = entry.value.metadata.annotations?.[ADDRESSES_ANNOTATION] ?? '';
  for (const item of text.split(/\s+/).filter(Boolean)) {
    const [name = '', list = '', ...rest] = item.split('=');
    const addresses = list.split(',').map(parseIpv4);
    if (name !== '' && rest.length === 0 && addresses.every((address) => address !== -1))
      found.set(nameKey(name), addresses);
    else {
      const path = ['metadata', 'annotations', ADDRESSES_ANNOTATION];
      problems.add(
        entry,
        path,
        JSON.stringify(item),
        'name=address,address, such as example.com=203.0.113.7',
      );
    }
  }
  return found;
}

/** What the node's log would say. */
function noteMisuse(policies: readonly EgressPolicy[], namespaces: readonly Namespace[], notes: Notes): void {
  const vnis = new Map(namespaces.map((namespace) => [namespace.name, namespace.vni]));
  const shares = (vni: number): number => namespaces.filter((namespace) => namespace.vni === vni).length;
  for (const { namespace, name } of policies) {
    const vni = vnis.get(namespace) ?? 0;
    const what = `EgressNetworkPolicy ${namespace}/${name}`;
    if (vni === 0) notes.say(`${what} is ignored: its namespace is global`);
    else if (shares(vni) > 1)
      notes.say(`${what}: NetID ${vni} is shared, so nothing may leave from its namespaces`);
    else if (policies.filter((policy) => policy.namespace === namespace).length > 1)
      notes.say(`${what} is not the only one of its namespace, so nothing may leave from there`);
  }
}
