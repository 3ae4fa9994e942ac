/** Both ends of generated TCP connections: sequence numbers, windows, IP identifications; a column each. */
import { synOptions } from '../packet/build.js';
import { TCP_FLAG } from '../wire/tcp.js';
import type { Flows } from './generate-flows.js';
import type { Payload, TrafficFrames } from './generate-frames.js';
import type { SeededRandom } from './generate-random.js';

/** MTU of the pod network less both headers: what a pod offers. */
export const MSS = 1_410;
/** 46 segments, the largest multiple of the MSS without a scale, as Linux offers at first. */
const SYN_WINDOW = 46 * MSS;
/** 64,256 bytes at the scale 7 of synOptions, as Linux then offers. */
const WINDOW = 502;
const NO_PAYLOAD = new Uint8Array(0);

/** Writes the segments of flow `i`. A client acknowledges what `acknowledge` was told of, a server all that the
 *  client sent: the profiles take turns. */
export class TcpEnds {
  readonly #flows: Flows;
  readonly #frames: TrafficFrames;
  readonly #random: SeededRandom;
  readonly #syn: Payload;
  readonly #plain: Payload;
  readonly #clientSeq: Uint32Array;
  readonly #serverSeq: Uint32Array;
  readonly #clientAck: Uint32Array;
  readonly #clientId: Uint16Array;
  readonly #serverId: Uint16Array;

  constructor(flows: Flows, frames: TrafficFrames, random: SeededRandom) {
    this.#flows = flows;
    this.#frames = frames;
    this.#random = random;
    this.#syn = frames.tcpPayload(NO_PAYLOAD, synOptions(MSS));
    this.#plain = frames.tcpPayload(NO_PAYLOAD);
    this.#clientSeq = new Uint32Array(flows.count);
    this.#serverSeq = new Uint32Array(flows.count);
    this.#clientAck = new Uint32Array(flows.count);
    this.#clientId = new Uint16Array(flows.count);
    this.#serverId = new Uint16Array(flows.count);
  }

  /** The client opens, with sequence numbers of a new connection. */
  syn(i: number): void {
    const random = this.#random;
    const seq = random.u32();
    this.#clientSeq[i] = seq + 1;
    this.#serverSeq[i] = random.u32();
    this.#clientId[i] = random.u32();
    this.#serverId[i] = random.u32();
    this.#frames.fromClient(this.#flows, i);
    this.#frames.tcp(this.#syn, 0, TCP_FLAG.SYN, seq, 0, SYN_WINDOW, this.#clientId[i]!++);
  }

  /** The server answers; Linux sends identification 0 here, for no socket has counted yet. */
  synAck(i: number): void {
    const seq = this.#serverSeq[i]!;
    this.#serverSeq[i] = seq + 1;
    this.#clientAck[i] = seq + 1;
    this.#frames.fromServer(this.#flows, i);
    this.#frames.tcp(this.#syn, 0, TCP_FLAG.SYN | TCP_FLAG.ACK, seq, this.#clientSeq[i]!, SYN_WINDOW, 0);
  }

  /** The client has got `bytes` more. */
  acknowledge(i: number, bytes: number): void {
    this.#clientAck[i]! += bytes;
  }

  clientAck(i: number): void {
    this.client(i, this.#plain, 0, TCP_FLAG.ACK);
  }

  clientFin(i: number): void {
    this.client(i, this.#plain, 0, TCP_FLAG.FIN | TCP_FLAG.ACK);
    this.#clientSeq[i]!++;
  }

  serverFin(i: number): void {
    this.server(i, this.#plain, 0, TCP_FLAG.FIN | TCP_FLAG.ACK);
    this.#serverSeq[i]!++;
    this.#clientAck[i]!++;
  }

  /** The client sends the first `length` bytes of `payload`. */
  client(i: number, payload: Payload, length: number, flags: number): void {
    const seq = this.#clientSeq[i]!;
    this.#clientSeq[i] = seq + length;
    this.#frames.fromClient(this.#flows, i);
    this.#frames.tcp(payload, length, flags, seq, this.#clientAck[i]!, WINDOW, this.#clientId[i]!++);
  }

  /** The server sends the first `length` bytes of `payload`. */
  server(i: number, payload: Payload, length: number, flags: number): void {
    const seq = this.#serverSeq[i]!;
    this.#serverSeq[i] = seq + length;
    this.#frames.fromServer(this.#flows, i);
    this.#frames.tcp(payload, length, flags, seq, this.#clientSeq[i]!, WINDOW, this.#serverId[i]!++);
  }
}
