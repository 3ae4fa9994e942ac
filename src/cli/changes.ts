/** Puts recorded watch events in front of a replay, as changes of its cluster. */
import type { LoadedCluster } from '../cluster.js';
import type { TimedEvent } from '../manifests/watch-file.js';
import type { ClusterChanges } from '../replay/changes.js';

/** The events as changes of clusters that start as `cluster` is. */
export function changesOf(cluster: LoadedCluster, list: readonly TimedEvent[]): ClusterChanges {
  return {
    list,
    begin: () => {
      const own = cluster.fork();
      return (numbers) => own.apply(numbers.map((number) => list[number]!.event));
    },
  };
}
