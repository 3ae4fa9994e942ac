/** What generated traffic needs to know of a cluster, in plain numbers: who may talk to whom, and by which MACs. */

export interface TrafficTopology {
  readonly pods: readonly TrafficPod[];
  /** Where connections may go: Service ports, and pods' own ports. */
  readonly targets: readonly TrafficTarget[];
  /** Cluster DNS, a Service port of UDP; null when there is none. */
  readonly dns: TrafficTarget | null;
  /** Names that cluster DNS answers, with one address each. */
  readonly names: readonly TrafficName[];
  /** Zone of cluster DNS, `cluster.local`. */
  readonly zone: string;
}

/** A pod of the pod network; its MAC is 0a:58 and its address. Other files call it by its index. */
export interface TrafficPod {
  /** Name of its port, `pod:web/pod-1`. */
  readonly name: string;
  readonly address: number;
  readonly node: number;
  /** Pods of different tenants do not talk, unless one of them is 0. */
  readonly tenant: number;
  /** MAC of its node's tun0, where packets that leave the pod network go. */
  readonly gatewayMacHi: number;
  readonly gatewayMacLo: number;
  /** May start connections: no egress policy holds it back, and it is no DNS server. */
  readonly isClient: boolean;
}

export interface TrafficTarget {
  readonly kind: 'service' | 'pod';
  /** The address that clients send to: a ClusterIP, or the pod's own. */
  readonly address: number;
  readonly port: number;
  /** IP protocol, 6 or 17. */
  readonly protocol: number;
  /** Name in cluster DNS, or ''. */
  readonly dnsName: string;
  /** Who answers; one server for a pod. Empty when connections to it fail, for want of endpoints or by policy. */
  readonly servers: readonly TrafficServer[];
  /** Nodes whose clients are served by others, by node. */
  readonly serversOfNode: ReadonlyMap<number, readonly TrafficServer[]>;
}

export interface TrafficServer {
  readonly pod: number;
  readonly port: number;
}

export interface TrafficName {
  readonly name: string;
  /** 0: the name does not exist. */
  readonly address: number;
}

/** The servers that clients on `node` may reach by `target`. */
export const serversFor = (target: TrafficTarget, node: number): readonly TrafficServer[] =>
  target.serversOfNode.get(node) ?? target.servers;

/** Does anybody answer at `target`? With a local traffic policy not on every node. */
export const isServed = ({ servers, serversOfNode }: TrafficTarget): boolean =>
  servers.length > 0 || serversOfNode.size > 0;
