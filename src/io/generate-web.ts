/** Profile `web`: HTTP to Services and pods, with the DNS queries that come before, and attempts that fail. */
import { TCP_FLAG } from '../wire/tcp.js';
import { type DnsPair, prepareDns } from './generate-dns.js';
import type { Flows } from './generate-flows.js';
import type { Payload, TrafficFrames } from './generate-frames.js';
import { bodyBytes, HTTP_REQUESTS, HTTP_RESPONSE } from './generate-payloads.js';
import type { SeededRandom } from './generate-random.js';
import { IDLE, oneWayNs, type TrafficScript, thinkNs } from './generate-script.js';
import { MSS, TcpEnds } from './generate-tcp.js';
import { serversFor, type TrafficTarget } from './generate-topology.js';

const Phase = {
  Closed: 0,
  DnsAnswer: 1,
  Syn: 2,
  SynAck: 3,
  Ack: 4,
  Request: 5,
  Response: 6,
  ResponseAck: 7,
  Fin: 8,
  ServerFin: 9,
  LastAck: 10,
} as const;

/** Of connections by name, how many ask first; the others remember the address. */
const LOOKUP_SHARE = 0.5;
/** Requests on one connection, at most; drawn evenly. */
const REQUESTS_MAX = 12;
/** Bodies of 2^5 to 2^15 bytes, small ones as often as large ones. */
const BODY_BITS = { MIN: 5, MAX: 15 } as const;
/** Segments before the first acknowledgement (RFC 6928), and how many at most later. */
const WINDOW = { FIRST: 10, MAX: 32 } as const;
/** A segment of full size leaves a veth in about this time. */
const SEGMENT_NS = 1_500;

/** A flow is a client's place for one connection at a time. Drawn, it opens its connection or sends the next
 *  request on it; after the last answer it closes, and the next connection has another source port. */
export class WebScript implements TrafficScript {
  readonly packetsPerExchange = 14;
  connections = 0;
  readonly #flows: Flows;
  readonly #frames: TrafficFrames;
  readonly #random: SeededRandom;
  readonly #tcp: TcpEnds;
  readonly #requests: readonly Payload[];
  readonly #head: Payload;
  readonly #body: Payload;
  readonly #dns: TrafficTarget | null;
  /** Question and answer of each target, or null. */
  readonly #pairs: readonly (DnsPair | null)[];
  readonly #phase: Uint8Array;
  readonly #requestsLeft: Uint8Array;
  readonly #queryId: Uint16Array;
  /** Bytes of the response that are not yet sent. */
  readonly #bytesLeft: Uint32Array;
  /** Bytes sent that the client has not acknowledged. */
  readonly #inFlight: Uint32Array;
  readonly #window: Uint8Array;
  readonly #sent: Uint8Array;

  constructor(flows: Flows, frames: TrafficFrames, random: SeededRandom, targets: readonly TrafficTarget[]) {
    this.#flows = flows;
    this.#frames = frames;
    this.#random = random;
    this.#tcp = new TcpEnds(flows, frames, random);
    this.#requests = HTTP_REQUESTS.map((request) => frames.tcpPayload(request));
    const head = new Uint8Array(MSS);
    head.set(HTTP_RESPONSE.HEAD);
    head.set(bodyBytes(MSS - HTTP_RESPONSE.HEAD.length), HTTP_RESPONSE.HEAD.length);
    this.#head = frames.tcpPayload(head);
    this.#body = frames.tcpPayload(bodyBytes(MSS));
    const { dns, zone } = flows.topology;
    this.#dns = dns;
    this.#pairs = targets.map(({ dnsName, address }) =>
      dns === null || dnsName === '' ? null : prepareDns(frames, { name: dnsName, address }, zone),
    );
    this.#phase = new Uint8Array(flows.count);
    this.#requestsLeft = new Uint8Array(flows.count);
    this.#queryId = new Uint16Array(flows.count);
    this.#bytesLeft = new Uint32Array(flows.count);
    this.#inFlight = new Uint32Array(flows.count);
    this.#window = new Uint8Array(flows.count);
    this.#sent = new Uint8Array(flows.count);
  }

  step(i: number): number {
    const phase = this.#phase[i]!;
    const tcp = this.#tcp;
    switch (phase) {
      case Phase.Closed:
        return this.#open(i);
      case Phase.DnsAnswer:
        return this.#dnsAnswer(i);
      case Phase.Syn:
        return this.#syn(i);
      case Phase.SynAck:
        tcp.synAck(i);
        return this.#then(i, Phase.Ack, oneWayNs(this.#random));
      case Phase.Ack:
        tcp.clientAck(i);
        return this.#then(i, Phase.Request, this.#random.between(5_000, 40_000));
      case Phase.Request:
        return this.#request(i);
      case Phase.Response:
        return this.#respond(i);
      case Phase.ResponseAck:
        return this.#acknowledge(i);
      case Phase.Fin:
        tcp.clientFin(i);
        return this.#then(i, Phase.ServerFin, oneWayNs(this.#random));
      case Phase.ServerFin:
        tcp.serverFin(i);
        return this.#then(i, Phase.LastAck, oneWayNs(this.#random));
      default:
        tcp.clientAck(i);
        return this.#then(i, Phase.Closed, IDLE);
    }
  }

  #then(i: number, phase: number, delayNs: number): number {
    this.#phase[i] = phase;
    return delayNs;
  }

  #open(i: number): number {
    const pair = this.#pairs[this.#flows.target[i]!]!;
    this.#flows.renewPort(i);
    if (pair === null || this.#dnsServer(i) === null || this.#random.unit() >= LOOKUP_SHARE)
      return this.#syn(i);
    const { clientPod, sport, topology } = this.#flows;
    const { address, port } = this.#dns!;
    this.#queryId[i] = this.#random.u32();
    this.#frames.patchDnsId(pair.query, this.#queryId[i]!);
    this.#frames.between(topology.pods, clientPod[i]!, sport[i]!, address, port, true);
    this.#frames.udp(pair.query, pair.query.length, this.#random.below(0x10000));
    return this.#then(i, Phase.DnsAnswer, oneWayNs(this.#random) + thinkNs(this.#random));
  }

  #dnsAnswer(i: number): number {
    const { answer } = this.#pairs[this.#flows.target[i]!]!;
    const { clientPod, sport, topology } = this.#flows;
    const server = this.#dnsServer(i)!;
    this.#frames.patchDnsId(answer, this.#queryId[i]!);
    const client = topology.pods[clientPod[i]!]!;
    this.#frames.between(topology.pods, server.pod, server.port, client.address, sport[i]!, false);
    this.#frames.udp(answer, answer.length, this.#random.below(0x10000));
    return this.#then(i, Phase.Syn, oneWayNs(this.#random));
  }

  /** By the port, so that the same five-tuple always finds the same server while its conntrack entry lives. */
  #dnsServer(i: number): { readonly pod: number; readonly port: number } | null {
    const { clientPod, sport, topology } = this.#flows;
    if (this.#dns === null) return null;
    const servers = serversFor(this.#dns, topology.pods[clientPod[i]!]!.node);
    return servers.length === 0 ? null : servers[sport[i]! % servers.length]!;
  }

  #syn(i: number): number {
    this.#tcp.syn(i);
    // What gets no answer is given up: the trace is over before the second SYN would be due.
    if (this.#flows.isClosed[i] === 1) return this.#then(i, Phase.Closed, IDLE);
    this.connections++;
    this.#requestsLeft[i] = this.#random.between(1, REQUESTS_MAX + 1);
    return this.#then(i, Phase.SynAck, oneWayNs(this.#random));
  }

  #request(i: number): number {
    const random = this.#random;
    const request = this.#requests[random.below(this.#requests.length)]!;
    this.#tcp.client(i, request, request.length, TCP_FLAG.PSH | TCP_FLAG.ACK);
    const bits = BODY_BITS.MIN + random.unit() * (BODY_BITS.MAX - BODY_BITS.MIN);
    this.#bytesLeft[i] = Math.floor(2 ** bits);
    this.#window[i] = WINDOW.FIRST;
    this.#sent[i] = 0;
    return this.#then(i, Phase.Response, oneWayNs(random) + thinkNs(random));
  }

  /** One segment of the response. The first has the head; the last of a burst waits for the client. */
  #respond(i: number): number {
    const isFirst = this.#window[i] === WINDOW.FIRST && this.#sent[i] === 0;
    const left = this.#bytesLeft[i]!;
    const head = isFirst ? HTTP_RESPONSE.HEAD.length : 0;
    if (isFirst) this.#frames.patchDecimal(this.#head, HTTP_RESPONSE.LENGTH_AT, left);
    const body = Math.min(left, MSS - head);
    const rest = left - body;
    this.#bytesLeft[i] = rest;
    this.#inFlight[i]! += head + body;
    this.#sent[i]!++;
    const flags = rest === 0 ? TCP_FLAG.PSH | TCP_FLAG.ACK : TCP_FLAG.ACK;
    this.#tcp.server(i, isFirst ? this.#head : this.#body, head + body, flags);
    if (rest > 0 && this.#sent[i]! < this.#window[i]!) return SEGMENT_NS;
    return this.#then(i, Phase.ResponseAck, oneWayNs(this.#random));
  }

  /** The client acknowledges every second segment (RFC 9293 section 3.8.6.3), and the last. */
  #acknowledge(i: number): number {
    const bytes = Math.min(this.#inFlight[i]!, 2 * MSS);
    this.#inFlight[i]! -= bytes;
    this.#tcp.acknowledge(i, bytes);
    this.#tcp.clientAck(i);
    if (this.#inFlight[i]! > 0) return 2 * SEGMENT_NS;
    if (this.#bytesLeft[i]! > 0) {
      this.#window[i] = Math.min(2 * this.#window[i]!, WINDOW.MAX);
      this.#sent[i] = 0;
      return this.#then(i, Phase.Response, oneWayNs(this.#random));
    }
    this.#requestsLeft[i]!--;
    if (this.#requestsLeft[i] === 0) return this.#then(i, Phase.Fin, this.#random.between(20_000, 80_000));
    return this.#then(i, Phase.Request, IDLE);
  }
}
