/** Writes the frames of generated traffic: headers over payloads that are prepared once, with their sums. */
import { checksum, pseudoSum } from '../wire/checksum.js';
import { DNS } from '../wire/dns.js';
import { ETHERNET, ETHERTYPE, writeEthernet } from '../wire/ethernet.js';
import { IPV4, IPV4_DF, PROTOCOL, writeIpv4 } from '../wire/ipv4.js';
import { TCP, writeTcp } from '../wire/tcp.js';
import { UDP, writeUdp } from '../wire/udp.js';
import type { Flows } from './generate-flows.js';
import type { TrafficPod } from './generate-topology.js';

/** A pod's MAC is these two octets and its address. */
const POD_MAC_HI = 0x0a58;
const TTL = 64;
const L4 = ETHERNET.SIZE + IPV4.MIN_SIZE;
const DIGITS = 10;

/** A payload and the room for headers in front of it. */
export interface Payload {
  /** Where a frame of it begins: two bytes past a word, so that its IPv4 header is aligned. */
  readonly at: number;
  readonly length: number;
  /** Size of the TCP or UDP header in front of it. */
  readonly headerSize: number;
  /** sums[n]: of the first n 16-bit words. */
  readonly sums: Uint32Array;
  /** What a patched field adds to the sums. */
  patched: number;
}

/** One arena of payloads; a frame is written in place and stands until the next one of the same payload. */
export class TrafficFrames {
  /** Changes while payloads are prepared. */
  bytes = new Uint8Array(65_536);
  #view = new DataView(this.bytes.buffer);
  #used = 2;
  /** The frame written last, and the pod whose eth0 sends it. */
  at = 0;
  length = 0;
  pod = 0;
  #src = 0;
  #dst = 0;
  #sport = 0;
  #dport = 0;
  #dstMacHi = 0;
  #dstMacLo = 0;

  /** Prepare a payload of TCP. `options` counts as part of the header. */
  tcpPayload(payload: Uint8Array, options: Uint8Array = NO_OPTIONS): Payload {
    const made = this.#payload(payload, TCP.MIN_SIZE + options.length);
    this.bytes.set(options, made.at + L4 + TCP.MIN_SIZE);
    return made;
  }

  udpPayload(payload: Uint8Array): Payload {
    return this.#payload(payload, UDP.SIZE);
  }

  /** Write `value` as ten decimal digits at the even offset `at` of the payload, in place of ten zeros. */
  patchDecimal(payload: Payload, at: number, value: number): void {
    const first = payload.at + L4 + payload.headerSize + at;
    let rest = value;
    payload.patched = 0;
    for (let i = DIGITS - 1; i >= 0; i--) {
      const digit = rest % 10;
      rest = (rest - digit) / 10;
      this.bytes[first + i] = 0x30 + digit;
      payload.patched += (i & 1) === 0 ? digit << 8 : digit;
    }
  }

  /** Write the identifier of a DNS message that was prepared with identifier 0. */
  patchDnsId(payload: Payload, id: number): void {
    this.#view.setUint16(payload.at + L4 + payload.headerSize + DNS.ID, id);
    payload.patched = id;
  }

  /** The next frame goes from the client to where it thinks the server is. A ClusterIP is beyond the gateway; the
   *  pod network is one link. */
  fromClient(flows: Flows, i: number): void {
    const client = this.#from(flows.topology.pods, flows.clientPod[i]!, flows.sport[i]!);
    this.#to(flows.dst[i]!, flows.dport[i]!);
    if (flows.isService[i] === 1) this.#byGateway(client);
  }

  /** The next frame goes from the server's pod back to the client. */
  fromServer(flows: Flows, i: number): void {
    const { pods } = flows.topology;
    this.#from(pods, flows.serverPod[i]!, flows.serverPort[i]!);
    this.#to(pods[flows.clientPod[i]!]!.address, flows.sport[i]!);
  }

  /** The next frame goes from port `sport` of pod `from` to `address`:`port`, by the gateway if `isService`. */
  between(
    pods: readonly TrafficPod[],
    from: number,
    sport: number,
    address: number,
    port: number,
    isService: boolean,
  ): void {
    const pod = this.#from(pods, from, sport);
    this.#to(address, port);
    if (isService) this.#byGateway(pod);
  }

  /** A segment with the first `length` bytes of `payload`. */
  tcp(
    payload: Payload,
    length: number,
    flags: number,
    seq: number,
    ack: number,
    window: number,
    id: number,
  ): void {
    const view = this.#view;
    const { at, headerSize } = payload;
    const size = headerSize + length;
    this.#ipv4(at, size, PROTOCOL.TCP, id);
    const tcp = at + L4;
    writeTcp(view, tcp, this.#sport, this.#dport, seq, ack, flags, window);
    view.setUint8(tcp + TCP.OFFSET, headerSize << 2);
    const start = pseudoSum(this.#src, this.#dst, PROTOCOL.TCP, size) + this.#sum(payload, length);
    view.setUint16(tcp + TCP.CHECKSUM, checksum(view, tcp, tcp + headerSize, start));
  }

  /** A datagram with the first `length` bytes of `payload`. */
  udp(payload: Payload, length: number, id: number): void {
    const view = this.#view;
    const { at } = payload;
    const size = UDP.SIZE + length;
    this.#ipv4(at, size, PROTOCOL.UDP, id);
    const udp = at + L4;
    writeUdp(view, udp, this.#sport, this.#dport, size);
    const start = pseudoSum(this.#src, this.#dst, PROTOCOL.UDP, size) + this.#sum(payload, length);
    const sum = checksum(view, udp, udp + UDP.SIZE, start);
    view.setUint16(udp + UDP.CHECKSUM, sum === 0 ? 0xffff : sum);
  }

  #from(pods: readonly TrafficPod[], pod: number, sport: number): TrafficPod {
    const from = pods[pod]!;
    this.pod = pod;
    this.#src = from.address;
    this.#sport = sport;
    return from;
  }

  #to(address: number, port: number): void {
    this.#dst = address;
    this.#dport = port;
    this.#dstMacHi = POD_MAC_HI;
    this.#dstMacLo = address;
  }

  #byGateway(pod: TrafficPod): void {
    this.#dstMacHi = pod.gatewayMacHi;
    this.#dstMacLo = pod.gatewayMacLo;
  }

  #ipv4(at: number, size: number, protocol: number, id: number): void {
    const view = this.#view;
    const total = IPV4.MIN_SIZE + size;
    writeEthernet(view, at, this.#dstMacHi, this.#dstMacLo, POD_MAC_HI, this.#src, ETHERTYPE.IPV4);
    writeIpv4(view, at + ETHERNET.SIZE, 0, total, id, IPV4_DF, TTL, protocol, this.#src, this.#dst);
    this.at = at;
    this.length = ETHERNET.SIZE + total;
  }

  #sum({ at, headerSize, sums, patched }: Payload, length: number): number {
    const words = length >>> 1;
    const sum = sums[words]! + patched;
    return (length & 1) === 0 ? sum : sum + (this.bytes[at + L4 + headerSize + length - 1]! << 8);
  }

  #payload(payload: Uint8Array, headerSize: number): Payload {
    const at = this.#used;
    const data = at + L4 + headerSize;
    const { length } = payload;
    if (data + length > this.bytes.length) this.#grow(data + length);
    this.bytes.set(payload, data);
    this.#used = ((data + length + 3) & ~3) + 2;
    const sums = new Uint32Array((length >>> 1) + 1);
    for (let i = 1; i < sums.length; i++) sums[i] = sums[i - 1]! + this.#view.getUint16(data + 2 * i - 2);
    return { at, length, headerSize, sums, patched: 0 };
  }

  #grow(size: number): void {
    const bytes = new Uint8Array(size * 2);
    bytes.set(this.bytes);
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }
}

const NO_OPTIONS = new Uint8Array(0);
