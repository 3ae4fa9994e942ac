/** One interface of a capture: what the file says of it, and what was read from it. */

import { linkHeaderSize } from './link-header.js';
import { LinkType, linkTypeName } from './link-types.js';

/** What an interface is made from. */
export interface InterfaceFacts {
  readonly name: string;
  readonly description: string;
  /** Number of the link type; see link-types.ts. */
  readonly linkType: number;
  /** Longest captured length; 0 is without limit. */
  readonly snapLength: number;
  /** Seconds per unit of its timestamps. */
  readonly tsResolution: number;
  /** Bytes of the frame check sequence at the end of each frame, which is cut off. */
  readonly fcsSize: number;
}

export class CaptureInterface implements InterfaceFacts {
  /** Dense over the file: unique for each section and interface. */
  readonly id: number;
  readonly name: string;
  readonly description: string;
  readonly linkType: number;
  readonly linkTypeName: string;
  readonly snapLength: number;
  readonly tsResolution: number;
  readonly fcsSize: number;
  readonly isEthernet: boolean;
  /** Packets of its link type are given as Ethernet frames. */
  readonly isSupported: boolean;
  /** Packets read so far. */
  packets = 0;
  /** How many of them were not given as Ethernet frames. */
  unsupported = 0;

  constructor(id: number, facts: InterfaceFacts) {
    this.id = id;
    this.name = facts.name;
    this.description = facts.description;
    this.linkType = facts.linkType;
    this.linkTypeName = linkTypeName(facts.linkType);
    this.snapLength = facts.snapLength;
    this.tsResolution = facts.tsResolution;
    this.isEthernet = facts.linkType === LinkType.Ethernet;
    this.isSupported = this.isEthernet || linkHeaderSize(facts.linkType) >= 0;
    // Only Ethernet's trailer is known to follow the packet; elsewhere the IP length tells where it ends.
    this.fcsSize = this.isEthernet ? facts.fcsSize : 0;
  }
}
