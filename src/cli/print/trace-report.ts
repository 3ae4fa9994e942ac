/** A packet's trace as plain values: every hop with what its headers say, and what was rewritten there. */
import { formatIpv4 } from '../../addr/ipv4.js';
import { formatMac } from '../../addr/mac.js';
import type { Hop, PacketTrace } from '../../engine/explain.js';
import { type DecodedFrame, decodeFrame } from '../../packet/decode.js';
import type { Epoch } from '../../tables/epoch.js';
import { REASONS, Reason } from '../../verdict/reasons.js';
import type { FollowedPacket } from '../packet-run.js';
import { packetKind } from './packet-kind.js';
import { dstText, innermost, type Rewrite, rewritesBetween, srcText } from './rewrites.js';

export interface TunnelReport {
  readonly src: string;
  readonly dst: string;
  readonly vni: number;
  readonly ttl: number;
}

/** What the headers said when the packet came to the hop, inside the tunnel where there is one, and what the hop
 *  changed. Ends are `10.128.0.2:8080`, the address alone for ICMP, '' where there is no IPv4. */
export interface HopReport {
  readonly node: string;
  readonly device: string;
  readonly stage: string;
  readonly table?: number;
  readonly rule?: NonNullable<Hop['rule']>;
  readonly src: string;
  readonly dst: string;
  readonly srcMac: string;
  readonly dstMac: string;
  readonly ttl: number | null;
  /** Bytes of the frame, tunnel headers included. */
  readonly length: number;
  readonly tunnel?: TunnelReport;
  readonly rewrites: readonly Rewrite[];
  /** Nanoseconds since the first packet was sent. */
  readonly afterNs: number;
}

export interface TraceReport {
  readonly packet: number;
  readonly parent: number;
  /** What the packet is: `TCP SYN`, `UDP`, `ICMP echo request`. */
  readonly what: string;
  readonly src: string;
  readonly dst: string;
  readonly verdict: PacketTrace['verdict'];
  /** Name of the reason; null for plain delivery. */
  readonly reason: string | null;
  /** Names of the port where it ended, and of the connection's Service and endpoint; null when there is none. */
  readonly exit: string | null;
  readonly service: string | null;
  readonly endpoint: string | null;
  /** Rules of NetworkPolicies that let it through; absent when none was asked. */
  readonly allowedBy?: PacketTrace['allowedBy'];
  /** What isolates the pod, where that is the reason. */
  readonly isolatedBy?: string;
  /** The same, with the rule that would have let it through with the least change. */
  readonly denial?: NonNullable<PacketTrace['denial']>;
  /** What the destination was rewritten to; null when it was not. */
  readonly dnat: string | null;
  readonly snat: string | null;
  readonly hops: readonly HopReport[];
  /** Ends, TTL and bytes in the end, and when. */
  readonly end: {
    readonly src: string;
    readonly dst: string;
    readonly ttl: number | null;
    readonly length: number;
    readonly afterNs: number;
  };
}

/** The report of one packet. `startNs` is when the first packet was sent. */
export function traceReport(
  epoch: Epoch,
  { trace, bytes, tsNs }: FollowedPacket,
  startNs: number,
): TraceReport {
  const { tables } = epoch;
  const vxlanPort = tables.config.vxlanPort[0]!;
  const decode = (frame: Uint8Array): DecodedFrame | null => decodeFrame(frame, 0, frame.length, vxlanPort);
  const frames = [...trace.hops.map((hop) => decode(hop.bytes)), decode(bytes)];
  const first = endsOf(innermost(frames[0]!));
  const last = endsOf(innermost(frames.at(-1)!));
  return {
    packet: trace.packet,
    parent: trace.parent,
    what: packetKind(innermost(frames[0]!)),
    ...first,
    verdict: trace.verdict,
    reason: trace.reason === REASONS[Reason.None]!.name ? null : trace.reason,
    exit: orNull(trace.exit),
    service: orNull(trace.service),
    endpoint: orNull(trace.endpoint),
    ...(trace.allowedBy.length === 0 ? {} : { allowedBy: trace.allowedBy }),
    ...(trace.denial === null
      ? {}
      : { isolatedBy: trace.denial.isolatedBy.join(', '), denial: trace.denial }),
    dnat: last.dst !== first.dst ? last.dst : null,
    snat: last.src !== first.src ? last.src : null,
    hops: trace.hops.map((hop, i) =>
      hopReport(hop, frames[i]!, rewritesBetween(tables, frames[i]!, frames[i + 1]!), startNs),
    ),
    end: {
      ...last,
      ttl: innermost(frames.at(-1)!)?.ip?.ttl ?? null,
      length: bytes.length,
      afterNs: tsNs - startNs,
    },
  };
}

function hopReport(
  hop: Hop,
  frame: DecodedFrame | null,
  rewrites: readonly Rewrite[],
  startNs: number,
): HopReport {
  const inner = innermost(frame);
  return {
    node: hop.node,
    device: hop.device,
    stage: hop.stage,
    ...(hop.table === undefined ? {} : { table: hop.table }),
    ...(hop.rule === undefined ? {} : { rule: hop.rule }),
    ...endsOf(inner),
    srcMac: inner === null ? '' : formatMac(inner.srcMacHi, inner.srcMacLo),
    dstMac: inner === null ? '' : formatMac(inner.dstMacHi, inner.dstMacLo),
    ttl: inner?.ip?.ttl ?? null,
    length: hop.bytes.length,
    ...(frame?.vxlan === undefined ? {} : { tunnel: tunnelReport(frame) }),
    rewrites,
    afterNs: hop.tsNs - startNs,
  };
}

const orNull = (text: string): string | null => (text === '' ? null : text);

const tunnelReport = (frame: DecodedFrame): TunnelReport => ({
  ...endsOf(frame),
  vni: frame.vxlan!.vni,
  ttl: frame.ip!.ttl,
});

function endsOf(frame: DecodedFrame | null): { readonly src: string; readonly dst: string } {
  if (frame?.arp !== undefined)
    return { src: formatIpv4(frame.arp.sender), dst: formatIpv4(frame.arp.target) };
  return frame?.ip === undefined ? { src: '', dst: '' } : { src: srcText(frame.ip), dst: dstText(frame.ip) };
}
