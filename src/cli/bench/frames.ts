/** The packets of the measured connections: 64-byte TCP, written once and copied into the batch each time. */
import { type Arena, createArena, HEADROOM } from '../../packet/batch.js';
import { buildTcp } from '../../packet/build.js';
import type { Tables } from '../../tables/epoch.js';
import { TCP_FLAG } from '../../wire/tcp.js';
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

export type Segment = 'syn' | 'synack' | 'ack' | 'data' | 'answer';

const SEGMENTS: Readonly<Record<Segment, { flags: number; seq: number; ack: number; isReply: boolean }>> = {
  syn: { flags: TCP_FLAG.SYN, seq: SEQ.CLIENT, ack: 0, isReply: false },
  synack: { flags: TCP_FLAG.SYN | TCP_FLAG.ACK, seq: SEQ.SERVER, ack: SEQ.CLIENT + 1, isReply: true },
  ack: { flags: TCP_FLAG.ACK, seq: SEQ.CLIENT + 1, ack: SEQ.SERVER + 1, isReply: false },
  data: { flags: TCP_FLAG.PSH | TCP_FLAG.ACK, seq: SEQ.CLIENT + 1, ack: SEQ.SERVER + 1, isReply: false },
  answer: { flags: TCP_FLAG.PSH | TCP_FLAG.ACK, seq: SEQ.SERVER + 1, ack: SEQ.CLIENT + 1, isReply: true },
};

/** Who answers a connection. */
export interface Server {
  readonly pod: number;
  readonly port: number;
}

/** Writes a segment of a connection into a store, one frame of at most FRAME bytes at a time. */
export class FrameStore {
  readonly #scratch: Arena = createArena(1_024);

  constructor(readonly tables: Tables) {}

  /** Write the segment into to[at, …) and return its length. `server` is needed for replies only. */
  write(to: Uint8Array, at: number, segment: Segment, route: Route, sport: number, server: Server): number {
    const { flags, seq, ack, isReply } = SEGMENTS[segment];
    const { address, macHi, macLo } = this.tables.pods;
    const { client } = route;
    const common = { flags, seq, ack, payload: segment === 'data' || segment === 'answer' ? DATA : NO_DATA };
    this.#scratch.used = 0;
    const frame = buildTcp(
      this.#scratch,
      isReply
        ? {
            ...common,
            src: address[server.pod]!,
            dst: address[client]!,
            sport: server.port,
            dport: sport,
            srcMacHi: macHi[server.pod]!,
            srcMacLo: macLo[server.pod]!,
            dstMacHi: macHi[client]!,
            dstMacLo: macLo[client]!,
          }
        : {
            ...common,
            src: address[client]!,
            dst: route.dst,
            sport,
            dport: route.dport,
            srcMacHi: macHi[client]!,
            srcMacLo: macLo[client]!,
            dstMacHi: route.macHi,
            dstMacLo: route.macLo,
          },
    );
    to.set(this.#scratch.bytes.subarray(frame.offset, frame.offset + frame.length), at);
    return frame.length;
  }
}

const NO_DATA = new Uint8Array(0);
