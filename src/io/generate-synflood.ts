/** Profile `synflood`: SYNs to one Service, each from another port, that nobody answers. */
import type { Flows } from './generate-flows.js';
import type { TrafficFrames } from './generate-frames.js';
import type { SeededRandom } from './generate-random.js';
import { IDLE, type TrafficScript } from './generate-script.js';
import { TcpEnds } from './generate-tcp.js';

export class SynFloodScript implements TrafficScript {
  readonly packetsPerExchange = 1;
  connections = 0;
  readonly #flows: Flows;
  readonly #tcp: TcpEnds;

  constructor(flows: Flows, frames: TrafficFrames, random: SeededRandom) {
    this.#flows = flows;
    this.#tcp = new TcpEnds(flows, frames, random);
  }

  step(i: number): number {
    this.connections++;
    this.#flows.renewPort(i);
    this.#tcp.syn(i);
    return IDLE;
  }
}
