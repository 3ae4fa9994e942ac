/** The packets that trace, probe and resolve send: the first of a conversation, and its answer. */
import type { Arena } from '../packet/batch.js';
import {
  type BuiltFrame,
  buildEcho,
  buildTcp,
  buildUdp,
  type EthernetFields,
  synOptions,
} from '../packet/build.js';
import { type DecodedFrame, decodeFrame } from '../packet/decode.js';
import { ICMP_TYPE } from '../wire/icmp.js';
import { PROTOCOL } from '../wire/ipv4.js';
import { TCP_FLAG } from '../wire/tcp.js';
import type { Entry } from './entry.js';
import type { Target } from './target.js';

/** Linux's first ephemeral port (net.ipv4.ip_local_port_range). */
export const FIRST_SPORT = 32_768;
/** IPv4 and TCP headers, which the MSS leaves room for. */
const MSS_HEADERS = 40;
const FIRST_SEQ = 1_000_000;
const ANSWER_SEQ = 2_000_000;
/** As ping sends: 56 bytes. */
const ECHO_PAYLOAD = Uint8Array.from({ length: 56 }, (_, i) => i);
const UDP_PAYLOAD = new TextEncoder().encode('podplane');

/** The packet that opens a conversation: a SYN, a UDP datagram or an echo request, whose identifier is `sport`. */
export function buildFirst(
  arena: Arena,
  entry: Entry,
  target: Target,
  sport: number,
  mtu: number,
): BuiltFrame {
  const common = { ...entry, dst: target.address, sport, dport: target.port };
  if (target.protocol === 'icmp')
    return buildEcho(arena, { ...common, identifier: sport, sequence: 1, payload: ECHO_PAYLOAD });
  if (target.protocol === 'udp') return buildUdp(arena, { ...common, payload: UDP_PAYLOAD });
  const options = synOptions(mtu - MSS_HEADERS);
  return buildTcp(arena, { ...common, flags: TCP_FLAG.SYN, seq: FIRST_SEQ, options });
}

/** The frame that whoever received `bytes` answers with: SYN-ACK, a datagram, an echo reply; null when such a packet
 *  has no answer. `macs` are those that the answerer's stack writes. */
export function answerTo(
  bytes: Uint8Array,
  mtu: number,
  macs: (dst: number, received: DecodedFrame) => EthernetFields,
): ((arena: Arena) => BuiltFrame) | null {
  const frame = decodeFrame(bytes);
  const ip = frame?.ip;
  if (frame === null || ip === undefined) return null;
  const back = { ...macs(ip.src, frame), src: ip.dst, dst: ip.src };
  if (ip.icmp !== undefined) {
    if (ip.icmp.type !== ICMP_TYPE.ECHO) return null;
    const { identifier, sequence } = ip.icmp;
    const echo = { type: ICMP_TYPE.ECHO_REPLY, identifier, sequence, payload: ECHO_PAYLOAD };
    return (arena) => buildEcho(arena, { ...back, ...echo });
  }
  if (ip.sport === undefined || ip.dport === undefined) return null;
  const ports = { sport: ip.dport, dport: ip.sport };
  if (ip.protocol === PROTOCOL.UDP)
    return (arena) => buildUdp(arena, { ...back, ...ports, payload: UDP_PAYLOAD });
  if (ip.tcp === undefined || ip.tcp.flags !== TCP_FLAG.SYN) return null;
  const segment = {
    flags: TCP_FLAG.SYN | TCP_FLAG.ACK,
    seq: ANSWER_SEQ,
    ack: (ip.tcp.seq + 1) >>> 0,
    options: synOptions(mtu - MSS_HEADERS),
  };
  return (arena) => buildTcp(arena, { ...back, ...ports, ...segment });
}
