/** What the NetworkPolicy API says of one packet, worked out the slow way: every policy, rule, peer and port in turn, from
 *  the objects as they were written. It shares no code with src, so that it can judge it.
 *  Source: Kubernetes networking.k8s.io/v1 NetworkPolicySpec, and the page Network Policies. */

export interface PolicySpec {
  readonly podSelector: Selector;
  readonly policyTypes?: readonly string[];
  readonly ingress?: readonly { readonly from?: readonly Peer[]; readonly ports?: readonly Port[] }[];
  readonly egress?: readonly { readonly to?: readonly Peer[]; readonly ports?: readonly Port[] }[];
}

export interface Peer {
  readonly podSelector?: Selector;
  readonly namespaceSelector?: Selector;
  readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] };
}

export interface Port {
  readonly protocol?: string;
  readonly port?: number | string;
  readonly endPort?: number;
}

export interface Selector {
  readonly matchLabels?: Labels;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
}

type Labels = Readonly<Record<string, string>>;

export interface PodFacts {
  readonly namespace: string;
  readonly name: string;
  readonly ip: string;
  readonly labels: Labels;
  readonly ports: readonly { readonly name: string; readonly protocol: string; readonly number: number }[];
  /** Addresses of the node that it runs on. */
  readonly nodeAddresses: readonly string[];
}

export interface ClusterFacts {
  readonly namespaceLabels: Readonly<Record<string, Labels>>;
  /** Pods of the pod network. */
  readonly pods: readonly PodFacts[];
  readonly policies: readonly { readonly namespace: string; readonly spec: PolicySpec }[];
}

/** As it is seen at the pods: addresses behind every translation. */
export interface PacketFacts {
  readonly source: string;
  readonly destination: string;
  /** `TCP`, `UDP`, `SCTP` or `ICMP`. */
  readonly protocol: string;
  readonly port: number;
}

/** Does a new connection get through? */
export function isAllowed(cluster: ClusterFacts, packet: PacketFacts): boolean {
  const from = cluster.pods.find((pod) => pod.ip === packet.source);
  const to = cluster.pods.find((pod) => pod.ip === packet.destination);
  if (from !== undefined && !mayPass(cluster, packet, 'Egress', from, packet.destination)) return false;
  return to === undefined || mayPass(cluster, packet, 'Ingress', to, packet.source);
}

function mayPass(
  cluster: ClusterFacts,
  packet: PacketFacts,
  direction: 'Ingress' | 'Egress',
  pod: PodFacts,
  other: string,
): boolean {
  if (pod.nodeAddresses.includes(other)) return true;
  let isIsolated = false;
  for (const { namespace, spec } of cluster.policies) {
    if (namespace !== pod.namespace || !typesOf(spec).includes(direction)) continue;
    if (!matches(spec.podSelector, pod.labels)) continue;
    isIsolated = true;
    const rules =
      direction === 'Ingress'
        ? (spec.ingress ?? []).map((rule) => ({ peers: rule.from ?? [], ports: rule.ports ?? [] }))
        : (spec.egress ?? []).map((rule) => ({ peers: rule.to ?? [], ports: rule.ports ?? [] }));
    const receiver = cluster.pods.find((one) => one.ip === packet.destination);
    for (const { peers, ports } of rules) {
      const isPeer = peers.length === 0 || peers.some((peer) => isMeant(cluster, peer, namespace, other));
      const isPort = ports.length === 0 || ports.some((port) => isOpen(port, packet, receiver));
      if (isPeer && isPort) return true;
    }
  }
  return !isIsolated;
}

function typesOf(spec: PolicySpec): readonly string[] {
  if (spec.policyTypes !== undefined && spec.policyTypes.length > 0) return spec.policyTypes;
  return spec.egress !== undefined && spec.egress.length > 0 ? ['Ingress', 'Egress'] : ['Ingress'];
}

function isMeant(cluster: ClusterFacts, peer: Peer, own: string, address: string): boolean {
  if (peer.ipBlock !== undefined) {
    const { cidr, except = [] } = peer.ipBlock;
    return isIn(address, cidr) && !except.some((hole) => isIn(address, hole));
  }
  const pod = cluster.pods.find((one) => one.ip === address);
  if (pod === undefined) return false;
  const isSpace =
    peer.namespaceSelector === undefined
      ? pod.namespace === own
      : matches(peer.namespaceSelector, cluster.namespaceLabels[pod.namespace]!);
  return isSpace && (peer.podSelector === undefined || matches(peer.podSelector, pod.labels));
}

/** A named port is that of the pod that receives. */
function isOpen(entry: Port, packet: PacketFacts, receiver: PodFacts | undefined): boolean {
  const protocol = entry.protocol ?? 'TCP';
  if (protocol !== packet.protocol) return false;
  if (entry.port === undefined) return true;
  if (typeof entry.port === 'number')
    return packet.port >= entry.port && packet.port <= (entry.endPort ?? entry.port);
  const named = receiver?.ports.find((port) => port.name === entry.port && port.protocol === protocol);
  return named !== undefined && named.number === packet.port;
}

function matches(selector: Selector, labels: Labels): boolean {
  for (const key in selector.matchLabels ?? {})
    if (!(key in labels) || labels[key] !== selector.matchLabels![key]) return false;
  for (const { key, operator, values = [] } of selector.matchExpressions ?? []) {
    const has = key in labels;
    if (operator === 'In' && !(has && values.includes(labels[key]!))) return false;
    if (operator === 'NotIn' && has && values.includes(labels[key]!)) return false;
    if (operator === 'Exists' && !has) return false;
    if (operator === 'DoesNotExist' && has) return false;
  }
  return true;
}

/** Bit by bit, as text. */
function isIn(address: string, cidr: string): boolean {
  const [base = '', length = ''] = cidr.split('/');
  return bits(address).slice(0, Number(length)) === bits(base).slice(0, Number(length));
}

const bits = (address: string): string =>
  address
    .split('.')
    .map((octet) => Number(octet).toString(2).padStart(8, '0'))
    .join('');
