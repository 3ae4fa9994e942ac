/** The flows of generated traffic: who talks to whom, by which ports. Columns, for there may be a million. */
import { FlowDraw, type FlowWish } from './generate-draw.js';
import { PortGroups } from './generate-ports.js';
import type { SeededRandom } from './generate-random.js';
import type { TrafficTopology } from './generate-topology.js';

const NOBODY = 'no client pod of this cluster may talk to a server that fits the profile';

export class Flows {
  readonly clientPod: Uint32Array;
  /** The pod that answers; the client's own where nobody does. */
  readonly serverPod: Uint32Array;
  readonly serverPort: Uint16Array;
  /** Where the client sends to. */
  readonly dst: Uint32Array;
  readonly dport: Uint16Array;
  readonly sport: Uint16Array;
  readonly protocol: Uint8Array;
  /** 1: to a ClusterIP. */
  readonly isService: Uint8Array;
  /** 1: nobody answers. */
  readonly isClosed: Uint8Array;
  /** Row of the wish's targets. */
  readonly target: Uint32Array;
  readonly #groups: PortGroups;

  /** @throws InputError when no two pods of the cluster may talk, or when it has too few ports for so many flows. */
  constructor(
    readonly topology: TrafficTopology,
    readonly count: number,
    wish: FlowWish,
    random: SeededRandom,
    fail: (found: string) => Error,
  ) {
    this.clientPod = new Uint32Array(count);
    this.serverPod = new Uint32Array(count);
    this.serverPort = new Uint16Array(count);
    this.dst = new Uint32Array(count);
    this.dport = new Uint16Array(count);
    this.sport = new Uint16Array(count);
    this.protocol = new Uint8Array(count);
    this.isService = new Uint8Array(count);
    this.isClosed = new Uint8Array(count);
    this.target = new Uint32Array(count);
    this.#groups = new PortGroups(count, wish.targets, topology.pods.length);
    const draw = new FlowDraw(topology, wish, random, this.#groups);
    for (let i = 0; i < count; i++) {
      if (!draw.next()) throw fail(i === 0 ? NOBODY : `there are source ports for ${i} of ${count} flows`);
      this.#take(i, draw);
    }
    for (let i = 0; i < count; i++) this.sport[i] = this.#groups.port(i);
  }

  /** Give flow `i` the next source port, which no other flow of the client to the same server has. */
  renewPort(i: number): void {
    this.sport[i] = this.#groups.nextPort(i);
  }

  #take(i: number, { client, targetRow, target, server }: FlowDraw): void {
    this.clientPod[i] = client;
    this.serverPod[i] = server?.pod ?? client;
    this.serverPort[i] = server?.port ?? 0;
    this.dst[i] = target.address;
    this.dport[i] = target.port;
    this.protocol[i] = target.protocol;
    this.isService[i] = target.kind === 'service' ? 1 : 0;
    this.isClosed[i] = server === null ? 1 : 0;
    this.target[i] = targetRow;
    this.#groups.add(i, client, targetRow);
  }
}
