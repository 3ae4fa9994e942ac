/** A frame as a list of named fields, for reading two of them side by side. */
import { formatIpv4 } from '../../src/addr/ipv4.js';
import { frameFaults } from '../support/checksum.js';

export type Fields = readonly (readonly [name: string, value: string])[];

const TCP = 6;
const UDP = 17;
const ICMP = 1;
const VXLAN_FLAGS = 0x08000000;

const u16 = (b: Uint8Array, at: number): number => ((b[at] ?? 0) << 8) | (b[at + 1] ?? 0);
const u32 = (b: Uint8Array, at: number): number => u16(b, at) * 0x10000 + u16(b, at + 2);
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const mac = (b: Uint8Array, at: number): string =>
  hex(b.subarray(at, at + 6))
    .match(/../g)
    ?.join(':') ?? '';
const word = (value: number, digits = 4): string => `0x${value.toString(16).padStart(digits, '0')}`;

/** Every field of `frame`, headers outside in, and what is wrong with its checksums. */
export function decodeFields(frame: Uint8Array): Fields {
  return [
    ['length', `${frame.length}`],
    ...ethernet(frame, ''),
    ['faults', frameFaults(frame).join(', ') || 'none'],
  ];
}

function* ethernet(b: Uint8Array, prefix: string): Generator<readonly [string, string]> {
  yield [`${prefix}eth.dst`, mac(b, 0)];
  yield [`${prefix}eth.src`, mac(b, 6)];
  yield [`${prefix}eth.type`, word(u16(b, 12))];
  const rest = b.subarray(14);
  if (u16(b, 12) === 0x0806) {
    yield [`${prefix}arp.oper`, `${u16(rest, 6)}`];
    yield [`${prefix}arp.sha`, mac(rest, 8)];
    yield [`${prefix}arp.spa`, formatIpv4(u32(rest, 14))];
    yield [`${prefix}arp.tha`, mac(rest, 18)];
    yield [`${prefix}arp.tpa`, formatIpv4(u32(rest, 24))];
  } else if (u16(b, 12) === 0x0800 && rest.length >= 20) yield* ipv4(rest, prefix);
  else yield [`${prefix}payload`, hex(rest)];
}

function* ipv4(b: Uint8Array, prefix: string): Generator<readonly [string, string]> {
  const header = (b[0]! & 15) * 4;
  yield [`${prefix}ip.version_ihl`, word(b[0]!, 2)];
  yield [`${prefix}ip.tos`, word(b[1]!, 2)];
  yield [`${prefix}ip.len`, `${u16(b, 2)}`];
  yield [`${prefix}ip.id`, word(u16(b, 4))];
  yield [`${prefix}ip.fragment`, word(u16(b, 6))];
  yield [`${prefix}ip.ttl`, `${b[8]!}`];
  yield [`${prefix}ip.proto`, `${b[9]!}`];
  yield [`${prefix}ip.checksum`, word(u16(b, 10))];
  yield [`${prefix}ip.src`, formatIpv4(u32(b, 12))];
  yield [`${prefix}ip.dst`, formatIpv4(u32(b, 16))];
  if (header > 20) yield [`${prefix}ip.options`, hex(b.subarray(20, header))];
  const l4 = b.subarray(header);
  if ((u16(b, 6) & 0x1fff) !== 0) yield [`${prefix}fragment`, hex(l4)];
  else if (b[9] === TCP) yield* tcp(l4, prefix);
  else if (b[9] === UDP) yield* udp(l4, prefix);
  else if (b[9] === ICMP) yield* icmp(l4, prefix);
  else yield [`${prefix}payload`, hex(l4)];
}

function* tcp(b: Uint8Array, prefix: string): Generator<readonly [string, string]> {
  const header = ((b[12] ?? 0) >>> 4) * 4;
  yield [`${prefix}tcp.sport`, `${u16(b, 0)}`];
  yield [`${prefix}tcp.dport`, `${u16(b, 2)}`];
  yield [`${prefix}tcp.seq`, `${u32(b, 4)}`];
  yield [`${prefix}tcp.ack`, `${u32(b, 8)}`];
  yield [`${prefix}tcp.offset_flags`, word(u16(b, 12))];
  yield [`${prefix}tcp.window`, `${u16(b, 14)}`];
  yield [`${prefix}tcp.checksum`, word(u16(b, 16))];
  if (header > 20) yield [`${prefix}tcp.options`, hex(b.subarray(20, header))];
  yield [`${prefix}payload`, hex(b.subarray(header))];
}

function* udp(b: Uint8Array, prefix: string): Generator<readonly [string, string]> {
  yield [`${prefix}udp.sport`, `${u16(b, 0)}`];
  yield [`${prefix}udp.dport`, `${u16(b, 2)}`];
  yield [`${prefix}udp.len`, `${u16(b, 4)}`];
  yield [`${prefix}udp.checksum`, word(u16(b, 6))];
  // By the header's own look: the port is the cluster's to choose.
  if (u32(b, 8) !== VXLAN_FLAGS || b.length < 30) {
    yield [`${prefix}payload`, hex(b.subarray(8))];
    return;
  }
  yield [`${prefix}vxlan.flags`, word(u32(b, 8), 8)];
  yield [`${prefix}vxlan.vni`, `${u32(b, 12) >>> 8}`];
  yield* ethernet(b.subarray(16), `${prefix}inner.`);
}

function* icmp(b: Uint8Array, prefix: string): Generator<readonly [string, string]> {
  yield [`${prefix}icmp.type`, `${b[0] ?? 0}`];
  yield [`${prefix}icmp.code`, `${b[1] ?? 0}`];
  yield [`${prefix}icmp.checksum`, word(u16(b, 2))];
  yield [`${prefix}icmp.rest`, word(u32(b, 4), 8)];
  if ([3, 5, 11, 12].includes(b[0]!) && b.length >= 28) yield* ipv4(b.subarray(8), `${prefix}quoted.`);
  else yield [`${prefix}payload`, hex(b.subarray(8))];
}
