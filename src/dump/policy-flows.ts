/** The flows that NetworkPolicies' rules stand for on a real br0: policed pods times other ends times ports.
 *  Source: openshift/sdn pkg/network/node/networkpolicy.go (parseNetworkPolicy). */
import { formatIpv4, formatPrefix } from '../addr/ipv4.js';
import { portMasks } from '../addr/port-masks.js';
import type { Epoch } from '../tables/epoch.js';
import { EGRESS_TABLE } from '../tables/flows.js';
import { NONE } from '../tables/nodes.js';
import { Effect, PeerKind } from '../tables/policies.js';

export interface PolicyFlow {
  readonly table: number;
  /** Row of FRL1 that the flow comes of. */
  readonly rule: number;
  readonly match: string;
}

/** Flows of node row `node`, each once, of the namespaces whose NetIDs are `here`. */
export function* policyFlows(epoch: Epoch, node: number, here: ReadonlySet<number>): Generator<PolicyFlow> {
  const { flows, namespaces } = epoch.tables;
  const { rules } = flows.policies;
  const seen = new Set<string>();
  for (let row = 0; row < rules.rows; row++) {
    if (rules.rule[row] === NONE || rules.effect[row] === Effect.LeftOut) continue;
    const rule = rules.rule[row]!;
    const table = flows.subtable.table[flows.rule.subtable[rule]!]!;
    const ports = portWords(rules.portFirst[row]!, rules.portLast[row]!);
    for (const target of targetsOf(epoch, row)) {
      const vni = namespaces.vni[target.namespace]!;
      if (!here.has(vni)) continue;
      for (const peer of peersOf(epoch, row, node))
        for (const port of ports) {
          const match = matchOf(table, vni, target.address, peer, port);
          const key = `${table} ${match}`;
          if (seen.has(key)) continue;
          seen.add(key);
          yield { table, rule, match };
        }
    }
  }
}

/** The other end: address or prefix in words, or the NetID in register 0; '' for everybody. */
interface PeerWords {
  readonly address: string;
  readonly netId: number | null;
}

interface PortWords {
  readonly protocol: string;
  readonly port: string;
}

/** As ovs-ofctl writes it: protocol, addresses, port, registers. */
function matchOf(table: number, vni: number, own: string, peer: PeerWords, port: PortWords): string {
  const isEgress = table === EGRESS_TABLE;
  const [src, dst] = isEgress ? [own, peer.address] : [peer.address, own];
  return [
    port.protocol,
    src === '' ? '' : `nw_src=${src}`,
    dst === '' ? '' : `nw_dst=${dst}`,
    port.port,
    peer.netId === null ? '' : `reg0=${registerText(peer.netId)}`,
    `${isEgress ? 'reg0' : 'reg1'}=${registerText(vni)}`,
  ]
    .filter((part) => part !== '')
    .join(',');
}

/** ovs-ofctl writes 0 without 0x. */
const registerText = (value: number): string => (value === 0 ? '0' : `0x${value.toString(16)}`);

interface Target {
  readonly namespace: number;
  /** '' for every pod of the namespace. */
  readonly address: string;
}

function targetsOf(epoch: Epoch, row: number): readonly Target[] {
  const { rules, targets, identities } = epoch.tables.flows.policies;
  if (rules.targetCount[row] === NONE) return [{ namespace: rules.namespace[row]!, address: '' }];
  const first = rules.targetFirst[row]!;
  const rows = targets.identity.subarray(first, first + rules.targetCount[row]!);
  return [...rows].flatMap((identity) =>
    addressesOf(epoch, identity).map((address) => ({ namespace: identities.namespace[identity]!, address })),
  );
}

function peersOf(epoch: Epoch, row: number, node: number): readonly PeerWords[] {
  const { rules, peers } = epoch.tables.flows.policies;
  const first = rules.peerFirst[row]!;
  return Array.from({ length: rules.peerCount[row]! }, (_, i) => first + i).flatMap((at) =>
    peerWords(epoch, peers.kind[at]!, peers.value[at]!, peers.length[at]!, node),
  );
}

function peerWords(epoch: Epoch, kind: number, value: number, length: number, node: number): PeerWords[] {
  const { nodes, flows, config } = epoch.tables;
  const { identities } = flows.policies;
  const byAddress = (addresses: readonly string[]): PeerWords[] =>
    addresses.map((address) => ({ address, netId: null }));
  const everyIdentity = (isMeant: (identity: number) => boolean): PeerWords[] =>
    Array.from({ length: identities.rows }, (_, identity) => identity)
      .filter(isMeant)
      .flatMap((identity) => byAddress(addressesOf(epoch, identity)));
  switch (kind) {
    case PeerKind.ANY:
      return [{ address: '', netId: null }];
    case PeerKind.NETID:
      return [{ address: '', netId: value }];
    case PeerKind.BLOCK:
      return byAddress([formatPrefix({ base: value, length }).replace(/\/32$/, '')]);
    case PeerKind.IDENTITY:
      return byAddress(addressesOf(epoch, value));
    case PeerKind.NAMESPACE:
      return everyIdentity((identity) => identities.namespace[identity] === value);
    case PeerKind.LABELS:
      return everyIdentity((identity) => identities.labels[identity] === value);
    case PeerKind.NODE:
      return byAddress([formatIpv4(nodes.gateway[node]!), formatIpv4(nodes.address[node]!)]);
    // The SDN has one wider flow for these, which stands among the rules that quirks add.
    case PeerKind.POD:
      return config.policyMode[0] === 0 ? [] : everyIdentity(() => true);
    default:
      return [];
  }
}

function addressesOf(epoch: Epoch, identity: number): string[] {
  const { pods, flows } = epoch.tables;
  const { identities, pods: members } = flows.policies;
  const addresses: string[] = [];
  for (let pod = identities.podFirst[identity]!; pod !== NONE; pod = members.next[pod]!)
    addresses.push(formatIpv4(pods.address[pod]!));
  return addresses;
}

const PROTOCOLS: Readonly<Record<number, string>> = { 6: 'tcp', 17: 'udp', 132: 'sctp' };

function portWords(first: number, last: number): readonly PortWords[] {
  const protocol = PROTOCOLS[first >>> 16];
  if (protocol === undefined) return [{ protocol: 'ip', port: '' }];
  const from = first & 0xffff;
  const to = last & 0xffff;
  if (from === 0 && to === 0xffff) return [{ protocol, port: '' }];
  return portMasks(from, to).map(([value, mask]) => ({
    protocol,
    port: mask === 0xffff ? `tp_dst=${value}` : `tp_dst=${value}/0x${mask.toString(16)}`,
  }));
}
