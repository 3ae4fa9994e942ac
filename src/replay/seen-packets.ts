/** The injected packets of the last while, under every form in which a capture may show them again. */

import type { PacketView } from '../packet/packet-view.js';
import { ETHERNET } from '../wire/ethernet.js';
import { RecentTable } from './recent-table.js';

/** Injected packets that are remembered, and how far back in the trace a copy may lie, in packets. */
export const WINDOW = 131_072;
/** As sent, after DNAT or SNAT, after masquerade. */
const FORMS = 3;
/** Linux' least retransmission timeout is 200 ms (TCP_RTO_MIN): on an interface that shows one packet at several
 *  stops, the same bytes within half of it are the same packet. */
const SAME_PACKET_NS = 100e6;

/** How a packet is addressed. Ports are 0 where there are none. */
export interface Addressing {
  src: number;
  dst: number;
  sport: number;
  dport: number;
}

export class SeenPackets {
  readonly #table = new RecentTable(WINDOW * FORMS);
  readonly #sequence = new Float64Array(WINDOW * FORMS);
  readonly #source = new Uint32Array(WINDOW * FORMS);
  readonly #tsNs = new Float64Array(WINDOW * FORMS);
  /** Bit 0: in a tunnel. Bit 1: not as sent, but translated. */
  readonly #form = new Uint8Array(WINDOW * FORMS);

  /** Did the last answer of originOf() go by translated addresses? */
  isTranslated = false;

  /** Remember packet `sequence` as addressed by `as`; view.digest() has been called. */
  add(
    view: PacketView,
    as: Readonly<Addressing>,
    sequence: number,
    source: number,
    tsNs: number,
    isTranslated: boolean,
  ): void {
    const key = keyWords(view, as);
    const row = this.#table.add(key[0]!, key[1]!, key[2]!, key[3]!);
    this.#sequence[row] = sequence;
    this.#source[row] = source;
    this.#tsNs[row] = tsNs;
    this.#form[row] = (view.isTunnelled ? 1 : 0) | (isTranslated ? 2 : 0);
  }

  /** Sequence number of the injected packet that this one is a copy of, seen elsewhere; -1 when it is none, or is
   *  the same bytes sent again. */
  originOf(view: PacketView, sequence: number, source: number, tsNs: number, isCooked: boolean): number {
    // What has not even a whole Ethernet header looks like any other such rest.
    if (view.end - view.at < ETHERNET.SIZE) return -1;
    const key = keyWords(view, view);
    const row = this.#table.find(key[0]!, key[1]!, key[2]!, key[3]!);
    if (row < 0 || sequence - this.#sequence[row]! > WINDOW) return -1;
    const isElsewhere =
      this.#source[row] !== source ||
      this.#form[row] !== (view.isTunnelled ? 1 : 0) ||
      (isCooked && tsNs - this.#tsNs[row]! < SAME_PACKET_NS);
    this.isTranslated = (this.#form[row]! & 2) !== 0;
    return isElsewhere ? this.#sequence[row]! : -1;
  }
}

const words = new Int32Array(4);

/** TTL, TOS and checksums change on the way and stay out. */
function keyWords(view: PacketView, as: Readonly<Addressing>): Int32Array {
  words[0] = as.src ^ Math.imul(as.dst, 0x85ebca77);
  words[1] = (as.sport << 16) ^ as.dport ^ Math.imul(as.dst, 0x9e3779b1);
  words[2] = view.digest0;
  words[3] =
    view.digest1 ^
    Math.imul(view.protocol | (view.id << 8), 0xc2b2ae3d) ^
    Math.imul(view.fragment, 0x27d4eb2f);
  return words;
}
