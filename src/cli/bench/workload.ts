/** What is measured: a batch of packets, again and again. */
import { SeededRandom } from '../../io/generate-random.js';

/** Packets of a batch: enough that the timer's own cost does not show. */
export const BATCH = 1_024;

export interface Workload {
  /** Packets that one run() works on. */
  readonly packets: number;
  /** One batch. The answer depends on the work, so that no compiler may leave it out. */
  run(): number;
}

/** Two of a kind, in turn: with one table set alone, a compiler may bind its code to that one. */
export function alternating(one: Workload, other: Workload): Workload {
  let [now, later] = [one, other];
  return {
    packets: one.packets,
    run(): number {
      [now, later] = [later, now];
      return now.run();
    },
  };
}

/** The numbers below `count` in seeded disorder. */
export function shuffled(count: number): Uint32Array {
  const random = new SeededRandom(1);
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const other = random.below(i + 1);
    const kept = order[i]!;
    order[i] = order[other]!;
    order[other] = kept;
  }
  return order;
}
