/** A packet's trace as plain values: every hop with what its headers say, and what was rewritten on the way. */
import { formatIpv4 } from '../../addr/ipv4.js';
import type { Hop, PacketTrace } from '../../engine/explain.js';
import { type DecodedFrame, decodeFrame } from '../../packet/decode.js';
import { PROTOCOL } from '../../wire/ipv4.js';

/** One end of a packet: `10.128.0.2:8080`, the address alone for ICMP, '' where there is no IPv4. */
type EndText = string;

export interface TunnelReport {
  readonly src: EndText;
  readonly dst: EndText;
  readonly vni: number;
  readonly ttl: number;
}

export interface HopReport {
  readonly node: string;
  readonly device: string;
  readonly stage: string;
  readonly table?: number;
  readonly rule?: Hop['rule'];
  /** Bytes of the frame, tunnel headers included. */
  readonly length: number;
  /** Of the packet itself; inside the tunnel where there is one. */
  readonly src: EndText;
  readonly dst: EndText;
  readonly ttl: number | null;
  readonly tunnel?: TunnelReport;
  /** Nanoseconds since the packet was sent. */
  readonly afterNs: number;
}

export interface TraceReport {
  readonly packet: number;
  readonly parent: number;
  /** What the packet is: `TCP SYN`, `UDP`, `ICMP echo request`. */
  readonly what: string;
  readonly src: EndText;
  readonly dst: EndText;
  readonly verdict: PacketTrace['verdict'];
  readonly reason: string;
  readonly exit: string;
  readonly service: string;
  readonly endpoint: string;
  /** What the destination was rewritten to; null when it was not. */
  readonly dnat: EndText | null;
  readonly snat: EndText | null;
  readonly hops: readonly HopReport[];
}

/** The report of one packet. `startNs` is when the first packet of the run was sent, `vxlanPort` the tunnel's UDP port. */
export function traceReport(trace: PacketTrace, startNs: number, vxlanPort: number): TraceReport {
  const frames = trace.hops.map((hop) => decodeFrame(hop.bytes, 0, hop.bytes.length, vxlanPort));
  const first = endsOf(innermost(frames[0] ?? null));
  const last = endsOf(innermost(frames.at(-1) ?? null));
  return {
    packet: trace.packet,
    parent: trace.parent,
    what: describe(innermost(frames[0] ?? null)),
    ...first,
    verdict: trace.verdict,
    reason: trace.reason,
    exit: trace.exit,
    service: trace.service,
    endpoint: trace.endpoint,
    dnat: last.dst !== first.dst ? last.dst : null,
    snat: last.src !== first.src ? last.src : null,
    hops: trace.hops.map((hop, i) => hopReport(hop, frames[i]!, startNs)),
  };
}

function hopReport(hop: Hop, frame: DecodedFrame | null, startNs: number): HopReport {
  const inner = innermost(frame);
  const tunnel = frame?.vxlan === undefined ? undefined : tunnelReport(frame);
  return {
    node: hop.node,
    device: hop.device,
    stage: hop.stage,
    ...(hop.table === undefined ? {} : { table: hop.table }),
    ...(hop.rule === undefined ? {} : { rule: hop.rule }),
    length: hop.bytes.length,
    ...endsOf(inner),
    ttl: inner?.ip?.ttl ?? null,
    ...(tunnel === undefined ? {} : { tunnel }),
    afterNs: hop.tsNs - startNs,
  };
}

const tunnelReport = (frame: DecodedFrame): TunnelReport => ({
  ...endsOf(frame),
  vni: frame.vxlan!.vni,
  ttl: frame.ip!.ttl,
});

/** The frame that the tunnel carries, or the frame itself. */
const innermost = (frame: DecodedFrame | null): DecodedFrame | null => frame?.vxlan?.inner ?? frame;

function endsOf(frame: DecodedFrame | null): { readonly src: EndText; readonly dst: EndText } {
  if (frame?.arp !== undefined)
    return { src: formatIpv4(frame.arp.sender), dst: formatIpv4(frame.arp.target) };
  if (frame?.ip === undefined) return { src: '', dst: '' };
  const { src, dst, sport, dport } = frame.ip;
  const end = (address: number, port: number | undefined): EndText =>
    port === undefined ? formatIpv4(address) : `${formatIpv4(address)}:${port}`;
  return { src: end(src, sport), dst: end(dst, dport) };
}

const FLAG_NAMES = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG', 'ECE', 'CWR'] as const;

const ICMP_NAMES: Readonly<Record<string, string>> = {
  '0/0': 'echo reply',
  '3/0': 'network unreachable',
  '3/1': 'host unreachable',
  '3/3': 'port unreachable',
  '3/4': 'fragmentation needed',
  '8/0': 'echo request',
  '11/0': 'TTL exceeded',
};

function describe(frame: DecodedFrame | null): string {
  if (frame === null) return 'frame';
  if (frame.arp !== undefined) return frame.arp.oper === 1 ? 'ARP request' : 'ARP reply';
  const { ip } = frame;
  if (ip === undefined) return `EtherType 0x${frame.etherType.toString(16).padStart(4, '0')}`;
  if (ip.tcp !== undefined) {
    const { flags } = ip.tcp;
    return `TCP ${FLAG_NAMES.filter((_, bit) => (flags >> bit) & 1).join('+')}`;
  }
  if (ip.icmp !== undefined) {
    const kind = `${ip.icmp.type}/${ip.icmp.code}`;
    return `ICMP ${ICMP_NAMES[kind] ?? kind}`;
  }
  return ip.protocol === PROTOCOL.UDP
    ? 'UDP'
    : ip.protocol === PROTOCOL.TCP
      ? 'TCP'
      : `IP protocol ${ip.protocol}`;
}
