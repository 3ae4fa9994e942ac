/** Packets as one line of text, both ways, so that a test's table can be read without its harness.
 *
 *  `a:40000 > web:8080 SYN`, `a > b ping`, `a:5353 > dns:53 udp "hi"`, `arp a who-has b`,
 *  `vxlan n1 > n2 vni 1001 | a:40000 > b:8080 SYN`; then any of `ttl=63 seq=1 ack=2 id=7 sport=50000`.
 *  A name stands for an address given in the names table; dotted addresses may stand anywhere. */
import { formatIpv4, parseIpv4 } from '../../src/addr/ipv4.js';
import { POD_MAC_HI } from '../../src/addr/mac.js';
import { type Arena, createArena } from '../../src/packet/batch.js';
import {
  type BuiltFrame,
  buildArp,
  buildEcho,
  buildTcp,
  buildUdp,
  buildVxlan,
} from '../../src/packet/build.js';
import { type DecodedFrame, type DecodedIpv4, decodeFrame } from '../../src/packet/decode.js';
import { ICMP_TYPE } from '../../src/wire/icmp.js';
import { PROTOCOL } from '../../src/wire/ipv4.js';
import { TCP_FLAG } from '../../src/wire/tcp.js';

/** Name -> dotted address. */
export type Names = Readonly<Record<string, string>>;

export interface PacketOptions {
  readonly names?: Names;
  /** MACs when not those of pods (0a:58 and the four address bytes). */
  readonly dstMac?: { readonly hi: number; readonly lo: number };
  readonly srcMac?: { readonly hi: number; readonly lo: number };
}

const FLAGS: Readonly<Record<string, number>> = {
  SYN: TCP_FLAG.SYN,
  SYNACK: TCP_FLAG.SYN | TCP_FLAG.ACK,
  ACK: TCP_FLAG.ACK,
  PSHACK: TCP_FLAG.PSH | TCP_FLAG.ACK,
  FIN: TCP_FLAG.FIN | TCP_FLAG.ACK,
  RST: TCP_FLAG.RST,
  RSTACK: TCP_FLAG.RST | TCP_FLAG.ACK,
};

/** Build the packet that `text` describes into `arena`.
 *  @throws Error naming the part of the text that is not understood. */
export function buildPacket(arena: Arena, text: string, options: PacketOptions = {}): BuiltFrame {
  const tunnel = /^vxlan (\S+) > (\S+) vni (\d+)((?: \w+=\d+)*) \| (.*)$/.exec(text);
  if (tunnel !== null) {
    const [, from, to, vni, keys, inner] = tunnel as unknown as string[];
    const src = address(from!, options);
    const dst = address(to!, options);
    const numbers = readNumbers(keys!);
    return buildVxlan(arena, {
      ...macs(src, dst, { ...options, srcMac: nodeMac(src), dstMac: nodeMac(dst) }),
      src,
      dst,
      sport: numbers['sport'] ?? 50_000,
      dport: numbers['dport'] ?? 4789,
      vni: Number(vni),
      inner: packetBytes(inner!, options),
    });
  }
  const arp = /^arp (\S+) who-has (\S+)$/.exec(text);
  if (arp !== null) {
    const sender = address(arp[1]!, options);
    const broadcast = { hi: 0xffff, lo: 0xffffffff };
    const frame = macs(sender, 0, { dstMac: broadcast, ...options });
    return buildArp(arena, {
      ...frame,
      oper: 1,
      senderMacHi: frame.srcMacHi,
      senderMacLo: frame.srcMacLo,
      sender,
      targetMacHi: 0,
      targetMacLo: 0,
      target: address(arp[2]!, options),
    });
  }
  return buildIpv4(arena, text, options);
}

function buildIpv4(arena: Arena, text: string, options: PacketOptions): BuiltFrame {
  const parts = /^(\S+) > (\S+) (\w+)(?: "([^"]*)")?((?: \w+=\d+)*)$/.exec(text);
  if (parts === null) throw new Error(`not a packet: ${text}`);
  const [, from, to, what, payloadText, keys] = parts as unknown as string[];
  const [src, sport] = endOf(from!, options);
  const [dst, dport] = endOf(to!, options);
  const common = {
    ...macs(src, dst, options),
    src,
    dst,
    ...readNumbers(keys!),
    ...(payloadText === undefined ? {} : { payload: new TextEncoder().encode(payloadText) }),
  };
  const flags = FLAGS[what!];
  if (flags !== undefined) return buildTcp(arena, { sport, dport, flags, ...common });
  if (what === 'udp') return buildUdp(arena, { sport, dport, ...common });
  if (what === 'ping' || what === 'pong')
    return buildEcho(arena, {
      type: what === 'ping' ? ICMP_TYPE.ECHO : ICMP_TYPE.ECHO_REPLY,
      identifier: sport,
      sequence: 1,
      ...common,
    });
  throw new Error(`${what} is none of ${Object.keys(FLAGS).join(', ')}, udp, ping, pong: ${text}`);
}

/** The bytes of the packet that `text` describes. */
export function packetBytes(text: string, options: PacketOptions = {}): Uint8Array {
  const arena = createArena(4096);
  const { offset, length } = buildPacket(arena, text, options);
  return arena.bytes.slice(offset, offset + length);
}

/** The line that describes a frame; addresses in the names table are written by name. */
export function describePacket(bytes: Uint8Array, names: Names = {}, vxlanPort = 4789): string {
  const byAddress = new Map(Object.entries(names).map(([name, dotted]) => [dotted, name]));
  const frame = decodeFrame(bytes, 0, bytes.length, vxlanPort);
  return frame === null ? `${bytes.length} bytes` : describe(frame, byAddress);
}

function describe(frame: DecodedFrame, names: ReadonlyMap<string, string>): string {
  const nameOf = (value: number): string => names.get(formatIpv4(value)) ?? formatIpv4(value);
  if (frame.arp !== undefined) {
    const { oper, sender, target } = frame.arp;
    return oper === 1
      ? `arp ${nameOf(sender)} who-has ${nameOf(target)}`
      : `arp ${nameOf(sender)} is-at > ${nameOf(target)}`;
  }
  if (frame.ip === undefined) return `type 0x${frame.etherType.toString(16).padStart(4, '0')}`;
  const { src, dst } = frame.ip;
  if (frame.vxlan !== undefined)
    return `vxlan ${nameOf(src)} > ${nameOf(dst)} vni ${frame.vxlan.vni} | ${describe(frame.vxlan.inner, names)}`;
  return describeIpv4(frame.ip, nameOf);
}

function describeIpv4(ip: DecodedIpv4, nameOf: (value: number) => string): string {
  const end = (value: number, port: number | undefined): string =>
    port === undefined ? nameOf(value) : `${nameOf(value)}:${port}`;
  const ends = `${end(ip.src, ip.sport)} > ${end(ip.dst, ip.dport)}`;
  if (ip.tcp !== undefined) return `${ends} ${flagsName(ip.tcp.flags)}`;
  if (ip.icmp !== undefined) {
    const { type, code, quoted } = ip.icmp;
    if (type === ICMP_TYPE.ECHO) return `${ends} ping`;
    if (type === ICMP_TYPE.ECHO_REPLY) return `${ends} pong`;
    return `${ends} icmp ${type}/${code}${quoted === undefined ? '' : ` (${describeIpv4(quoted, nameOf)})`}`;
  }
  return ip.protocol === PROTOCOL.UDP ? `${ends} udp` : `${ends} proto ${ip.protocol}`;
}

const flagsName = (flags: number): string =>
  Object.entries(FLAGS).find(([, bits]) => bits === flags)?.[0] ?? `flags 0x${flags.toString(16)}`;

function macs(src: number, dst: number, options: PacketOptions) {
  return {
    dstMacHi: options.dstMac?.hi ?? (isGroup(dst) ? 0x0100 : POD_MAC_HI),
    dstMacLo: options.dstMac?.lo ?? (isGroup(dst) ? 0x5e000000 | (dst & 0x7fffff) : dst),
    srcMacHi: options.srcMac?.hi ?? POD_MAC_HI,
    srcMacLo: options.srcMac?.lo ?? src,
  };
}

const isGroup = (address: number): boolean => address >>> 28 === 14;

const nodeMac = (value: number): { hi: number; lo: number } => ({ hi: 0x5254, lo: value });

function address(name: string, options: PacketOptions): number {
  const value = parseIpv4(options.names?.[name] ?? name);
  if (value < 0) throw new Error(`${name} is neither a known name nor an address`);
  return value;
}

function endOf(text: string, options: PacketOptions): [value: number, port: number] {
  const [name, port] = text.split(':') as [string, string?];
  return [address(name, options), port === undefined ? 0 : Number(port)];
}

const readNumbers = (text: string): Readonly<Record<string, number>> =>
  Object.fromEntries([...text.matchAll(/(\w+)=(\d+)/g)].map(([, key, value]) => [key!, Number(value)]));
