/** Shares out the lanes over the workers, so that all have about as much to do. */

/** The lane numbers of each worker, ascending. `weights`: what each lane is expected to cost, by its number, in any unit;
 *  no fewer lanes than workers. Heaviest lane first, each to the worker that has least: at most a third more than the best
 *  sharing there is (R. L. Graham, Bounds on multiprocessing timing anomalies, 1969). Every worker gets a lane. */
export function shareLanes(weights: ArrayLike<number>, workers: number): number[][] {
  const shares = Array.from({ length: workers }, () => ({ load: 0, lanes: [] as number[] }));
  const heaviestFirst = Array.from({ length: weights.length }, (_, lane) => lane).sort(
    (a, b) => weights[b]! - weights[a]! || a - b,
  );
  for (const lane of heaviestFirst) {
    let least = shares[0]!;
    for (const share of shares)
      if (share.load < least.load || (share.load === least.load && share.lanes.length < least.lanes.length))
        least = share;
    least.lanes.push(lane);
    least.load += weights[lane]!;
  }
  return shares.map(({ lanes }) => lanes.sort((a, b) => a - b));
}
