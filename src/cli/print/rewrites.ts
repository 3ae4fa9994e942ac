/** What changed a packet from one hop to the next: translation, tunnel, TTL. */
import type { DecodedFrame, DecodedIpv4 } from '../../packet/decode.js';
import { ADDRESS_KIND, findAddress } from '../../tables/addresses.js';
import type { Tables } from '../../tables/epoch.js';
import { findFront } from '../../tables/fronts.js';
import { endText } from '../target.js';

export type RewriteKind = 'DNAT' | 'SNAT' | 'un-DNAT' | 'un-SNAT' | 'VXLAN' | 'decap' | 'TTL';

export interface Rewrite {
  readonly kind: RewriteKind;
  readonly before: string;
  readonly after: string;
}

/** The frame that the tunnel carries, or the frame itself. */
export const innermost = (frame: DecodedFrame | null): DecodedFrame | null => frame?.vxlan?.inner ?? frame;

/** What happened between two hops, in the order in which it is told. */
export function rewritesBetween(
  tables: Tables,
  before: DecodedFrame | null,
  after: DecodedFrame | null,
): Rewrite[] {
  const from = innermost(before)?.ip;
  const to = innermost(after)?.ip;
  if (from === undefined || to === undefined) return [];
  const found: Rewrite[] = [];
  const add = (kind: RewriteKind, old: string, now: string): void => {
    if (old !== now) found.push({ kind, before: old, after: now });
  };
  const isMasqueraded =
    isOwnAddress(tables, from.dst) && !isFront(tables, from.dst, from.dport, from.protocol);
  const isAnswer = isClusterIp(tables, to.src) || isFront(tables, to.src, to.sport, to.protocol);
  add(isMasqueraded ? 'un-SNAT' : 'DNAT', dstText(from), dstText(to));
  add(isAnswer ? 'un-DNAT' : 'SNAT', srcText(from), srcText(to));
  add('TTL', String(from.ttl), String(to.ttl));
  if (before?.vxlan === undefined && after?.vxlan !== undefined) add('VXLAN', '', tunnelText(after));
  if (before?.vxlan !== undefined && after?.vxlan === undefined) add('decap', tunnelText(before), '');
  return found;
}

export const srcText = ({ src, sport }: DecodedIpv4): string => endText(src, sport ?? 0);
export const dstText = ({ dst, dport }: DecodedIpv4): string => endText(dst, dport ?? 0);

const tunnelText = (frame: DecodedFrame): string =>
  `vni ${frame.vxlan!.vni}  ${srcText(frame.ip!)} > ${dstText(frame.ip!)}  ttl ${frame.ip!.ttl}`;

/** Masquerade gives connections a node's own address; what comes back to it is translated back. */
const isOwnAddress = (tables: Tables, address: number): boolean => {
  const kind = kindOf(tables, address);
  return kind === ADDRESS_KIND.GATEWAY || kind === ADDRESS_KIND.NODE;
};

/** No host sends from a ClusterIP: a source that becomes one is an answer on its way back. */
const isClusterIp = (tables: Tables, address: number): boolean =>
  kindOf(tables, address) === ADDRESS_KIND.CLUSTER_IP;

/** A Service's address from outside, a node port's included: what goes there is translated, what comes from there an answer. */
function isFront(tables: Tables, address: number, port: number | undefined, protocol: number): boolean {
  const { fronts, frontSlots } = tables;
  const portProto = (((port ?? 0) << 16) | protocol) >>> 0;
  const isNodePort = isOwnAddress(tables, address) && findFront(fronts, frontSlots, 0, portProto) >= 0;
  return isNodePort || findFront(fronts, frontSlots, address, portProto) >= 0;
}

function kindOf(tables: Tables, address: number): number {
  const slot = findAddress(tables.addresses, address);
  return slot < 0 ? 0 : tables.addresses.kind[slot]!;
}
