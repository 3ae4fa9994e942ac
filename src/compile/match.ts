/** Writes matches in OpenFlow's words. */

import type { Ipv4Prefix } from '../addr/ipv4.js';
import { maskOf } from '../addr/ipv4.js';
import type { Mac } from '../addr/mac.js';
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
  readonly ethDst?: Mac;
  /** Number of the NetworkPolicy's rule that the flow stands for. */
  readonly policyRule?: number;
}

/** One address as a prefix. */
export const host = (address: number): Ipv4Prefix => ({ base: address, length: 32 });

const ETH_IP = 0x0800;
const ETH_ARP = 0x0806;

export const ip = (fields: Fields = {}): Match => build(ETH_IP, fields);
export const arp = (fields: Fields = {}): Match => build(ETH_ARP, fields);
export const any = (fields: Fields = {}): Match => build(0, fields);

function build(ethType: number, fields: Fields): Match {
  const match: number[] = [];
  // In ascending order of the fields, as a Match is.
  exact(match, Field.IN_PORT, fields.inPort);
  if (ethType !== 0) match.push(Field.ETH_TYPE, ethType, ALL);
  prefix(match, Field.NW_SRC, fields.nwSrc);
  prefix(match, Field.NW_DST, fields.nwDst);
  exact(match, Field.NW_PROTO, fields.proto);
  if (fields.tpDst !== undefined) match.push(Field.TP_DST, fields.tpDst[0], fields.tpDst[1]);
  if (fields.ctState !== undefined) match.push(Field.CT_STATE, fields.ctState[0], fields.ctState[1]);
  exact(match, Field.REG0, fields.reg0);
  exact(match, Field.REG1, fields.reg1);
  exact(match, Field.TUN_SRC, fields.tunSrc);
  exact(match, Field.ARP_SHA_LO, fields.arpShaLo);
  exact(match, Field.POLICY_RULE, fields.policyRule);
  exact(match, Field.ETH_DST_HI, fields.ethDst?.hi);
  exact(match, Field.ETH_DST_LO, fields.ethDst?.lo);
  return match;
}

function exact(match: number[], field: number, value: number | undefined): void {
  if (value !== undefined) match.push(field, value | 0, ALL);
}

/** A /0 matches everything and is no match at all, as OpenFlow prints it. */
function prefix(match: number[], field: number, value: Ipv4Prefix | undefined): void {
  if (value !== undefined && value.length > 0) match.push(field, value.base | 0, maskOf(value.length) | 0);
}
