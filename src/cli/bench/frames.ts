/** The packets of the measured connections: 64-byte TCP, written once and copied into the batch each time. */
import { type Arena, createArena, HEADROOM } from '../../packet/batch.js';
import { buildTcp } from '../../packet/build.js';
import type { Tables } from '../../tables/epoch.js';
import { adjust16 } from '../../wire/checksum.js';
import { ETHERNET } from '../../wire/ethernet.js';
import { IPV4 } from '../../wire/ipv4.js';
import { TCP, TCP_FLAG } from '../../wire/tcp.js';
import type { Route } from './routes.js';

/** Room of a packet: headroom, 64 bytes, and up to the next slot. */
export const SLOT = 192;
/** Where in its slot a packet begins: two bytes past a word, for the IPv4 header's sake. */
export const SLOT_PACKET = HEADROOM + 2;
export const FRAME = 64;

const FIRST_PORT = 1_024;
const PORTS = 64_512;
const SEQ = { CLIENT: 1_000, SERVER: 2_000 } as const;
const DATA = new Uint8Array(10).fill(0x61);

/** Connection `i` of `routes`: its route and source port. */
export const routeOf = (routes: readonly Route[], i: number): Route => routes[i % routes.length]!;
export const portOf = (routes: readonly Route[], i: number): number =>
  FIRST_PORT + (Math.floor(i / routes.length) % PORTS);

export type Segment = 'syn' | 'synack' | 'data' | 'answer';

const SEGMENTS: Readonly<Record<Segment, { flags: number; seq: number; ack: number; isReply: boolean }>> = {
  syn: { flags: TCP_FLAG.SYN, seq: SEQ.CLIENT, ack: 0, isReply: false },
  synack: { flags: TCP_FLAG.SYN | TCP_FLAG.ACK, seq: SEQ.SERVER, ack: SEQ.CLIENT + 1, isReply: true },
  data: { flags: TCP_FLAG.PSH | TCP_FLAG.ACK, seq: SEQ.CLIENT + 1, ack: SEQ.SERVER + 1, isReply: false },
  answer: { flags: TCP_FLAG.PSH | TCP_FLAG.ACK, seq: SEQ.SERVER + 1, ack: SEQ.CLIENT + 1, isReply: true },
};

/** Who answers a connection. */
export interface Server {
  readonly pod: number;
  readonly port: number;
}

/** A segment with FIRST_PORT as the client's port. */
interface Template {
  readonly bytes: Uint8Array;
  readonly checksum: number;
}

/** Writes a segment of a connection into a store, one frame of at most FRAME bytes at a time. There are few segments that differ
 *  in more than the client's port; each is built once and then copied. */
export class FrameStore {
  readonly #scratch: Arena = createArena(1_024);
  readonly #templates: Readonly<Record<Segment, Map<number, Template>>> = {
    syn: new Map(),
    synack: new Map(),
    data: new Map(),
    answer: new Map(),
  };
  #view: DataView = new DataView(new ArrayBuffer(0));

  constructor(readonly tables: Tables) {}

  /** Write the segment into to[at, …), `to` being all of its buffer, and return its length. `server` is needed for replies only. */
  write(to: Uint8Array, at: number, segment: Segment, route: Route, sport: number, server: Server): number {
    if (this.#view.buffer !== to.buffer) this.#view = new DataView(to.buffer);
    const { bytes, checksum } = this.#template(segment, route, server);
    to.set(bytes, at);
    const tcp = at + ETHERNET.SIZE + IPV4.MIN_SIZE;
    this.#view.setUint16(tcp + (SEGMENTS[segment].isReply ? TCP.DPORT : TCP.SPORT), sport);
    this.#view.setUint16(tcp + TCP.CHECKSUM, adjust16(checksum, FIRST_PORT, sport));
    return bytes.length;
  }

  #template(segment: Segment, route: Route, server: Server): Template {
    const known = this.#templates[segment];
    const { isReply } = SEGMENTS[segment];
    // Pods and ports have 16 bits and more to spare; a request's route is told by client and destination.
    const key = isReply
      ? (route.client * 0x10000 + server.pod) * 0x10000 + server.port
      : route.client * 0x100000000 + route.dst;
    const template = known.get(key) ?? this.#build(segment, route, server);
    known.set(key, template);
    return template;
  }

  #build(segment: Segment, { client, dst, dport, macHi, macLo }: Route, server: Server): Template {
    const { flags, seq, ack, isReply } = SEGMENTS[segment];
    const pods = this.tables.pods;
    const macs = (pod: number) => [pods.macHi[pod]!, pods.macLo[pod]!] as const;
    const [srcMacHi, srcMacLo] = macs(isReply ? server.pod : client);
    const [dstMacHi, dstMacLo] = isReply ? macs(client) : [macHi, macLo];
    const ends = isReply
      ? { src: pods.address[server.pod]!, sport: server.port, dst: pods.address[client]!, dport: FIRST_PORT }
      : { src: pods.address[client]!, sport: FIRST_PORT, dst, dport };
    const payload = segment === 'data' || segment === 'answer' ? DATA : NO_DATA;
    this.#scratch.used = 0;
    const { offset, length } = buildTcp(this.#scratch, {
      ...ends,
      ...{ flags, seq, ack, payload, srcMacHi, srcMacLo, dstMacHi, dstMacLo },
    });
    const tcp = offset + ETHERNET.SIZE + IPV4.MIN_SIZE;
    return {
      bytes: this.#scratch.bytes.slice(offset, offset + length),
      checksum: this.#scratch.view.getUint16(tcp + TCP.CHECKSUM),
    };
  }
}

const NO_DATA = new Uint8Array(0);
