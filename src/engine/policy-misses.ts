/** In which respects a packet misses a rule of a NetworkPolicy, in words: other end, protocol, port. For explanations;
 *  reads the policy as it was written, by the API's text. */
import { formatIpv4, formatPrefix, type Ipv4Prefix, prefixContains } from '../addr/ipv4.js';

/** A NetworkPolicy as its document in the tables has it. */
export interface PolicyDocument {
  readonly namespace: string;
  readonly name: string;
  readonly ingress: readonly RuleDocument[];
  readonly egress: readonly RuleDocument[];
}

export interface RuleDocument {
  readonly peers: readonly PeerDocument[];
  readonly ports: readonly PortDocument[];
}

interface SelectorDocument {
  readonly matchLabels: Labels;
  readonly matchExpressions: readonly {
    readonly key: string;
    readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
    readonly values: readonly string[];
  }[];
}

type PeerDocument =
  | {
      readonly kind: 'pods';
      readonly podSelector: SelectorDocument | null;
      readonly namespaceSelector: SelectorDocument | null;
    }
  | { readonly kind: 'block'; readonly prefix: Ipv4Prefix; readonly except: readonly Ipv4Prefix[] };

interface PortDocument {
  readonly protocol: string;
  readonly port: number | string | null;
  readonly endPort: number | null;
}

type Labels = Readonly<Record<string, string>>;

/** One end of a packet; `pod` is null where the address is no pod's. */
export interface PolicyEnd {
  readonly address: number;
  readonly pod: {
    readonly name: string;
    readonly namespace: string;
    readonly labels: Labels;
    readonly namespaceLabels: Labels;
    readonly ports: readonly { readonly name: string; readonly protocol: string; readonly port: number }[];
  } | null;
}

export interface PolicyPacket {
  readonly direction: 'ingress' | 'egress';
  /** The policed pod, and who it talks to. */
  readonly own: PolicyEnd;
  readonly other: PolicyEnd;
  /** `TCP`, `UDP`, `SCTP`, `ICMP`, or a number. */
  readonly protocol: string;
  readonly port: number;
}

/** Per entry of ports (or once, where a rule has none): what misses, least first found. */
export interface RuleMiss {
  /** Index of the entry of ports, or -1. */
  readonly port: number;
  readonly misses: readonly string[];
}

/** The entry of ports, and the peer, that the packet comes nearest to; ties go to the first. */
export function nearestOf(rule: RuleDocument, namespace: string, packet: PolicyPacket): RuleMiss {
  const other = leastOf(rule.peers.map((peer) => peerMiss(peer, namespace, packet)));
  let nearest: RuleMiss | null = null;
  const entries: readonly (PortDocument | null)[] = rule.ports.length === 0 ? [null] : rule.ports;
  entries.forEach((entry, i) => {
    const misses = [...other, ...(entry === null ? [] : portMisses(entry, packet))];
    if (nearest === null || misses.length < nearest.misses.length)
      nearest = { port: entry === null ? -1 : i, misses };
  });
  return nearest!;
}

/** Of several peers one is enough; of none, everybody is meant. */
function leastOf(peers: readonly (string | null)[]): readonly string[] {
  if (peers.length === 0 || peers.includes(null)) return [];
  return [peers[0]!];
}

/** What the other end lacks, or null. */
function peerMiss(peer: PeerDocument, own: string, { direction, other }: PolicyPacket): string | null {
  const way = direction === 'ingress' ? 'from' : 'to';
  const address = formatIpv4(other.address);
  if (peer.kind === 'block') {
    if (!prefixContains(peer.prefix, other.address))
      return `${way} ${address}, outside ${formatPrefix(peer.prefix)}`;
    const hole = peer.except.find((prefix) => prefixContains(prefix, other.address));
    return hole === undefined
      ? null
      : `${way} ${address}, in ${formatPrefix(hole)}, which the block leaves out`;
  }
  const { pod } = other;
  if (pod === null) return `${way} ${address}, which is no pod`;
  if (peer.namespaceSelector === null) {
    if (pod.namespace !== own) return `${way} namespace ${pod.namespace}, not ${own}`;
  } else {
    const lack = selectorMiss(peer.namespaceSelector, pod.namespaceLabels);
    if (lack !== null) return `${way} namespace ${pod.namespace}: ${lack}`;
  }
  const lack = peer.podSelector === null ? null : selectorMiss(peer.podSelector, pod.labels);
  return lack === null ? null : `${way} pod ${pod.name}: ${lack}`;
}

/** The first requirement that the labels do not meet, or null. */
function selectorMiss(selector: SelectorDocument, labels: Labels): string | null {
  const value = (key: string): string | null => (Object.hasOwn(labels, key) ? labels[key]! : null);
  for (const [key, wanted] of Object.entries(selector.matchLabels)) {
    const own = value(key);
    if (own === null) return `label ${key}=${wanted} is missing`;
    if (own !== wanted) return `label ${key}=${own}, not ${wanted}`;
  }
  for (const { key, operator, values } of selector.matchExpressions) {
    const own = value(key);
    const list = values.join(', ');
    if (operator === 'Exists' && own === null) return `label ${key} is missing`;
    if (operator === 'DoesNotExist' && own !== null) return `label ${key} is there`;
    if (operator === 'In' && own === null) return `label ${key} is missing, one of ${list} is wanted`;
    if (operator === 'In' && !values.includes(own!)) return `label ${key}=${own}, not one of ${list}`;
    if (operator === 'NotIn' && own !== null && values.includes(own)) return `label ${key}=${own}`;
  }
  return null;
}

/** Protocol and port are two respects. */
function portMisses(entry: PortDocument, packet: PolicyPacket): string[] {
  const misses: string[] = [];
  if (entry.protocol !== packet.protocol) misses.push(`${packet.protocol}, not ${entry.protocol}`);
  const wanted = wantedPort(entry, packet);
  if (wanted !== null)
    misses.push(hasPorts(packet) ? `port ${packet.port}, not ${wanted}` : `no port, not ${wanted}`);
  return misses;
}

const hasPorts = ({ protocol }: PolicyPacket): boolean => ['TCP', 'UDP', 'SCTP'].includes(protocol);

/** The ports that the entry wants, where the packet's is not among them. */
function wantedPort({ protocol, port, endPort }: PortDocument, packet: PolicyPacket): string | null {
  if (port === null) return null;
  if (typeof port === 'number') {
    const last = endPort ?? port;
    if (hasPorts(packet) && packet.port >= port && packet.port <= last) return null;
    return last === port ? `${port}` : `${port}-${last}`;
  }
  const owner = packet.direction === 'ingress' ? packet.own.pod : packet.other.pod;
  const named = owner?.ports.find((one) => one.name === port && one.protocol === protocol);
  if (named === undefined) return `"${port}", which ${owner === null ? 'no pod' : `pod ${owner.name}`} has`;
  return hasPorts(packet) && named.port === packet.port ? null : `"${port}" (${named.port})`;
}
