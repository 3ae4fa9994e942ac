/** The many flows of a NetworkPolicy's rule as one match: `tcp,nw_src={3 pods},nw_dst={2 pods},tp_dst=8080,reg1=0x3e9`. */
import { formatPrefix } from '../addr/ipv4.js';
import type { Epoch } from '../tables/epoch.js';
import { EGRESS_TABLE } from '../tables/flows.js';
import { NONE } from '../tables/nodes.js';
import { PeerKind } from '../tables/policies.js';

const PROTOCOLS: Readonly<Record<number, string>> = { 6: 'tcp', 17: 'udp', 132: 'sctp' };

/** Kinds of pods that were there when they were selected. */
const SELECTED: readonly number[] = [PeerKind.IDENTITY, PeerKind.LABELS];

interface Peer {
  readonly kind: number;
  readonly value: number;
  readonly length: number;
}

/** The match of row `row` of PLR1. How many pods it speaks of is counted now, since they come and go. */
export function policyMatch(epoch: Epoch, row: number): string {
  const { flows, namespaces } = epoch.tables;
  const { rules } = flows.policies;
  const table = flows.subtable.table[flows.rule.subtable[rules.rule[row]!]!]!;
  const isIngress = table !== EGRESS_TABLE;
  const protocol = rules.portFirst[row]! >>> 16;
  const isAll = protocol === 0;
  const parts = [isAll ? 'ip' : PROTOCOLS[protocol]!];
  const peer = peersText(epoch, peersOf(epoch, row));
  const own = targetsText(epoch, row);
  const [src, dst] = isIngress ? [peer, own] : [own, peer];
  if (src.startsWith('reg0')) parts.push(src);
  else if (src !== '') parts.push(`nw_src=${src}`);
  if (dst !== '') parts.push(`nw_dst=${dst}`);
  const [first, last] = [rules.portFirst[row]! & 0xffff, rules.portLast[row]! & 0xffff];
  if (!isAll && first === last) parts.push(`tp_dst=${first}`);
  else if (!isAll && last - first < 0xffff) parts.push(`tp_dst=${first}-${last}`);
  const namespace = rules.namespace[row]!;
  if (namespace !== NONE) parts.push(`reg${isIngress ? 1 : 0}=${registerText(namespaces.vni[namespace]!)}`);
  return parts.join(',');
}

/** ovs-ofctl writes 0 without 0x. */
const registerText = (value: number): string => (value === 0 ? '0' : `0x${value.toString(16)}`);

const manyText = (pods: number): string => `{${pods} ${pods === 1 ? 'pod' : 'pods'}}`;

function targetsText(epoch: Epoch, row: number): string {
  const { rules, targets, identities } = epoch.tables.flows.policies;
  if (rules.targetCount[row] === NONE) return '';
  const first = rules.targetFirst[row]!;
  const rows = targets.identity.subarray(first, first + rules.targetCount[row]!);
  return manyText(rows.reduce((sum, identity) => sum + identities.podCount[identity]!, 0));
}

/** Pods that were selected and have all gone are not told of. */
function peersOf(epoch: Epoch, row: number): readonly Peer[] {
  const { rules, peers } = epoch.tables.flows.policies;
  const first = rules.peerFirst[row]!;
  return Array.from({ length: rules.peerCount[row]! }, (_, i) => ({
    kind: peers.kind[first + i]!,
    value: peers.value[first + i]!,
    length: peers.length[first + i]!,
  })).filter((peer) => !SELECTED.includes(peer.kind) || countPods(epoch, [peer]) > 0);
}

function peersText(epoch: Epoch, peers: readonly Peer[]): string {
  const { config, namespaces } = epoch.tables;
  const has = (kind: number): boolean => peers.some((peer) => peer.kind === kind);
  const [first] = peers;
  if (has(PeerKind.ANY)) return '';
  // The SDN's flow for an empty namespaceSelector says nothing of the other end.
  if (config.policyMode[0] === 0 && has(PeerKind.POD)) return '';
  if (first === undefined) return '{}';
  if (peers.length === 1 && first.kind === PeerKind.NETID) return `reg0=${registerText(first.value)}`;
  if (peers.length === 1 && first.kind === PeerKind.NETID_POD)
    return `reg0=${registerText(namespaces.vni[first.value]!)}`;
  const blocks = peers.filter((peer) => peer.kind === PeerKind.BLOCK);
  if (peers.length === 1 && blocks.length === 1)
    return formatPrefix({ base: first.value, length: first.length }).replace(/\/32$/, '');
  const words: string[] = [];
  const spaces = peers.filter((peer) => peer.kind === PeerKind.NETID || peer.kind === PeerKind.NETID_POD);
  const pods = countPods(epoch, peers);
  if (pods > 0) words.push(manyText(pods).slice(1, -1));
  if (has(PeerKind.POD)) words.push('every pod');
  if (has(PeerKind.NODE)) words.push('own node');
  if (spaces.length > 0) words.push(`${spaces.length} NetIDs`);
  if (blocks.length > 0) words.push(`${blocks.length} blocks`);
  return `{${words.join(', ')}}`;
}

/** Pods that the peers select by identity, labels or namespace. */
function countPods(epoch: Epoch, peers: readonly Peer[]): number {
  const { identities } = epoch.tables.flows.policies;
  const times = new Map<string, number>();
  for (const { kind, value } of peers) {
    const key = `${kind} ${value}`;
    times.set(key, (times.get(key) ?? 0) + 1);
  }
  const timesOf = (kind: number, value: number): number => times.get(`${kind} ${value}`) ?? 0;
  let pods = 0;
  for (let row = 0; row < identities.rows; row++)
    pods +=
      identities.podCount[row]! *
      (timesOf(PeerKind.IDENTITY, row) +
        timesOf(PeerKind.NAMESPACE, identities.namespace[row]!) +
        timesOf(PeerKind.LABELS, identities.labels[row]!));
  return pods;
}
