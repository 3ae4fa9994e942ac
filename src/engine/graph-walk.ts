/** Leads the packet in hand from stage to stage until it has its verdict. */
import { forkEdge } from '../stages/forks.js';
import { DONE, type Walk } from '../stages/walk.js';
import { Reason } from '../verdict/reasons.js';
import { EDGES_MAX, GRAPH, NEXT_STAGE, STEPS_MAX } from './graph.js';

/** Walk from `stage` on. stage-clock has the same loop with a clock in it, so that this one has no question more. */
export function walkGraph(w: Walk, stage: number): void {
  let current = stage;
  for (let step = 0; step < STEPS_MAX; step++) {
    if (w.hops !== null) w.hops.stage(w, current);
    const edge = GRAPH[current]!.run(w);
    if (edge < 0) {
      if (edge !== DONE) leadForks(w, current, edge);
      return;
    }
    current = NEXT_STAGE[current * EDGES_MAX + edge]!;
  }
  w.drop(Reason.WalkTooLong);
}

/** The stage has cut its packet: the pieces go on behind the edge that it answered. */
export function leadForks(w: Walk, stage: number, answer: number): void {
  w.forks.lead(NEXT_STAGE[stage * EDGES_MAX + forkEdge(answer)]!);
}
