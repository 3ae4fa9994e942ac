/** What a pod would answer to a frame: ends exchanged, and the next step of the protocol. */
import { parseIpv4 } from '../../src/addr/ipv4.js';
import { POD_MAC_HI, parseMac } from '../../src/addr/mac.js';
import { createArena } from '../../src/packet/batch.js';
import { type BuiltFrame, buildEcho, buildTcp, buildUdp } from '../../src/packet/build.js';
import { type DecodedIpv4, decodeFrame } from '../../src/packet/decode.js';
import { ICMP_TYPE } from '../../src/wire/icmp.js';
import { PROTOCOL } from '../../src/wire/ipv4.js';
import { TCP_FLAG } from '../../src/wire/tcp.js';
import type { Plan, PodPlan } from './plan.js';

const { SYN, ACK, FIN } = TCP_FLAG;
/** A sequence number that both sides' pods begin with. */
const FIRST_SEQ = 0;

/** The answer of `pod` to the frame that it got. */
export function answerTo(received: Uint8Array, pod: PodPlan, plan: Plan): Uint8Array {
  const ip = decodeFrame(received)?.ip;
  if (ip === undefined) throw new Error('a pod answers IPv4 only');
  const next = nextHop(ip.src, pod, plan);
  const own = parseMac(pod.mac)!;
  const arena = createArena(4096);
  const common = {
    dstMacHi: next.hi,
    dstMacLo: next.lo,
    srcMacHi: own.hi,
    srcMacLo: own.lo,
    src: ip.dst,
    dst: ip.src,
    sport: ip.dport ?? 0,
    dport: ip.sport ?? 0,
    id: 0x5151,
  };
  const { offset, length } = build(ip);
  return arena.bytes.slice(offset, offset + length);

  function build(asked: DecodedIpv4): BuiltFrame {
    if (asked.icmp !== undefined) {
      const { identifier, sequence } = asked.icmp;
      return buildEcho(arena, { ...common, type: ICMP_TYPE.ECHO_REPLY, identifier, sequence });
    }
    if (asked.protocol === PROTOCOL.UDP)
      return buildUdp(arena, { ...common, payload: new TextEncoder().encode('answer') });
    const { flags, seq, ack } = asked.tcp!;
    if (flags & SYN) return buildTcp(arena, { ...common, flags: SYN | ACK, seq: FIRST_SEQ, ack: seq + 1 });
    const isEnd = (flags & FIN) !== 0;
    const size = received.length - 54 + (isEnd ? 1 : 0);
    return buildTcp(arena, { ...common, flags: isEnd ? FIN | ACK : ACK, seq: ack, ack: seq + size });
  }
}

/** A pod's routes: the pod network is on its link, all else, and the gateway itself, goes to tun0. */
function nextHop(address: number, pod: PodPlan, plan: Plan): { readonly hi: number; readonly lo: number } {
  const target = plan.pods.find((one) => parseIpv4(one.address.split('/')[0]!) === address);
  if (target !== undefined) return { hi: POD_MAC_HI, lo: address };
  const gateways = plan.nodes.filter((node) => parseIpv4(node.gateway.split('/')[0]!) === address);
  const node = gateways[0] ?? plan.nodes.find(({ name }) => name === pod.node)!;
  return parseMac(node.tunMac)!;
}
