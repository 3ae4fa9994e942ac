/** A loaded cluster: what the manifests say, ready to be compiled. The library's front door. */
import { compile } from './compile/compile.js';
import { type LoadOptions, loadManifests, type ManifestSource, type UnusedKind } from './manifests/load.js';
import type { Cluster } from './model/cluster.js';
import type { Epoch } from './tables/epoch.js';

/** A path (file, folder or `-` for stdin), a source with its text, or a Kubernetes object as the API gives it. */
export type ClusterInput = string | ManifestSource | object;

export class LoadedCluster {
  constructor(
    readonly model: Cluster,
    /** Kinds that play no part on a packet's path. */
    readonly unused: readonly UnusedKind[],
    /** What was assumed and what was left out, one sentence each. */
    readonly notes: readonly string[],
  ) {}

  /** Compile into table set number `epoch` (u32). The same cluster gives the same bytes. */
  compile(epoch = 1): Epoch {
    return compile(this.model, epoch);
  }
}

/** Load a cluster from paths, sources or objects; several are read as one, in any order.
 *  @throws InputError with every problem of every input; TypeError when an input is none of these. */
export async function loadCluster(
  inputs: ClusterInput | readonly ClusterInput[],
  options: LoadOptions = {},
): Promise<LoadedCluster> {
  const list: readonly ClusterInput[] = Array.isArray(inputs) ? inputs : [inputs];
  const { cluster, unused, notes } = await loadManifests(list.map(toSource), options);
  return new LoadedCluster(cluster, unused, notes);
}

function toSource(input: ClusterInput, index: number): ManifestSource {
  if (typeof input === 'string') return { path: input };
  if (typeof input !== 'object' || input === null)
    throw new TypeError(
      `input ${index} is ${String(input)}: a path, a source or a Kubernetes object is wanted`,
    );
  if (isSource(input)) return input;
  return { objects: [input], name: `object ${index}` };
}

/** A Kubernetes object has a kind; a source has none. */
const isSource = (input: object): input is ManifestSource =>
  !('kind' in input) && ('path' in input || 'text' in input || 'objects' in input);
