/** Random clusters with random NetworkPolicies, and packets that come near their rules. Everything follows from the seed. */
import type { ClusterFacts, PacketFacts, Peer, PodFacts, PolicySpec, Port, Selector } from './evaluator.js';
import { NETWORK, namespace, node, type Protocol, pod } from './world.js';

/** xorshift32: whole numbers below a bound. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = (Math.imul(seed + 1, 0x9e3779b1) ^ 0x5bd1e995) >>> 0 || 1;
  }

  below(bound: number): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x >>> 0;
    return this.#state % bound;
  }

  of<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!;
  }

  /** One in `n`. */
  one(n: number): boolean {
    return this.below(n) === 0;
  }

  /** `min` to `max` things. */
  some<T>(min: number, max: number, make: () => T): T[] {
    return Array.from({ length: min + this.below(max - min + 1) }, make);
  }
}

const NODES = [
  { name: 'n1', address: '192.168.1.101', gateway: '10.128.0.1', subnet: '10.128.0.0/23' },
  { name: 'n2', address: '192.168.1.102', gateway: '10.129.0.1', subnet: '10.129.0.0/23' },
] as const;
const SPACES = ['default', 'red', 'blue'] as const;
const OUTSIDE = ['203.0.113.5', '203.0.113.200', '198.51.100.7'] as const;
const PORTS = [0, 1, 79, 80, 81, 1023, 1024, 2047, 8080, 8443, 65535] as const;
const PROTOCOLS = ['TCP', 'UDP', 'SCTP'] as const;
const KEYS = ['app', 'tier', 'env'] as const;
const VALUES = ['a', 'b', 'c'] as const;

export interface RandomWorld {
  readonly objects: readonly object[];
  readonly facts: ClusterFacts;
}

/** A cluster of two nodes with three namespaces, three to eight pods and three to nine policies. */
export function randomWorld(random: Random): RandomWorld {
  const namespaceLabels: Record<string, Record<string, string>> = {};
  for (const name of SPACES)
    namespaceLabels[name] = { ...labelsOf(random), 'kubernetes.io/metadata.name': name };
  const pods = random.some(3, 8, () => 0).map((_, i) => podOf(random, i));
  const policies = random.some(3, 9, () => ({ namespace: random.of(SPACES), spec: specOf(random, pods) }));
  const services = pods.slice(0, 2).map((one, i) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace: one.namespace, name: `svc-${i}` },
    spec: {
      clusterIP: `172.30.0.${10 + i}`,
      selector: { pod: one.name },
      ports: PROTOCOLS.map((protocol) => ({
        name: protocol.toLowerCase(),
        protocol,
        port: 100,
        targetPort: 8080,
      })),
    },
  }));
  const objects = [
    NETWORK,
    ...NODES.flatMap(({ name, address, subnet }) => node(name, address, subnet)),
    ...SPACES.flatMap((name, i) => namespace(name, i === 0 ? 0 : 10 + i, namespaceLabels[name])),
    ...pods.map((one) =>
      pod(
        `${one.namespace}/${one.name}`,
        one.nodeAddresses[0] === NODES[0].address ? 'n1' : 'n2',
        one.ip,
        one.labels,
        one.ports.map(({ name, protocol, number }) => ({ name, protocol, containerPort: number })),
      ),
    ),
    ...services,
    ...policies.map(({ namespace: own, spec }, i) => ({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { namespace: own, name: `policy-${i}` },
      spec,
    })),
  ];
  return { objects, facts: { namespaceLabels, pods, policies } };
}

export interface RandomPacket {
  readonly from: string;
  readonly to: string;
  readonly protocol: Protocol;
  readonly port: number;
  readonly facts: PacketFacts;
}

/** A packet between two ends of the cluster or the outside; at least one is a pod. */
export function randomPacket(random: Random, { pods }: ClusterFacts): RandomPacket {
  const one = random.of(pods);
  const protocol = random.of(['TCP', 'TCP', 'UDP', 'SCTP', 'ICMP']);
  const ports = [...PORTS, ...pods.flatMap((own) => own.ports.map(({ number }) => number))];
  const port = protocol === 'ICMP' ? 0 : random.of(ports);
  const name = (of: PodFacts): string => `${of.namespace}/${of.name}`;
  const packet = (
    from: string,
    to: string,
    source: string,
    destination: string,
    at = port,
  ): RandomPacket => ({
    from,
    to,
    protocol: protocol.toLowerCase() as Protocol,
    port,
    facts: { source, destination, protocol, port: at },
  });
  const to = random.of(pods.filter((other) => other !== one));
  const direct = packet(name(one), name(to), one.ip, to.ip);
  const own = NODES.find(({ address }) => address === one.nodeAddresses[0])!;
  switch (random.below(10)) {
    case 0: {
      const outside = random.of(OUTSIDE);
      return packet(outside, name(one), outside, one.ip);
    }
    case 1: {
      const outside = random.of(OUTSIDE);
      return packet(name(one), outside, one.ip, outside);
    }
    case 2: {
      const from = random.of(NODES);
      return packet(`node:${from.name}`, name(one), from.gateway, one.ip);
    }
    case 3: {
      const { name: node, address } = random.of(NODES);
      return packet(name(one), `node:${node}`, one.ip, address);
    }
    case 4: {
      // Its own endpoint sees the gateway, which is its node's.
      const [index, target] = random.of([...pods.slice(0, 2).entries()]);
      if (protocol === 'ICMP') return direct;
      const source = target === one ? own.gateway : one.ip;
      const through = packet(name(one), `svc:${target.namespace}/svc-${index}`, source, target.ip, 8080);
      return { ...through, port: 100 };
    }
    default:
      return direct;
  }
}

const labelsOf = (random: Random): Record<string, string> =>
  Object.fromEntries(KEYS.filter(() => !random.one(3)).map((key) => [key, random.of(VALUES)]));

function podOf(random: Random, i: number): PodFacts {
  const on = random.of(NODES);
  const ports = random.some(0, 3, () => ({
    name: random.of(['http', 'metrics', 'db']),
    protocol: random.of(PROTOCOLS),
    number: random.of(PORTS.filter((port) => port > 0)),
  }));
  return {
    namespace: random.of(SPACES),
    name: `pod-${i}`,
    ip: on.gateway.replace(/1$/, String(2 + i)),
    labels: { ...labelsOf(random), pod: `pod-${i}` },
    ports: ports.filter((port, at) => ports.findIndex((other) => other.name === port.name) === at),
    nodeAddresses: [on.address, on.gateway],
  };
}

function specOf(random: Random, pods: readonly PodFacts[]): PolicySpec {
  const rule = (key: 'from' | 'to'): object => ({
    ...(random.one(4) ? {} : { [key]: random.some(0, 3, () => peerOf(random, pods)) }),
    ...(random.one(3) ? {} : { ports: random.some(0, 3, () => portOf(random)) }),
  });
  return {
    podSelector: random.one(3) ? {} : selectorOf(random),
    ...(random.one(2)
      ? {}
      : { policyTypes: random.of([['Ingress'], ['Egress'], ['Ingress', 'Egress'], []]) }),
    ...(random.one(5) ? {} : { ingress: random.some(0, 3, () => rule('from')) }),
    ...(random.one(2) ? {} : { egress: random.some(0, 3, () => rule('to')) }),
  };
}

function peerOf(random: Random, pods: readonly PodFacts[]): Peer {
  const selector = (): Selector => (random.one(3) ? {} : selectorOf(random));
  switch (random.below(6)) {
    case 0:
      return { podSelector: selector() };
    case 1:
      return { namespaceSelector: random.one(3) ? byName(random) : selector() };
    case 2:
      return { podSelector: selector(), namespaceSelector: selector() };
    default:
      return { ipBlock: blockOf(random, pods) };
  }
}

const byName = (random: Random): Selector => ({
  matchLabels: { 'kubernetes.io/metadata.name': random.of(SPACES) },
});

function blockOf(random: Random, pods: readonly PodFacts[]): NonNullable<Peer['ipBlock']> {
  const address = random.of([
    ...pods.map(({ ip }) => ip),
    ...OUTSIDE,
    ...NODES.flatMap((own) => [own.address, own.gateway]),
  ]);
  const length = random.of([0, 1, 8, 9, 14, 16, 23, 24, 30, 31, 32]);
  const except = random.some(0, 3, () =>
    prefix(
      random.of([address, ...pods.map(({ ip }) => ip), ...OUTSIDE]),
      Math.min(32, length + 1 + random.below(16)),
    ),
  );
  return { cidr: prefix(address, length), ...(random.one(2) ? {} : { except }) };
}

/** The network of that length around an address. */
function prefix(address: string, length: number): string {
  const octets = address.split('.').map((octet, i) => {
    const kept = Math.max(0, Math.min(8, length - i * 8));
    return Number(octet) & (0xff00 >>> kept) & 0xff;
  });
  return `${octets.join('.')}/${length}`;
}

function portOf(random: Random): Port {
  const protocol = random.one(3) ? {} : { protocol: random.of(PROTOCOLS) };
  switch (random.below(4)) {
    case 0:
      return protocol;
    case 1:
      return { ...protocol, port: random.of(['http', 'metrics', 'db', 'none']) };
    case 2: {
      const [a, b] = [random.of(PORTS), random.of(PORTS)].sort((x, y) => x - y) as [number, number];
      return { ...protocol, port: Math.max(1, a), endPort: Math.max(1, b) };
    }
    default:
      return { ...protocol, port: random.of(PORTS.filter((port) => port > 0)) };
  }
}

function selectorOf(random: Random): Selector {
  const matchLabels = Object.fromEntries(random.some(0, 2, () => [random.of(KEYS), random.of(VALUES)]));
  const matchExpressions = random.some(0, 2, () => {
    const operator = random.of(['In', 'NotIn', 'Exists', 'DoesNotExist']);
    const values = operator.endsWith('In') ? { values: random.some(1, 2, () => random.of(VALUES)) } : {};
    return { key: random.of(KEYS), operator, ...values };
  });
  return { matchLabels, matchExpressions };
}
