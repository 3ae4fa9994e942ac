/** Frames by seed that try br0 from all sides: what pods should not send, other protocols, ARP, tunnels, nodes' own packets. */
import { podNextHop } from '../../src/cli/entry.js';
import type { SeededRandom } from '../../src/io/generate-random.js';
import { type Arena, createArena } from '../../src/packet/batch.js';
import {
  type BuiltFrame,
  buildArp,
  buildEcho,
  buildTcp,
  buildUdp,
  buildVxlan,
} from '../../src/packet/build.js';
import type { Epoch } from '../../src/tables/epoch.js';
import { TCP_FLAG } from '../../src/wire/tcp.js';
import type { Injection } from './witness.js';

const { SYN, ACK, PSH } = TCP_FLAG;
const pick = <T>(random: SeededRandom, list: ArrayLike<T>): T => list[random.below(list.length)]!;
/** Ports that some rule of the real pipeline looks at, beside any. */
const PORTS = [80, 53, 5353, 8080, 9000, 4789, 4790, 22623, 22624];
const OTHER_TYPES = [0x86dd, 0x8100, 0x88a8, 0x88cc, 0x8847, 0x0600];
const OTHER_PROTOCOLS = [2, 4, 47, 50, 89, 103, 132, 255];
const OUTSIDE = 0xcb007109;
const IPV4_MORE = 0x2000;

type Kind = (random: SeededRandom, epoch: Epoch) => Injection;

/** One frame, and where it enters. */
export const generateFrame = (random: SeededRandom, epoch: Epoch): Injection =>
  pick(random, KINDS)(random, epoch);

const fromPod: Kind = (random, epoch) => {
  const { pods } = epoch.tables;
  const row = random.below(pods.rows);
  return { at: portOfPod(epoch, row), bytes: packet(random, epoch, row, pods.address[row]!) };
};

/** In another's name: another pod's address, the gateway's, a node's, one that nobody has. */
const spoofed: Kind = (random, epoch) => {
  const row = random.below(epoch.tables.pods.rows);
  return { at: portOfPod(epoch, row), bytes: packet(random, epoch, row, anyAddress(random, epoch)) };
};

const arp: Kind = (random, epoch) => {
  const { pods } = epoch.tables;
  const row = random.below(pods.rows);
  const own = { hi: pods.macHi[row]!, lo: pods.macLo[row]! };
  const mac = random.below(4) === 0 ? { hi: pods.macHi[0]!, lo: pods.macLo[0]! } : own;
  const sender = random.below(4) === 0 ? anyAddress(random, epoch) : pods.address[row]!;
  const bytes = framed((arena) =>
    buildArp(arena, {
      dstMacHi: 0xffff,
      dstMacLo: 0xffffffff,
      srcMacHi: own.hi,
      srcMacLo: own.lo,
      oper: 1 + random.below(2),
      senderMacHi: mac.hi,
      senderMacLo: mac.lo,
      sender,
      targetMacHi: 0,
      targetMacLo: 0,
      target: anyAddress(random, epoch),
    }),
  );
  return { at: portOfPod(epoch, row), bytes };
};

/** Other Ethernet types, other IP protocols, fragments, headers cut short. */
const strange: Kind = (random, epoch) => {
  const { at, bytes } = fromPod(random, epoch);
  switch (random.below(4)) {
    case 0: {
      const type = pick(random, OTHER_TYPES);
      bytes.set([type >>> 8, type & 255], 12);
      break;
    }
    case 1:
      bytes[23] = pick(random, OTHER_PROTOCOLS);
      break;
    case 2: {
      const fragment = random.below(2) * IPV4_MORE + random.below(3) * 185;
      bytes.set([fragment >>> 8, fragment & 255], 20);
      break;
    }
    default:
      return { at, bytes: bytes.slice(0, 14 + random.below(40)) };
  }
  return { at, bytes };
};

/** From the tunnel: a node or a stranger as sender, any NetID, any two ends inside. */
const tunnelled: Kind = (random, epoch) => {
  const { nodes, pods, config } = epoch.tables;
  const to = random.below(nodes.rows);
  const from = random.below(nodes.rows);
  const row = random.below(pods.rows);
  const src = random.below(8) === 0 ? (nodes.address[from]! + 77) >>> 0 : nodes.address[from]!;
  const source = random.below(4) === 0 ? anyAddress(random, epoch) : pods.address[row]!;
  const inner = random.below(5) === 0 ? arp(random, epoch).bytes : packet(random, epoch, row, source);
  const vni = random.below(3) === 0 ? random.below(20_000) : pods.vni[row]!;
  const bytes = framed((arena) =>
    buildVxlan(arena, {
      dstMacHi: nodes.nicMacHi[to]!,
      dstMacLo: nodes.nicMacLo[to]!,
      srcMacHi: nodes.nicMacHi[from]!,
      srcMacLo: nodes.nicMacLo[from]!,
      src,
      dst: nodes.address[to]!,
      sport: 33_000 + random.below(1000),
      dport: config.vxlanPort[0]!,
      vni,
      inner,
    }),
  );
  return { at: `${epoch.text(nodes.name[to]!)}:eth0`, bytes };
};

const fromNode: Kind = (random, epoch) => {
  const { nodes } = epoch.tables;
  const node = random.below(nodes.rows);
  const src = random.below(4) === 0 ? nodes.address[node]! : nodes.gateway[node]!;
  return { at: `${epoch.text(nodes.name[node]!)}:tun0`, bytes: packet(random, epoch, 0, src) };
};

/** The more of a kind here, the more of it there is. */
const KINDS: readonly Kind[] = [
  fromPod,
  fromPod,
  spoofed,
  arp,
  strange,
  tunnelled,
  tunnelled,
  tunnelled,
  fromNode,
];

/** An IPv4 packet of `src` as pod row `row` would frame it. */
function packet(random: SeededRandom, epoch: Epoch, row: number, src: number): Uint8Array {
  const { pods } = epoch.tables;
  const dst = anyAddress(random, epoch);
  const next = podNextHop(epoch.tables, pods.node[row]!, dst);
  const common = {
    dstMacHi: next.hi,
    dstMacLo: next.lo,
    srcMacHi: pods.macHi[row]!,
    srcMacLo: pods.macLo[row]!,
    src,
    dst,
    ttl: 1 + random.below(255),
    id: random.below(0x10000),
    payload: new Uint8Array(random.below(64)),
  };
  const sport = random.below(8) === 0 ? pick(random, PORTS) : 1024 + random.below(60_000);
  const dport = random.below(4) === 0 ? 1 + random.below(65_535) : pick(random, PORTS);
  switch (random.below(3)) {
    case 0:
      return framed((arena) =>
        buildTcp(arena, { ...common, sport, dport, flags: pick(random, [SYN, ACK, ACK | PSH]) }),
      );
    case 1:
      return framed((arena) => buildUdp(arena, { ...common, sport, dport }));
    default:
      return framed((arena) => buildEcho(arena, { ...common, identifier: sport, sequence: 1 }));
  }
}

/** A pod, a Service, a gateway, a node, the outside, a multicast group, and addresses near those that nobody has. */
function anyAddress(random: SeededRandom, epoch: Epoch): number {
  const { pods, services, nodes } = epoch.tables;
  switch (random.below(10)) {
    case 0:
      return pick(random, services.ip.subarray(0, services.rows));
    case 1:
      return pick(random, nodes.gateway.subarray(0, nodes.rows));
    case 2:
      return pick(random, nodes.address.subarray(0, nodes.rows));
    case 3:
      return random.below(2) === 0 ? OUTSIDE : random.u32();
    case 4:
      return 0xe0000000 + random.below(0x10000000);
    case 5:
      return nodes.subnetBase[random.below(nodes.rows)]! + random.below(512);
    default:
      return pick(random, pods.address.subarray(0, pods.rows));
  }
}

const portOfPod = (epoch: Epoch, row: number): string => `pod:${epoch.text(epoch.tables.pods.name[row]!)}`;

function framed(build: (arena: Arena) => BuiltFrame): Uint8Array {
  const arena = createArena(4096);
  const { offset, length } = build(arena);
  return arena.bytes.slice(offset, offset + length);
}
