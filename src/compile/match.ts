/** Writes matches in OpenFlow's words. */

import type { Ipv4Prefix } from '../addr/ipv4.js';
import { maskOf } from '../addr/ipv4.js';
import { Field } from '../tables/flows.js';
import type { Match } from './flow-builder.js';

const ALL = -1;

/** The fields of a match; a prefix gives value and mask. `ctState` is [bits set, bits looked at]. */
export interface Fields {
  readonly inPort?: number;
  readonly nwSrc?: Ipv4Prefix;
  readonly nwDst?: Ipv4Prefix;
  readonly proto?: number;
  readonly tpDst?: readonly [value: number, mask: number];
  readonly ctState?: readonly [value: number, mask: number];
  readonly reg0?: number;
  readonly reg1?: number;
  readonly tunSrc?: number;
  readonly arpShaLo?: number;
}

/** One address as a prefix. */
export const host = (address: number): Ipv4Prefix => ({ base: address, length: 32 });

const ETH_IP = 0x0800;
const ETH_ARP = 0x0806;

export const ip = (fields: Fields = {}): Match => build(ETH_IP, fields);
export const arp = (fields: Fields = {}): Match => build(ETH_ARP, fields);
export const any = (fields: Fields = {}): Match => build(0, fields);

function build(ethType: number, fields: Fields): Match {
  const match = new Map<number, readonly [number, number]>();
  if (ethType !== 0) match.set(Field.ETH_TYPE, [ethType, ALL]);
  const exact = (field: number, value: number | undefined): void => {
    if (value !== undefined) match.set(field, [value | 0, ALL]);
  };
  // A /0 matches everything and is no match at all, as OpenFlow prints it.
  const prefix = (field: number, value: Ipv4Prefix | undefined): void => {
    if (value !== undefined && value.length > 0) match.set(field, [value.base | 0, maskOf(value.length) | 0]);
  };
  exact(Field.IN_PORT, fields.inPort);
  prefix(Field.NW_SRC, fields.nwSrc);
  prefix(Field.NW_DST, fields.nwDst);
  exact(Field.NW_PROTO, fields.proto);
  if (fields.tpDst !== undefined) match.set(Field.TP_DST, fields.tpDst);
  if (fields.ctState !== undefined) match.set(Field.CT_STATE, fields.ctState);
  exact(Field.REG0, fields.reg0);
  exact(Field.REG1, fields.reg1);
  exact(Field.TUN_SRC, fields.tunSrc);
  exact(Field.ARP_SHA_LO, fields.arpShaLo);
  return match;
}
