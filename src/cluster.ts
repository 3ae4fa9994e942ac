/** A loaded cluster: what the manifests say, ready to be compiled and to follow the API server's watch. The library's front door. */
import { compile } from './compile/compile.js';
import { LiveTables } from './compile/delta.js';
import type { LiveManifests, WatchEvent } from './manifests/live-manifests.js';
import { type LoadOptions, loadManifests, type ManifestSource, type UnusedKind } from './manifests/load.js';
import type { Cluster } from './model/cluster.js';
import type { Epoch } from './tables/epoch.js';

export type { WatchEvent } from './manifests/live-manifests.js';

/** A path (file, folder or `-` for stdin), a source with its text, or a Kubernetes object as the API gives it. */
export type ClusterInput = string | ManifestSource | object;

const EVENT_TYPES: readonly string[] = ['ADDED', 'MODIFIED', 'DELETED'];

export class LoadedCluster {
  readonly #manifests: LiveManifests;
  #number = 1;
  /** The last compile, and of which model it was. */
  #compiled: { readonly model: Cluster; readonly epoch: Epoch } | null = null;
  /** Tables that take small changes in place; made when the first one comes. */
  #live: LiveTables | null = null;

  /** loadCluster() makes it. */
  constructor(manifests: LiveManifests) {
    this.#manifests = manifests;
  }

  get model(): Cluster {
    return this.#manifests.cluster;
  }

  /** Kinds that play no part on a packet's path. */
  get unused(): readonly UnusedKind[] {
    return this.#manifests.unused;
  }

  /** What was assumed and what was left out, one sentence each. */
  get notes(): readonly string[] {
    return this.#manifests.notes;
  }

  /** Compile into table set number `epoch` (u32): 1, or that of the last change, unless said otherwise. The same cluster
   *  gives the same bytes. */
  compile(epoch = this.#number): Epoch {
    const { model } = this;
    this.#number = Math.max(this.#number, epoch);
    const compiled = compile(model, epoch);
    if (this.#live === null) this.#compiled = { model, epoch: compiled };
    return compiled;
  }

  /** The same cluster again, to be changed for itself. */
  fork(): LoadedCluster {
    const fork = new LoadedCluster(this.#manifests.fork());
    fork.#number = this.#number;
    const known = this.#compiled;
    if (known !== null && known.model === this.model)
      fork.#compiled = { model: fork.model, epoch: known.epoch };
    return fork;
  }

  /** Take a change, or several as one, and answer the table set after it, whose number is one more: give it to Engine.install().
   *  Changes of pods, policies, Services and endpoints (Pod, NetworkPolicy, Service, EndpointSlice, Endpoints) rewrite only the rows
   *  that they touch, in a copy that the first of them makes; others compile anew.
   *
   *  Count on the answer until the second apply() after it; longer while an engine runs on it, or between hold() and
   *  release(). What compile() answers never changes.
   *  @throws InputError when the object is wrong or does not fit to the others, TypeError when it is no event; the
   *  cluster is then as it was. */
  apply(event: WatchEvent | readonly WatchEvent[]): Epoch {
    const events: readonly WatchEvent[] = isList(event) ? event : [event];
    for (const one of events) checkEvent(one);
    const before = this.#live === null ? this.model : null;
    const change = this.#manifests.apply(events);
    const number = ++this.#number;
    const next = change === null ? null : (this.#liveOf(before)?.change(change, number) ?? null);
    if (next !== null) return next;
    this.#live = null;
    return this.compile(number);
  }

  /** Tables to be changed in place: of `model`, if that was compiled last, or of the change before; null when of neither. */
  #liveOf(model: Cluster | null): LiveTables | null {
    const compiled = this.#compiled;
    if (this.#live === null && compiled !== null && compiled.model === model)
      this.#live = new LiveTables(compiled.model, compiled.epoch);
    this.#compiled = null;
    return this.#live;
  }
}

const isList = (event: WatchEvent | readonly WatchEvent[]): event is readonly WatchEvent[] =>
  Array.isArray(event);

function checkEvent(event: WatchEvent): void {
  if (typeof event !== 'object' || event === null || !EVENT_TYPES.includes(event.type))
    throw new TypeError(`an event has a type: ${EVENT_TYPES.join(', ')}`);
  if (typeof event.object !== 'object' || event.object === null)
    throw new TypeError(`the object of an event is ${String(event.object)}: a Kubernetes object is wanted`);
}

/** Load a cluster from paths, sources or objects; several are read as one, in any order.
 *  @throws InputError with every problem of every input; TypeError when an input is none of these. */
export async function loadCluster(
  inputs: ClusterInput | readonly ClusterInput[],
  options: LoadOptions = {},
): Promise<LoadedCluster> {
  const list: readonly ClusterInput[] = Array.isArray(inputs) ? inputs : [inputs];
  return new LoadedCluster(await loadManifests(list.map(toSource), options));
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
