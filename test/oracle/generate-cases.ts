/** Packets by seed, for any epoch: who sends what to whom, and how it is damaged. */

import { podNextHop } from '../../src/cli/entry.js';
import type { SeededRandom } from '../../src/io/generate-random.js';
import { createArena } from '../../src/packet/batch.js';
import { buildEcho, buildTcp, buildUdp, type Ipv4Fields } from '../../src/packet/build.js';
import type { Epoch } from '../../src/tables/epoch.js';
import { TCP_FLAG } from '../../src/wire/tcp.js';
import { TCP_PORT, UDP_PORT } from './generate-cluster.js';
import type { Case, CaseStep } from './run-cases.js';
import { badIpv4Checksum, badTransportChecksum, noUdpChecksum } from './scenario.js';

const { SYN, ACK, FIN, RST, PSH, URG } = TCP_FLAG;
/** What connections begin with; the odd ones are rare. */
const FIRST_FLAGS = [
  SYN,
  SYN,
  SYN,
  SYN,
  SYN,
  ACK,
  ACK | PSH,
  SYN | ACK,
  FIN | ACK,
  RST,
  RST | ACK,
  0,
  SYN | FIN,
  URG | ACK,
];
const TTLS = [64, 64, 64, 64, 128, 255, 2, 1];
const TOSES = [0, 0, 0, 2, 1, 3, 0xb8, 0xbb, 0x10];
const IPV4_DF = 0x4000;
/** Source ports of the cases of one run: no two share one, so that none meets another's connection. */
const FIRST_PORT = 20_000;

/** Where a case goes. */
interface Target {
  readonly address: number;
  readonly tcpPort: number;
  readonly udpPort: number;
  readonly isService: boolean;
  /** The sender is among the endpoints, so that the connection may come back to it. */
  readonly mayHairpin: (sender: number) => boolean;
}

/** Case number `index` of a run: one first packet, and for most an answer and what follows. */
export function generateCase(random: SeededRandom, epoch: Epoch, index: number): Case {
  const { pods } = epoch.tables;
  const sender = random.below(pods.rows);
  const targets = targetsOf(epoch);
  const target = targets[random.below(targets.length)]!;
  const next = podNextHop(epoch.tables, pods.node[sender]!, target.address);
  const common: Ipv4Fields = {
    dstMacHi: next.hi,
    dstMacLo: next.lo,
    srcMacHi: pods.macHi[sender]!,
    srcMacLo: pods.macLo[sender]!,
    src: pods.address[sender]!,
    dst: target.address,
    ttl: TTLS[random.below(TTLS.length)]!,
    tos: TOSES[random.below(TOSES.length)]!,
    id: random.below(0x10000),
    fragment: random.below(4) === 0 ? 0 : IPV4_DF,
  };
  const sport = FIRST_PORT + index;
  const at = `pod:${epoch.text(pods.name[sender]!)}`;
  const first = firstPacket(random, common, sport, target, epoch.tables.config.mtu[0]!);
  const steps: CaseStep[] = [{ frame: { at, bytes: first.bytes }, waitSeconds: 0, isWarmUp: false }];
  // See the scenario of an expired TTL from the isolated namespace: a cold switch loses the error's connection.
  if (target.isService && common.ttl === 1)
    steps.unshift({ frame: { at, bytes: first.bytes }, waitSeconds: 0, isWarmUp: true });
  const isAnswerable = target.isService || random.below(3) > 0;
  if (isAnswerable && !first.isOdd) {
    steps.push({ isAnswer: true });
    if (random.below(3) === 0)
      steps.push({ frame: { at, bytes: first.again }, waitSeconds: 0, isWarmUp: false }, { isAnswer: true });
  }
  return {
    name: `case ${index}: ${at} > ${first.text}`,
    steps,
    isLive: false,
    hasRandomPort: target.mayHairpin(pods.address[sender]!),
    isSticky: false,
    isReplayed: true,
    comparesArp: false,
    knownDifference: '',
  };
}

interface FirstPacket {
  readonly bytes: Uint8Array;
  /** The next packet of the same connection. */
  readonly again: Uint8Array;
  readonly text: string;
  /** It opens no connection, or is damaged. */
  readonly isOdd: boolean;
}

function firstPacket(
  random: SeededRandom,
  common: Ipv4Fields,
  sport: number,
  target: Target,
  mtu: number,
): FirstPacket {
  const size = random.below(8) === 0 ? mtu - 60 - random.below(50) : random.below(200);
  const payload = Uint8Array.from({ length: size }, () => random.below(256));
  // A Service has no echo: the node would wait three seconds for a MAC that nobody has.
  const kind = random.below(target.isService ? 4 : 5);
  if (kind === 4) {
    const echo = (sequence: number): Uint8Array =>
      framed((arena) => buildEcho(arena, { ...common, identifier: sport, sequence, payload }));
    return { bytes: echo(1), again: echo(2), text: `${name(common)} echo`, isOdd: false };
  }
  if (kind >= 2) {
    const bytes = framed((arena) => buildUdp(arena, { ...common, sport, dport: target.udpPort, payload }));
    const damage = DAMAGES[random.below(DAMAGES.length)]!;
    const text = `${name(common)}:${target.udpPort} udp ${damage.name}`;
    return { bytes: damage.apply(bytes), again: bytes, text, isOdd: damage.isOdd };
  }
  const flags = FIRST_FLAGS[random.below(FIRST_FLAGS.length)]!;
  const isOdd = (flags & (RST | FIN)) !== 0 || flags === 0 || flags === (SYN | ACK);
  const data = flags & SYN ? new Uint8Array(0) : payload;
  const seq = random.u32() >>> 4;
  const ack = flags & ACK ? random.u32() >>> 4 : 0;
  const tcp = { ...common, sport, dport: target.tcpPort };
  const bytes = framed((arena) => buildTcp(arena, { ...tcp, flags, seq, ack, payload: data }));
  const following = { seq: flags & SYN ? seq + 1 : seq + data.length, ack: flags & ACK ? ack : 1 };
  const again = framed((arena) => buildTcp(arena, { ...tcp, flags: ACK | PSH, ...following, payload }));
  return { bytes, again, text: `${name(common)}:${target.tcpPort} tcp flags ${flags}`, isOdd };
}

const DAMAGES: readonly {
  readonly name: string;
  readonly isOdd: boolean;
  readonly apply: (frame: Uint8Array) => Uint8Array;
}[] = [
  { name: '', isOdd: false, apply: (frame) => frame },
  { name: '', isOdd: false, apply: (frame) => frame },
  { name: '', isOdd: false, apply: (frame) => frame },
  { name: 'without checksum', isOdd: false, apply: noUdpChecksum },
  { name: 'with a wrong UDP checksum', isOdd: true, apply: badTransportChecksum },
  { name: 'with a wrong IPv4 checksum', isOdd: true, apply: badIpv4Checksum },
];

const name = (fields: Ipv4Fields): string =>
  `${[24, 16, 8, 0].map((shift) => (fields.dst >>> shift) & 255).join('.')} ttl ${fields.ttl} tos ${fields.tos}`;

function framed(
  build: (arena: ReturnType<typeof createArena>) => { offset: number; length: number },
): Uint8Array {
  const arena = createArena(8192);
  const { offset, length } = build(arena);
  return arena.bytes.slice(offset, offset + length);
}

/** Every pod, every Service, and an address in each node's subnet that no pod has. */
function targetsOf(epoch: Epoch): readonly Target[] {
  const { pods, services, endpoints, nodes } = epoch.tables;
  const direct = (address: number): Target => ({
    address,
    tcpPort: TCP_PORT,
    udpPort: UDP_PORT,
    isService: false,
    mayHairpin: () => false,
  });
  const targets = [
    ...Array.from(pods.address.subarray(0, pods.rows), direct),
    ...Array.from(nodes.subnetBase.subarray(0, nodes.rows), (base) => direct(base + 200)),
  ];
  const byIp = new Map<number, { tcp: number; udp: number; endpoints: Set<number> }>();
  for (let row = 0; row < services.rows; row++) {
    const ip = services.ip[row]!;
    const known = byIp.get(ip) ?? { tcp: 0, udp: 0, endpoints: new Set<number>() };
    byIp.set(ip, known);
    if ((services.portProto[row]! & 0xff) === 6) known.tcp = services.portProto[row]! >>> 16;
    else known.udp = services.portProto[row]! >>> 16;
    const first = services.first[row]!;
    for (let i = 0; i < services.count[row]!; i++) known.endpoints.add(endpoints.address[first + i]!);
  }
  for (const [address, known] of byIp)
    targets.push({
      address,
      tcpPort: known.tcp,
      udpPort: known.udp,
      isService: true,
      mayHairpin: (sender) => known.endpoints.has(sender),
    });
  return targets;
}
