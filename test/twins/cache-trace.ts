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
const GAP_NS = 1_000_000;

/** Pods `from` and `to` ping each other, and both speak to the outside by TCP, UDP and echo; `rounds` times. */
export function conversations(from: number, to: number, rounds: number): Sent[] {
  return Array.from({ length: rounds }, (_, round) => [
    echo(from, to, ICMP_TYPE.ECHO, round),
    echo(to, from, ICMP_TYPE.ECHO_REPLY, round),
    ...[from, to].flatMap((pod) => outside(pod, round)),
  ]).flat();
}

function echo(from: number, to: number, type: number, sequence: number): Sent {
  const { pods } = epoch.tables;
  const address = pods.address[to]!;
  const fields = { ...ends(from, address, pods.macHi[to]!, pods.macLo[to]!), type, identifier: 77, sequence };
  return send(from, (arena) => buildEcho(arena, fields));
}

function outside(pod: number, round: number): Sent[] {
  const { pods, nodes } = epoch.tables;
  const node = pods.node[pod]!;
  const common = ends(pod, OUTSIDE, nodes.tunMacHi[node]!, nodes.tunMacLo[node]!);
  const tcp = { ...common, sport: 41_000, dport: 443, seq: 5_000 + round * 10, ack: 900, window: 500 };
  return [
    send(pod, (arena) => buildUdp(arena, { ...common, sport: 40_000, dport: 53, payload: new Uint8Array(9) })),
    send(pod, (arena) => buildEcho(arena, { ...common, identifier: 5, sequence: round })),
    send(pod, (arena) => buildTcp(arena, { ...tcp, flags: TCP_FLAG.ACK, payload: new Uint8Array(10) })),
  ];
}

function ends(pod: number, dst: number, dstMacHi: number, dstMacLo: number): Ipv4Fields {
  const { pods } = epoch.tables;
  const srcMacLo = pods.macLo[pod]!;
  return { src: pods.address[pod]!, dst, dstMacHi, dstMacLo, srcMacHi: pods.macHi[pod]!, srcMacLo };
}

function send(pod: number, build: (arena: ReturnType<typeof createArena>) => { offset: number; length: number }): Sent {
  const arena = createArena(1024);
  const { offset, length } = build(arena);
  return { port: epoch.tables.pods.port[pod]!, gapNs: GAP_NS, bytes: arena.bytes.slice(offset, offset + length) };
}
