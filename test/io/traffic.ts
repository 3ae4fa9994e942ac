/** A small cluster for generated traffic, and its packets taken apart. */

import { parseIpv4 } from '../../src/addr/ipv4.js';
import { POD_MAC_HI } from '../../src/addr/mac.js';
import { TrafficGenerator, type TrafficOptions } from '../../src/io/generate.js';
import type {
  TrafficPod,
  TrafficServer,
  TrafficTarget,
  TrafficTopology,
} from '../../src/io/generate-topology.js';
import { type DecodedFrame, decodeFrame } from '../../src/packet/decode.js';
import { pseudoSum, sumWords } from '../../src/wire/checksum.js';
import { PROTOCOL } from '../../src/wire/ipv4.js';

export const CLIENT = 0;
export const NEAR = 1;
export const FAR = 2;
export const DNS_NEAR = 3;
export const DNS_FAR = 4;
export const VIP = parseIpv4('172.30.10.20');
export const GONE = parseIpv4('172.30.10.99');
export const DNS = parseIpv4('172.30.0.10');

const pod = (name: string, address: string, node: number, more: Partial<TrafficPod> = {}): TrafficPod => ({
  name: `pod:web/${name}`,
  address: parseIpv4(address),
  node,
  tenant: 0,
  gatewayMacHi: 0x0a58,
  gatewayMacLo: parseIpv4(node === 0 ? '10.128.0.1' : '10.129.0.1'),
  isClient: true,
  ...more,
});

const target = (
  kind: 'service' | 'pod',
  address: number,
  port: number,
  servers: readonly TrafficServer[],
  more: Partial<TrafficTarget> = {},
): TrafficTarget => ({
  kind,
  address,
  port,
  protocol: PROTOCOL.TCP,
  dnsName: '',
  servers,
  serversOfNode: new Map(),
  ...more,
});

const PODS: readonly TrafficPod[] = [
  pod('client', '10.128.0.2', 0),
  pod('near', '10.128.0.3', 0),
  pod('far', '10.129.0.2', 1),
  pod('dns-near', '10.128.0.4', 0, { isClient: false }),
  pod('dns-far', '10.129.0.4', 1, { isClient: false }),
];

/** Three pods on two nodes, a Service with two endpoints, one with none, DNS on each node. */
export const TOPOLOGY: TrafficTopology = {
  pods: PODS,
  targets: [
    target(
      'service',
      VIP,
      80,
      [NEAR, FAR].map((row) => ({ pod: row, port: 8080 })),
      {
        dnsName: 'app.web.svc.cluster.local',
      },
    ),
    target('service', GONE, 80, []),
    ...[NEAR, FAR].flatMap((row) => [
      target('pod', PODS[row]!.address, 8080, [{ pod: row, port: 8080 }]),
      target('pod', PODS[row]!.address, 5001, [{ pod: row, port: 5001 }], { protocol: PROTOCOL.UDP }),
    ]),
  ],
  dns: target(
    'service',
    DNS,
    53,
    [DNS_NEAR, DNS_FAR].map((row) => ({ pod: row, port: 5353 })),
    {
      protocol: PROTOCOL.UDP,
      serversOfNode: new Map([
        [0, [{ pod: DNS_NEAR, port: 5353 }]],
        [1, [{ pod: DNS_FAR, port: 5353 }]],
      ]),
    },
  ),
  names: [
    { name: 'app.web.svc.cluster.local', address: VIP },
    { name: 'www.example.com.cluster.local', address: 0 },
  ],
  zone: 'cluster.local',
};

export interface SentFrame extends DecodedFrame {
  /** Row of the pod that sent it. */
  readonly pod: number;
  readonly tsNs: number;
  readonly bytes: Uint8Array;
}

/** Of a frame that ends inside its Ethernet header. */
const NO_HEADER = { dstMacHi: 0, dstMacLo: 0, srcMacHi: 0, srcMacLo: 0, etherType: 0 };

/** All packets of a run, taken in bursts of `burst`. */
export function traffic(
  options: Partial<TrafficOptions> & Pick<TrafficOptions, 'profile'>,
  { topology = TOPOLOGY, burst = 100 } = {},
): SentFrame[] {
  const generator = new TrafficGenerator(topology, { packets: 3_000, flows: 50, seed: 1, ...options });
  const frames: SentFrame[] = [];
  const sink = {
    packet(row: number, tsNs: number, bytes: Uint8Array, offset: number, length: number): void {
      const copy = bytes.slice(offset, offset + length);
      frames.push({ ...(decodeFrame(copy) ?? NO_HEADER), length, pod: row, tsNs, bytes: copy });
    },
  };
  while (generator.run(sink, burst) > 0);
  return frames;
}

/** What a receiver would find wrong with the frame, or ''. */
export function faultOf({ bytes, etherType, ip }: SentFrame): string {
  const p = new DataView(bytes.buffer);
  if (bytes.length < 14 || etherType !== 0x0800) return 'no IPv4';
  if (ip === undefined) return 'no IPv4 header';
  if (sumWords(p, 14, 34) !== 0xffff) return 'header checksum';
  if (ip.totalLength !== bytes.length - 14) return 'total length';
  const sum = sumWords(p, 34, bytes.length, pseudoSum(ip.src, ip.dst, ip.protocol, bytes.length - 34));
  return sum === 0xffff ? '' : 'transport checksum';
}

/** Where a pod's stack sends a packet to `dst`: pods are on its link, all else is behind tun0. */
export function macOf(sender: TrafficPod, dst: number): readonly [hi: number, lo: number] {
  const isPod = PODS.some(({ address }) => address === dst);
  return isPod ? [POD_MAC_HI, dst] : [sender.gatewayMacHi, sender.gatewayMacLo];
}
