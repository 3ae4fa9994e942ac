/** A captured frame as numbers: who sends what to whom, and a digest of what routing and NAT leave alone. */
import { ARP, arpSpa, arpTpa, isArpIpv4 } from '../wire/arp.js';
import { ETHERNET, ETHERTYPE, etherType } from '../wire/ethernet.js';
import { ICMP, icmpType, isIcmpError } from '../wire/icmp.js';
import {
  checkIpv4,
  ipv4Dst,
  ipv4Fragment,
  ipv4HeaderSize,
  ipv4Id,
  ipv4Protocol,
  ipv4Src,
  ipv4TotalLength,
  ipv4Ttl,
  isLaterFragment,
  PROTOCOL,
} from '../wire/ipv4.js';
import { TCP } from '../wire/tcp.js';
import { UDP } from '../wire/udp.js';
import { VXLAN } from '../wire/vxlan.js';

export const FrameType = { OTHER: 0, IPV4: 1, ARP: 2 } as const;

/** One object serves a whole run; read() fills it. Of a tunnel frame, all but `outer…` speak of the inner frame. */
export class PacketView {
  type: number = FrameType.OTHER;
  isTunnelled = false;
  outerSrc = 0;
  outerDst = 0;
  /** Frame that the rest is about: where it begins, one past its end. */
  at = 0;
  end = 0;
  l3 = 0;
  l4 = 0;
  /** Source and destination; of ARP the sender's and the target's. u32. */
  src = 0;
  dst = 0;
  protocol = 0;
  /** Of TCP, UDP, SCTP; 0 where there are none. */
  sport = 0;
  dport = 0;
  hasPorts = false;
  id = 0;
  ttl = 0;
  fragment = 0;
  isLaterFragment = false;
  /** Digest of the payload, two u32; filled by digest(). */
  digest0 = 0;
  digest1 = 0;

  /** Look at the frame [at, at + length). UDP to `vxlanPort` counts as a tunnel; -1 takes every frame as it is. */
  read(p: DataView, at: number, length: number, vxlanPort: number): void {
    this.isTunnelled = false;
    this.outerSrc = 0;
    this.outerDst = 0;
    this.#readFrame(p, at, at + length);
    if (this.protocol !== PROTOCOL.UDP || this.dport !== vxlanPort || !this.hasPorts) return;
    const inner = this.l4 + UDP.SIZE + VXLAN.SIZE;
    if (inner + ETHERNET.SIZE > this.end) return;
    this.isTunnelled = true;
    this.outerSrc = this.src;
    this.outerDst = this.dst;
    this.#readFrame(p, inner, this.end);
  }

  /** Addresses and ports of the packet that an ICMP error quotes, into `quote`; false when this is no error or its
   *  quote has none. */
  readQuote(p: DataView, quote: PacketView): boolean {
    if (this.type !== FrameType.IPV4 || this.protocol !== PROTOCOL.ICMP || this.isLaterFragment) return false;
    if (this.l4 + ICMP.SIZE > this.end || !isIcmpError(icmpType(p, this.l4))) return false;
    quote.isTunnelled = false;
    quote.#readIpv4(p, this.l4 + ICMP.SIZE, this.end);
    return quote.type === FrameType.IPV4;
  }

  /** Fill digest0 and digest1 from the bytes behind the ports, transport checksum left out: captures of offloading
   *  hosts have it unfinished on one side. */
  digest(p: DataView): void {
    this.digest0 = 0x9e3779b1;
    this.digest1 = this.end - this.at;
    if (this.type !== FrameType.IPV4) {
      // Who asks by ARP is in the ARP; of other frames the sender's MAC is all that tells them apart.
      this.#mix(p, this.at + (this.type === FrameType.ARP ? ETHERNET.TYPE : ETHERNET.SRC), this.end);
      return;
    }
    this.digest1 = this.end - this.l4;
    if (!this.hasPorts && (this.protocol !== PROTOCOL.ICMP || this.isLaterFragment)) {
      this.#mix(p, this.l4, this.end);
    } else if (this.protocol === PROTOCOL.TCP) {
      this.#mix(p, this.l4 + TCP.SEQ, this.l4 + TCP.CHECKSUM);
      this.#mix(p, this.l4 + TCP.URGENT, this.end);
    } else if (this.protocol === PROTOCOL.UDP) {
      this.#mix(p, this.l4 + UDP.LENGTH, this.l4 + UDP.CHECKSUM);
      this.#mix(p, this.l4 + UDP.SIZE, this.end);
    } else if (this.protocol === PROTOCOL.ICMP) {
      this.#mix(p, this.l4, this.l4 + ICMP.CHECKSUM);
      this.#mix(p, this.l4 + ICMP.ID, this.end);
    } else {
      this.#mix(p, this.l4 + 4, this.end);
    }
  }

  #readFrame(p: DataView, at: number, end: number): void {
    this.at = at;
    this.end = end;
    this.#clear();
    if (end - at < ETHERNET.SIZE) return;
    const type = etherType(p, at);
    const l3 = at + ETHERNET.SIZE;
    if (type === ETHERTYPE.IPV4) this.#readIpv4(p, l3, end);
    else if (type === ETHERTYPE.ARP && isArpIpv4(p, l3, end)) {
      this.type = FrameType.ARP;
      this.l3 = l3;
      this.end = l3 + ARP.SIZE;
      this.src = arpSpa(p, l3);
      this.dst = arpTpa(p, l3);
    }
  }

  #readIpv4(p: DataView, l3: number, end: number): void {
    this.#clear();
    if (checkIpv4(p, l3, end) !== 0) return;
    this.type = FrameType.IPV4;
    this.l3 = l3;
    const headerSize = ipv4HeaderSize(p, l3);
    const total = ipv4TotalLength(p, l3);
    // Ethernet padding is no payload. A total length that lies is left to the engine to judge.
    this.end = total >= headerSize && l3 + total < end ? l3 + total : end;
    this.l4 = l3 + headerSize;
    this.src = ipv4Src(p, l3);
    this.dst = ipv4Dst(p, l3);
    this.protocol = ipv4Protocol(p, l3);
    this.id = ipv4Id(p, l3);
    this.ttl = ipv4Ttl(p, l3);
    this.fragment = ipv4Fragment(p, l3);
    this.isLaterFragment = isLaterFragment(p, l3);
    this.hasPorts =
      !this.isLaterFragment &&
      this.end - this.l4 >= 4 &&
      (this.protocol === PROTOCOL.TCP || this.protocol === PROTOCOL.UDP || this.protocol === PROTOCOL.SCTP);
    if (!this.hasPorts) return;
    this.sport = p.getUint16(this.l4);
    this.dport = p.getUint16(this.l4 + 2);
  }

  #clear(): void {
    this.type = FrameType.OTHER;
    this.src = this.dst = 0;
    this.protocol = this.sport = this.dport = 0;
    this.id = this.ttl = this.fragment = 0;
    this.l3 = this.l4 = this.at;
    this.hasPorts = this.isLaterFragment = false;
  }

  /** Four chains, so that their multiplications overlap: a packet of 1,500 bytes takes a fifth of what it takes with one.
   *  Each step is a bijection of its chain, so that one changed word is always seen. */
  #mix(p: DataView, from: number, to: number): void {
    let a = this.digest0;
    let b = this.digest1;
    const end = Math.min(to, this.end);
    let i = from;
    if (i + 16 <= end) {
      let c = a ^ 0x9e3779b1;
      let d = b ^ 0x85ebca77;
      for (; i + 16 <= end; i += 16) {
        a = Math.imul(a ^ p.getInt32(i, true), 0x85ebca6b);
        b = Math.imul(b ^ p.getInt32(i + 4, true), 0xc2b2ae35);
        c = Math.imul(c ^ p.getInt32(i + 8, true), 0x85ebca6b);
        d = Math.imul(d ^ p.getInt32(i + 12, true), 0xc2b2ae35);
        a ^= a >>> 15;
        b ^= b >>> 15;
        c ^= c >>> 15;
        d ^= d >>> 15;
      }
      a = Math.imul(a ^ ((c << 16) | (c >>> 16)), 0x27d4eb2f);
      b = Math.imul(b ^ ((d << 16) | (d >>> 16)), 0x165667b1);
      a ^= a >>> 13;
      b ^= b >>> 13;
    }
    for (; i + 4 <= end; i += 4) {
      const word = p.getInt32(i, true);
      a = Math.imul(a ^ word, 0x85ebca6b);
      a ^= a >>> 15;
      b = (Math.imul(b, 31) + word) | 0;
    }
    for (; i < end; i++) {
      const octet = p.getUint8(i) | 0x100;
      a = Math.imul(a ^ octet, 0xc2b2ae35);
      a ^= a >>> 15;
      b = (Math.imul(b, 31) + octet) | 0;
    }
    this.digest0 = a;
    this.digest1 = b;
  }
}
