/** Which NetworkPolicies decided about a packet: the rules that let it through, or who isolates the pod and the rule that
 *  would have let it through with the least change. For reports; allocates. */

import { ADDRESS_KIND, findAddress } from '../tables/addresses.js';
import type { Epoch } from '../tables/epoch.js';
import { EGRESS_TABLE, policyRuleOf } from '../tables/flows.js';
import { NONE } from '../tables/nodes.js';
import { Effect, identityOf } from '../tables/policies.js';
import { QUIRKS } from '../verdict/quirks.js';
import { ETHERNET } from '../wire/ethernet.js';
import { checkIpv4, ipv4Dst, ipv4HeaderSize, ipv4Protocol, ipv4Src } from '../wire/ipv4.js';
import type { LoggedHop } from './hop-log.js';
import { nearestOf, type PolicyDocument, type PolicyEnd, type PolicyPacket } from './policy-misses.js';

export interface PolicyAllow {
  readonly direction: 'ingress' | 'egress';
  /** As `NetworkPolicy shop/web-allow ingress[0].ports[1]`. */
  readonly rule: string;
  /** The quirk of the SDN without which it would have been denied; empty for none. */
  readonly quirk: string;
}

export interface PolicyDenial {
  readonly direction: 'ingress' | 'egress';
  /** The policed pod, as `shop/web-1`. */
  readonly pod: string;
  /** As `NetworkPolicy shop/deny-all`, in the order of names. */
  readonly isolatedBy: readonly string[];
  /** The rule that the packet misses in the fewest respects, and which; null when no policy has a rule. */
  readonly nearest: { readonly rule: string; readonly misses: readonly string[] } | null;
  /** The quirk of the SDN without which it would have been let through; empty for none. */
  readonly quirk: string;
}

/** A quirk in words: its name and what it does. */
export const quirkText = (quirk: number): string =>
  quirk === 0 ? '' : `${QUIRKS[quirk]!.name}: ${QUIRKS[quirk]!.sentence}`;

const ruleOf = (epoch: Epoch, rule: number): number =>
  rule < 0 ? -1 : policyRuleOf(epoch.tables.flows, rule);

/** Is the row only there to say what a quirk left out? */
export function isLeftOut(epoch: Epoch, rule: number): boolean {
  const row = ruleOf(epoch, rule);
  return row >= 0 && epoch.tables.flows.policies.rules.effect[row] === Effect.LeftOut;
}

const directionOf = (table: number): 'ingress' | 'egress' => (table === EGRESS_TABLE ? 'egress' : 'ingress');

/** The rules that let the packet through, in the order in which it met them. */
export function policyAllows(epoch: Epoch, hops: readonly LoggedHop[]): PolicyAllow[] {
  const { rule } = epoch.tables.flows;
  return hops
    .filter((hop) => ruleOf(epoch, hop.rule) >= 0 && !isLeftOut(epoch, hop.rule))
    .map((hop) => ({
      direction: directionOf(hop.table),
      rule: epoch.text(rule.object[hop.rule]!),
      quirk: quirkText(rule.quirk[hop.rule]!),
    }));
}

/** Why a packet whose hops end with a drop in table 27 or 80 was not let through; null when its frame says too little. */
export function policyDenial(epoch: Epoch, hops: readonly LoggedHop[]): PolicyDenial | null {
  const last = hops.findLast((hop) => hop.rule >= 0 && !isLeftOut(epoch, hop.rule));
  const packet = last === undefined ? null : packetOf(epoch, last);
  if (packet?.own.pod == null) return null;
  const { policies, rule } = epoch.tables.flows;
  const { direction, own } = packet;
  const identity = identityOf(policies, own.address);
  const scope = identity === NONE ? NONE : policies.identities[direction][identity]!;
  if (scope === NONE) return null;
  const documents = isolating(epoch, scope);
  const leftOut = hops.findLast((hop) => isLeftOut(epoch, hop.rule));
  const quirk = leftOut === undefined ? '' : quirkText(rule.quirk[leftOut.rule]!);
  return {
    direction,
    pod: own.pod!.name,
    isolatedBy: documents.map(({ namespace, name }) => `NetworkPolicy ${namespace}/${name}`),
    nearest:
      leftOut === undefined
        ? nearestRule(documents, packet)
        : { rule: epoch.text(rule.object[leftOut.rule]!), misses: [quirk] },
    quirk,
  };
}

function isolating(epoch: Epoch, scope: number): PolicyDocument[] {
  const { scopes, isolating: rows, documents } = epoch.tables.flows.policies;
  const first = scopes.policyFirst[scope]!;
  return Array.from(
    rows.document.subarray(first, first + scopes.policyCount[scope]!),
    (row) => JSON.parse(epoch.text(documents.document[row]!)) as PolicyDocument,
  );
}

function nearestRule(documents: readonly PolicyDocument[], packet: PolicyPacket): PolicyDenial['nearest'] {
  let nearest: { rule: string; misses: readonly string[] } | null = null;
  for (const policy of documents)
    for (const [index, rule] of policy[packet.direction].entries()) {
      const { port, misses } = nearestOf(rule, policy.namespace, packet);
      if (nearest !== null && nearest.misses.length <= misses.length) continue;
      const entry = port < 0 ? '' : `.ports[${port}]`;
      const name = `NetworkPolicy ${policy.namespace}/${policy.name} ${packet.direction}[${index}]${entry}`;
      nearest = { rule: name, misses };
    }
  return nearest;
}

const PROTOCOLS: Readonly<Record<number, string>> = { 1: 'ICMP', 6: 'TCP', 17: 'UDP', 132: 'SCTP' };

function packetOf(epoch: Epoch, { table, bytes }: LoggedHop): PolicyPacket | null {
  const p = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const l3 = ETHERNET.SIZE;
  if (bytes.length < l3 || checkIpv4(p, l3, bytes.length) !== 0) return null;
  const l4 = l3 + ipv4HeaderSize(p, l3);
  const protocol = ipv4Protocol(p, l3);
  const source = endOf(epoch, ipv4Src(p, l3));
  const destination = endOf(epoch, ipv4Dst(p, l3));
  const direction = directionOf(table);
  return {
    direction,
    own: direction === 'egress' ? source : destination,
    other: direction === 'egress' ? destination : source,
    protocol: PROTOCOLS[protocol] ?? `protocol ${protocol}`,
    port: bytes.length >= l4 + 4 ? p.getUint16(l4 + 2) : 0,
  };
}

function endOf(epoch: Epoch, address: number): PolicyEnd {
  const { addresses, pods, namespaces, flows } = epoch.tables;
  const slot = findAddress(addresses, address);
  if (slot < 0 || addresses.kind[slot] !== ADDRESS_KIND.POD) return { address, pod: null };
  const row = addresses.row[slot]!;
  const identity = flows.policies.pods.identity[row]!;
  if (identity === NONE) return { address, pod: null };
  const { identities, namespaces: labelled } = flows.policies;
  const namespace = identities.namespace[identity]!;
  const facts = JSON.parse(epoch.text(identities.facts[identity]!)) as Pick<
    NonNullable<PolicyEnd['pod']>,
    'labels' | 'ports'
  >;
  return {
    address,
    pod: {
      name: epoch.text(pods.name[row]!),
      namespace: epoch.text(namespaces.name[namespace]!),
      namespaceLabels: JSON.parse(epoch.text(labelled.labels[namespace]!)) as Record<string, string>,
      ...facts,
    },
  };
}
