/** Profiles `imix` and `small`: established connections whose packets have the sizes of a mix. */
import { PROTOCOL } from '../wire/ipv4.js';
import { TCP, TCP_FLAG } from '../wire/tcp.js';
import { UDP } from '../wire/udp.js';
import type { Flows } from './generate-flows.js';
import type { Payload, TrafficFrames } from './generate-frames.js';
import { bodyBytes } from './generate-payloads.js';
import type { SeededRandom } from './generate-random.js';
import { IDLE, oneWayNs, type TrafficScript } from './generate-script.js';
import { TcpEnds } from './generate-tcp.js';

/** Frame lengths without FCS, one a packet in turn at random: 7 to 4 to 1. */
export const IMIX: readonly number[] = [64, 64, 64, 64, 64, 64, 64, 570, 570, 570, 570, 1_450];
export const SMALL: readonly number[] = [64];

const HEADERS = 34;
const Phase = { New: 0, SynAck: 1, Ack: 2, Up: 3, Down: 4 } as const;

/** A flow opens when it is drawn first; each exchange is one packet of data to the server and one back. */
export class StreamScript implements TrafficScript {
  readonly packetsPerExchange = 2;
  connections = 0;
  readonly #flows: Flows;
  readonly #frames: TrafficFrames;
  readonly #random: SeededRandom;
  readonly #tcp: TcpEnds;
  readonly #tcpBody: Payload;
  readonly #udpBody: Payload;
  readonly #phase: Uint8Array;

  constructor(
    flows: Flows,
    frames: TrafficFrames,
    random: SeededRandom,
    readonly mix: readonly number[],
  ) {
    this.#flows = flows;
    this.#frames = frames;
    this.#random = random;
    this.#tcp = new TcpEnds(flows, frames, random);
    const longest = mix.reduce((a, b) => Math.max(a, b), 0) - HEADERS;
    this.#tcpBody = frames.tcpPayload(bodyBytes(longest - TCP.MIN_SIZE));
    this.#udpBody = frames.udpPayload(bodyBytes(longest - UDP.SIZE));
    this.#phase = new Uint8Array(flows.count);
  }

  step(i: number): number {
    return this.#flows.protocol[i] === PROTOCOL.UDP ? this.#udp(i) : this.#tcpStep(i);
  }

  #udp(i: number): number {
    const frames = this.#frames;
    const length = this.#drawLength() - UDP.SIZE;
    const isAnswer = this.#phase[i] === Phase.Down;
    if (this.#phase[i] === Phase.New) this.connections++;
    this.#phase[i] = isAnswer ? Phase.Up : Phase.Down;
    if (isAnswer) frames.fromServer(this.#flows, i);
    else frames.fromClient(this.#flows, i);
    frames.udp(this.#udpBody, length, this.#random.below(0x10000));
    return isAnswer ? IDLE : oneWayNs(this.#random);
  }

  #tcpStep(i: number): number {
    const tcp = this.#tcp;
    const phase = this.#phase[i]!;
    this.#phase[i] = phase === Phase.Down ? Phase.Up : phase + 1;
    switch (phase) {
      case Phase.New:
        this.connections++;
        tcp.syn(i);
        return oneWayNs(this.#random);
      case Phase.SynAck:
        tcp.synAck(i);
        return oneWayNs(this.#random);
      case Phase.Ack:
        tcp.clientAck(i);
        return this.#random.between(5_000, 20_000);
      case Phase.Up:
        tcp.client(i, this.#tcpBody, this.#drawLength() - TCP.MIN_SIZE, TCP_FLAG.PSH | TCP_FLAG.ACK);
        return oneWayNs(this.#random);
      default: {
        const length = this.#drawLength() - TCP.MIN_SIZE;
        tcp.server(i, this.#tcpBody, length, TCP_FLAG.PSH | TCP_FLAG.ACK);
        tcp.acknowledge(i, length);
        return IDLE;
      }
    }
  }

  /** Of the next packet, what follows the IPv4 header. */
  #drawLength(): number {
    return this.mix[this.#random.below(this.mix.length)]! - HEADERS;
  }
}
