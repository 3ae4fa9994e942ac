/** The objects of a cluster, kept by kind, namespace and name, so that one of them can be added, replaced or removed. */
import type { ModelChange } from '../model/change.js';
import type { Cluster } from '../model/cluster.js';
import { buildCluster, type LoadOptions } from './build-cluster.js';
import type { ManifestDocument } from './documents.js';
import { EndpointUpdates } from './endpoint-updates.js';
import { type Inventory, takeInventory, type UnusedKind } from './inventory.js';
import { Notes } from './notes.js';
import { type ReadObject, readName, readObjects } from './object-reader.js';
import { ProblemList } from './problems.js';

/** A change as the API server's watch tells it. ADDED and MODIFIED both put the object in its place, so that a watch
 *  may begin anew; DELETED of an object that is not there changes nothing. */
export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  /** A Kubernetes object as the API gives it. */
  readonly object: object;
}

export class LiveManifests {
  #cluster!: Cluster;
  #unused!: readonly UnusedKind[];
  #notes!: readonly string[];
  #updates!: EndpointUpdates;
  readonly #options: LoadOptions;
  readonly #objects = new Map<string, ReadObject>();

  /** @throws InputError when `problems`, told while reading `objects`, has some already, or when they do not fit together. */
  constructor(objects: readonly ReadObject[], options: LoadOptions, problems: ProblemList) {
    this.#options = options;
    this.#build(objects, problems);
    for (const one of objects) {
      let key = keyOf(one);
      // Kinds that play no part are counted, namesakes too.
      while (this.#objects.has(key)) key += "'";
      this.#objects.set(key, withoutText(one));
    }
  }

  get cluster(): Cluster {
    return this.#updates.modelOf(this.#cluster);
  }

  /** Kinds that play no part on a packet's path, sorted by apiVersion and kind. */
  get unused(): readonly UnusedKind[] {
    return this.#unused;
  }

  /** What was assumed and what was left out, one sentence each. */
  get notes(): readonly string[] {
    return this.#notes;
  }

  /** Take one event. What cannot be taken leaves everything as it was.
   *  @throws InputError when the object is wrong, or does not fit to the others. */
  apply({ type, object }: WatchEvent): ModelChange {
    const document: ManifestDocument = {
      file: `${type} event`,
      order: 0,
      text: null,
      firstLine: 0,
      indexInText: 0,
      value: object,
    };
    const problems = new ProblemList();
    const read = type === 'DELETED' ? readName(document, problems) : readObjects([document], problems);
    problems.throwIfAny();
    const changes = read.map((one) => {
      const key = keyOf(one);
      return { key, before: this.#objects.get(key), after: type === 'DELETED' ? undefined : one };
    });
    const [only] = changes;
    if (changes.length === 1 && only !== undefined) {
      const services = this.#updates.take(only.before, only.after);
      if (services !== null) {
        put(this.#objects, only.key, only.after);
        return services;
      }
    }
    for (const { key, after } of changes) put(this.#objects, key, after);
    try {
      this.#build([...this.#objects.values()], problems);
    } catch (error) {
      for (const { key, before } of changes) put(this.#objects, key, before);
      throw error;
    }
    return null;
  }

  #build(objects: readonly ReadObject[], problems: ProblemList): void {
    const inventory = takeInventory(objects, problems);
    const notes = new Notes();
    const built = buildCluster(inventory, this.#options, problems, notes);
    problems.throwIfAny();
    this.#cluster = built.cluster;
    this.#unused = this.#options.expand === true ? inventory.unused : withOwners(inventory);
    this.#notes = notes.list();
    this.#updates = new EndpointUpdates(built, inventory.objects.Service, this.#options.expand === true);
  }
}

/** Kind as the API writes it: a Project and a Namespace of one name are two objects. */
const keyOf = ({ kind, object }: ReadObject): string =>
  `${kind === null ? `${object.apiVersion} ` : ''}${object.kind} ${object.namespace}/${object.name}`;

/** Lines are told of what is being read, not of what was read long ago: the text need not be kept for that. */
const withoutText = (one: ReadObject): ReadObject => ({
  ...one,
  object: { ...one.object, document: { ...one.object.document, text: null, value: null } },
});

function put(objects: Map<string, ReadObject>, key: string, value: ReadObject | undefined): void {
  if (value === undefined) objects.delete(key);
  else objects.set(key, withoutText(value));
}

/** Owners are not used unless they are expanded. */
function withOwners(inventory: Inventory): UnusedKind[] {
  const counts = new Map<string, UnusedKind>();
  for (const { apiVersion, kind } of inventory.objects.Owner) {
    const key = `${apiVersion} ${kind}`;
    counts.set(key, { apiVersion, kind, count: (counts.get(key)?.count ?? 0) + 1 });
  }
  const rank = ({ apiVersion, kind }: UnusedKind): string => `${apiVersion} ${kind}`;
  return [...inventory.unused, ...counts.values()].sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
}
