/** First packets to many destinations: built once for a sender, then changed from one destination to the next. */
import { type Arena, createArena, HEADROOM } from '../../packet/batch.js';
import type { BuiltFrame } from '../../packet/build.js';
import { adjust32 } from '../../wire/checksum.js';
import { ETHERNET, setEthDst } from '../../wire/ethernet.js';
import { IPV4, replaceIpv4Address } from '../../wire/ipv4.js';
import { fillTcpChecksum, TCP } from '../../wire/tcp.js';
import { fillUdpChecksum, UDP } from '../../wire/udp.js';
import type { Entry } from '../entry.js';
import { buildFirst, FIRST_SPORT } from '../send-packet.js';
import type { Target } from '../target.js';

const L3 = ETHERNET.SIZE;
const L4 = L3 + IPV4.MIN_SIZE;

export class FirstFrames {
  readonly #mtu: number;
  readonly #scratch: Arena = createArena(1024);
  #frame: BuiltFrame = { offset: 0, length: 0 };
  #src = -1;
  #srcMacLo = -1;
  #protocol = '';
  #dst = 0;

  /** `mtu`: what the senders' MSS goes by. */
  constructor(mtu: number) {
    this.#mtu = mtu;
  }

  /** Put the packet that opens a conversation into the arena, as buildFirst() would. */
  place(arena: Arena, entry: Entry, target: Target): BuiltFrame {
    const isOther =
      entry.src !== this.#src || entry.srcMacLo !== this.#srcMacLo || target.protocol !== this.#protocol;
    if (isOther) this.#build(entry, target);
    else this.#redirect(entry, target);
    const { offset, length } = this.#frame;
    // Two bytes past a word, as the builders place frames.
    const at = ((arena.used + HEADROOM + 3) & ~3) + 2;
    arena.used = at + length;
    const from = this.#scratch.bytes;
    for (let i = 0; i < length; i++) arena.bytes[at + i] = from[offset + i]!;
    return { offset: at, length };
  }

  #build(entry: Entry, target: Target): void {
    this.#scratch.used = 0;
    this.#frame = buildFirst(this.#scratch, entry, target, FIRST_SPORT, this.#mtu);
    this.#src = entry.src;
    this.#srcMacLo = entry.srcMacLo;
    this.#protocol = target.protocol;
    this.#dst = target.address;
  }

  #redirect(entry: Entry, target: Target): void {
    const { view } = this.#scratch;
    const { offset, length } = this.#frame;
    setEthDst(view, offset, entry.dstMacHi, entry.dstMacLo);
    replaceIpv4Address(view, offset + L3, IPV4.DST, target.address);
    const l4 = offset + L4;
    if (target.protocol === 'tcp') {
      const sum = l4 + TCP.CHECKSUM;
      const isSamePort = view.getUint16(l4 + TCP.DPORT) === target.port;
      view.setUint16(l4 + TCP.DPORT, target.port);
      if (isSamePort) view.setUint16(sum, adjust32(view.getUint16(sum), this.#dst, target.address));
      else fillTcpChecksum(view, l4, offset + length, entry.src, target.address);
    } else if (target.protocol === 'udp') {
      view.setUint16(l4 + UDP.DPORT, target.port);
      fillUdpChecksum(view, l4, offset + length, entry.src, target.address);
    }
    this.#dst = target.address;
  }
}
