/** Damages a copy of a frame in ways that a receiver must notice. */
import { ETHERNET, ETHERTYPE } from '../wire/ethernet.js';
import { IPV4, PROTOCOL } from '../wire/ipv4.js';
import { TCP } from '../wire/tcp.js';
import { UDP } from '../wire/udp.js';
import type { SeededRandom } from './generate-random.js';

const L4 = ETHERNET.SIZE + IPV4.MIN_SIZE;
const FRAME_MAX = 2_048;

/** Changes the frame [0, length) and returns its new length. */
type Damage = (p: DataView, length: number, random: SeededRandom) => number;

const addTo16 = (p: DataView, at: number, value: number): void =>
  p.setUint16(at, (p.getUint16(at) + value) & 0xffff);

/** Every way once; all are drawn alike. */
const DAMAGES: readonly Damage[] = [
  // A frame that ends inside its Ethernet header, its IPv4 header, its transport header.
  (_, length, random) => Math.min(length, random.between(1, ETHERNET.SIZE)),
  (_, length, random) => Math.min(length, random.between(ETHERNET.SIZE, L4)),
  (_, length, random) => Math.min(length, random.between(L4, L4 + UDP.SIZE)),
  (p, length) => {
    p.setUint8(ETHERNET.SIZE, 0x65);
    return length;
  },
  (p, length, random) => {
    p.setUint8(ETHERNET.SIZE, 0x40 | random.below(5));
    return length;
  },
  (p, length, random) => {
    addTo16(p, ETHERNET.SIZE + IPV4.CHECKSUM, random.between(1, 0xfffe));
    return length;
  },
  // Longer than the frame, with the right header checksum.
  (p, length, random) => {
    const more = random.between(1, 400);
    const header = ETHERNET.SIZE;
    addTo16(p, header + IPV4.LENGTH, more);
    const sum = p.getUint16(header + IPV4.CHECKSUM) - more;
    p.setUint16(header + IPV4.CHECKSUM, sum < 0 ? sum + 0xffff : sum);
    return length;
  },
  (p, length, random) => {
    const isUdp = p.getUint8(ETHERNET.SIZE + IPV4.PROTOCOL) === PROTOCOL.UDP;
    const at = L4 + (isUdp ? UDP.CHECKSUM : TCP.CHECKSUM);
    // Not zero, which for UDP means that there is none.
    p.setUint16(at, ((p.getUint16(at) + random.below(0xfffe)) % 0xffff) + 1);
    return length;
  },
  (p, length, random) => {
    p.setUint16(ETHERNET.TYPE, random.unit() < 0.5 ? ETHERTYPE.IPV6 : 0x88b5);
    return length;
  },
];

/** Keeps one damaged frame at a time. */
export class DamagedFrame {
  readonly bytes = new Uint8Array(FRAME_MAX);
  readonly #view = new DataView(this.bytes.buffer);
  length = 0;

  /** Copy bytes[offset, offset + length) and damage the copy. */
  take(bytes: Uint8Array, offset: number, length: number, random: SeededRandom): void {
    for (let i = 0; i < length; i++) this.bytes[i] = bytes[offset + i]!;
    const damage = DAMAGES[random.below(DAMAGES.length)]!;
    this.length = damage(this.#view, length, random);
  }
}
