/** Traffic for the twins: what each pod of the example cluster sends, as generated, and a few conversations with the outside. */
import { fileURLToPath } from 'node:url';
import { parseIpv4 } from '../../src/addr/ipv4.js';
import { trafficTopology } from '../../src/cli/traffic-topology.js';
import { loadCluster } from '../../src/cluster.js';
import { TrafficGenerator } from '../../src/io/generate.js';
import type { TrafficProfileName } from '../../src/io/generate-profiles.js';
import { createArena } from '../../src/packet/batch.js';
import { buildEcho, buildTcp, buildUdp, type Ipv4Fields } from '../../src/packet/build.js';
import { ICMP_TYPE } from '../../src/wire/icmp.js';
import { TCP_FLAG } from '../../src/wire/tcp.js';

/** A frame that enters at a port, `gapNs` after the one before. */
export interface Sent {
  readonly port: number;
  readonly gapNs: number;
  readonly bytes: Uint8Array;
}

export interface TrafficWish {
  readonly profile: TrafficProfileName;
  readonly packets: number;
  readonly flows: number;
  readonly seed: number;
  readonly badPermille?: number;
}

const EXAMPLE = fileURLToPath(new URL('../../../examples/two-nodes', import.meta.url));
const cluster = await loadCluster(EXAMPLE);
export const epoch = cluster.compile();
const topology = trafficTopology(cluster.model, epoch);

export function traffic(wish: TrafficWish): Sent[] {
  const sent: Sent[] = [];
  let lastNs = 0;
  const generator = new TrafficGenerator(topology, wish);
  const packet = (pod: number, tsNs: number, bytes: Uint8Array, at: number, length: number): void => {
    const port = epoch.tables.pods.port[pod]!;
    sent.push({ port, gapNs: tsNs - lastNs, bytes: bytes.slice(at, at + length) });
    lastNs = tsNs;
  };
  while (generator.run({ packet }, wish.packets) > 0) {}
  return sent;
}

const OUTSIDE = parseIpv4('203.0.113.9');
/** jws-app in namespace web. */
const SERVICE = parseIpv4('172.30.10.20');
const GAP_NS = 1_000_000;

/** Pods `from` and `to` ping each other, and both speak to the outside by TCP, UDP and echo; `rounds` times. Now and then
 *  one pings a Service, which nobody answers: the packet waits for a timer. */
export function conversations(from: number, to: number, rounds: number): Sent[] {
  return Array.from({ length: rounds }, (_, round) => [
    echo(from, to, ICMP_TYPE.ECHO, round),
    echo(to, from, ICMP_TYPE.ECHO_REPLY, round),
    ...[from, to].flatMap((pod) => outside(pod, round)),
    ...(round % 3 === 0 ? [pingService(from, round)] : []),
  ]).flat();
}

function echo(from: number, to: number, type: number, sequence: number): Sent {
  const { pods } = epoch.tables;
  const address = pods.address[to]!;
  const fields = { ...ends(from, address, pods.macHi[to]!, pods.macLo[to]!), type, identifier: 77, sequence };
  return send(from, (arena) => buildEcho(arena, fields));
}

function pingService(pod: number, sequence: number): Sent {
  const { nodes, pods } = epoch.tables;
  const node = pods.node[pod]!;
  const fields = ends(pod, SERVICE, nodes.tunMacHi[node]!, nodes.tunMacLo[node]!);
  return send(pod, (arena) => buildEcho(arena, { ...fields, identifier: 6, sequence }));
}

function outside(pod: number, round: number): Sent[] {
  const { pods, nodes } = epoch.tables;
  const node = pods.node[pod]!;
  const common = ends(pod, OUTSIDE, nodes.tunMacHi[node]!, nodes.tunMacLo[node]!);
  const tcp = { ...common, sport: 41_000, dport: 443, seq: 5_000 + round * 10, ack: 900, window: 500 };
  return [
    send(pod, (arena) =>
      buildUdp(arena, { ...common, sport: 40_000, dport: 53, payload: new Uint8Array(9) }),
    ),
    send(pod, (arena) =>
      buildEcho(arena, { ...common, identifier: 5, sequence: round, payload: new Uint8Array(32) }),
    ),
    send(pod, (arena) => buildTcp(arena, { ...tcp, flags: TCP_FLAG.ACK, payload: new Uint8Array(10) })),
  ];
}

const { SYN, ACK, FIN, PSH } = TCP_FLAG;
/** Sender (0 client, 1 server), flags, sequence numbers from the start of each side, payload. */
const LIFE: readonly (readonly [by: 0 | 1, flags: number, seq: number, ack: number, size: number])[] = [
  [0, SYN, 0, 0, 0],
  [1, SYN | ACK, 0, 1, 0],
  [0, ACK, 1, 1, 0],
  [0, PSH | ACK, 1, 1, 10],
  [1, PSH | ACK, 1, 11, 20],
  [0, ACK, 11, 21, 0],
  [0, PSH | ACK, 11, 21, 5],
  [1, PSH | ACK, 21, 16, 6],
  [0, FIN | ACK, 16, 27, 0],
  [1, ACK, 27, 17, 0],
  [1, PSH | ACK, 27, 17, 30],
  [0, ACK, 17, 57, 0],
  [1, FIN | ACK, 57, 17, 0],
  [0, ACK, 17, 58, 0],
];

/** A TCP connection from pod `from` to pod `to`, opened, used and closed; `pauseNs` before packet `pauseAt` of it. */
export function life(from: number, to: number, start: number, pauseAt: number, pauseNs: number): Sent[] {
  const { pods } = epoch.tables;
  return LIFE.map(([by, flags, seq, ack, size], i) => {
    const [sender, receiver] = by === 0 ? [from, to] : [to, from];
    const common = ends(sender, pods.address[receiver]!, pods.macHi[receiver]!, pods.macLo[receiver]!);
    const [sport, dport] = by === 0 ? [40_001, 8080] : [8080, 40_001];
    const numbers = {
      seq: (start + seq) >>> 0,
      ack: ack === 0 ? 0 : (start + ack) >>> 0,
      flags,
      window: 1_000,
    };
    const payload = new Uint8Array(size);
    const sent = send(sender, (arena) => buildTcp(arena, { ...common, ...numbers, sport, dport, payload }));
    return { ...sent, gapNs: i === pauseAt ? pauseNs : GAP_NS };
  });
}

export const LIFE_LENGTH = LIFE.length;

function ends(pod: number, dst: number, dstMacHi: number, dstMacLo: number): Ipv4Fields {
  const { pods } = epoch.tables;
  const srcMacLo = pods.macLo[pod]!;
  return { src: pods.address[pod]!, dst, dstMacHi, dstMacLo, srcMacHi: pods.macHi[pod]!, srcMacLo };
}

function send(
  pod: number,
  build: (arena: ReturnType<typeof createArena>) => { offset: number; length: number },
): Sent {
  const arena = createArena(1024);
  const { offset, length } = build(arena);
  return {
    port: epoch.tables.pods.port[pod]!,
    gapNs: GAP_NS,
    bytes: arena.bytes.slice(offset, offset + length),
  };
}
