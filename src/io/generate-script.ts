/** What a traffic profile is to the generator: a script that writes one frame after another. */
import type { SeededRandom } from './generate-random.js';

/** Returned by step() when the exchange is over and the flow waits to be drawn again. */
export const IDLE = -1;

export interface TrafficScript {
  /** Packets of one exchange, about; with it a rate of packets becomes a rate of exchanges. */
  readonly packetsPerExchange: number;
  /** Write the next frame of flow `i`. Returns how many ns later its next one is due, or IDLE. */
  step(i: number): number;
  /** Connections begun so far. */
  readonly connections: number;
}

/** From one pod to another and into its socket, with some jitter: a round trip takes about 200 µs. */
export const oneWayNs = (random: SeededRandom): number => random.between(80_000, 120_000);

/** A server that looks something up. */
export const thinkNs = (random: SeededRandom): number => random.between(30_000, 400_000);
