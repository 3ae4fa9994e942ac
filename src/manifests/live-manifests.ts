/** The objects of a cluster, kept by kind, namespace and name, so that one of them can be added, replaced or removed. */
import type { ModelChange, SmallChange } from '../model/change.js';
import type { Cluster } from '../model/cluster.js';
import { buildCluster, type LoadOptions } from './build-cluster.js';
import type { ManifestDocument } from './documents.js';
import { type Inventory, takeInventory, type UnusedKind } from './inventory.js';
import { Notes } from './notes.js';
import { type ReadObject, readName, readObjects } from './object-reader.js';
import { ProblemList } from './problems.js';
import { SmallUpdates } from './small-updates.js';

/** A change as the API server's watch tells it. ADDED and MODIFIED both put the object in its place, so that a watch
 *  may begin anew; DELETED of an object that is not there changes nothing. */
export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  /** A Kubernetes object as the API gives it. */
  readonly object: object;
  /** Where the event was read, for errors: its text, which begins at a line of a file and has the object as `object`. */
  readonly origin?: { readonly file: string; readonly line: number; readonly text: string };
}

export class LiveManifests {
  #cluster!: Cluster;
  #unused!: readonly UnusedKind[];
  #notes!: Notes;
  #updates!: SmallUpdates;
  readonly #options: LoadOptions;
  readonly #objects = new Map<string, ReadObject>();
  /** How many of them are in each namespace. */
  readonly #objectsIn = new Map<string, number>();

  /** @throws InputError when `problems`, told while reading `objects`, has some already, or when they do not fit together. */
  constructor(objects: readonly ReadObject[], options: LoadOptions, problems: ProblemList) {
    this.#options = options;
    this.#build(objects, problems);
    for (const one of objects) {
      let key = keyOf(one);
      // Kinds that play no part are counted, namesakes too.
      while (this.#objects.has(key)) key += "'";
      this.#put(key, withoutText(one));
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
    return this.#notes.list();
  }

  /** The same cluster again, to be changed for itself. */
  fork(): LiveManifests {
    return new LiveManifests([...this.#objects.values()], this.#options, new ProblemList());
  }

  /** Take events, one after the other, as one change: all of them or, when one cannot be taken, none.
   *  @throws InputError when an object is wrong, or does not fit to the others. */
  apply(events: readonly WatchEvent[]): ModelChange {
    const problems = new ProblemList();
    const lists = events.map((event, order) => readEvent(event, order, problems));
    problems.throwIfAny();
    const read = lists.flat();
    const undo: (readonly [key: string, before: ReadObject | undefined])[] = [];
    const changes: SmallChange[] = [];
    // Several objects of one event fit together only once all are there.
    let isSmall = lists.every((list) => list.length === 1);
    try {
      for (const { key, after } of read) {
        const before = this.#objects.get(key);
        const change = isSmall ? this.#updates.take(before, after) : null;
        if (change === null) isSmall = false;
        else changes.push(change);
        undo.push([key, before]);
        this.#put(key, after);
      }
      if (!isSmall) this.#build([...this.#objects.values()], problems);
    } catch (error) {
      for (const [key, before] of undo.reverse()) this.#put(key, before);
      // What was taken in place is in the model already.
      if (changes.length > 0) this.#build([...this.#objects.values()], new ProblemList());
      throw error;
    }
    return isSmall ? joined(changes) : null;
  }

  #build(objects: readonly ReadObject[], problems: ProblemList): void {
    const inventory = takeInventory(objects, problems);
    const notes = new Notes();
    const built = buildCluster(inventory, this.#options, problems, notes);
    problems.throwIfAny();
    this.#cluster = built.cluster;
    this.#unused = this.#options.expand === true ? inventory.unused : withOwners(inventory);
    this.#notes = notes;
    const isExpanded = this.#options.expand === true;
    this.#updates = new SmallUpdates(built, inventory, isExpanded, this.#objectsIn, notes);
  }

  #put(key: string, value: ReadObject | undefined): void {
    const before = this.#objects.get(key);
    if (before !== undefined) this.#count(before, -1);
    if (value === undefined) this.#objects.delete(key);
    else {
      this.#count(value, 1);
      this.#objects.set(key, withoutValue(value));
    }
  }

  #count({ object }: ReadObject, by: number): void {
    this.#objectsIn.set(object.namespace, (this.#objectsIn.get(object.namespace) ?? 0) + by);
  }
}

/** Objects that an event puts in their places; undefined: takes away. */
function readEvent(
  { type, object, origin }: WatchEvent,
  order: number,
  problems: ProblemList,
): { readonly key: string; readonly after: ReadObject | undefined }[] {
  const document: ManifestDocument = {
    file: origin?.file ?? `${type} event`,
    order,
    text: origin?.text ?? null,
    firstLine: origin?.line ?? 0,
    indexInText: 0,
    value: object,
    root: origin === undefined ? [] : ['object'],
  };
  const isDeleted = type === 'DELETED';
  const read = isDeleted ? readName(document, problems) : readObjects([document], problems);
  return read.map((one) => ({ key: keyOf(one), after: isDeleted ? undefined : one }));
}

/** Changes of one pod or Service as one, in the order in which they came. */
function joined(changes: readonly SmallChange[]): SmallChange {
  return {
    pods: joinedByName(changes.flatMap(({ pods }) => pods)),
    services: joinedByName(changes.flatMap(({ services }) => services)),
    policies: changes.findLast((change) => change.policies !== null)?.policies ?? null,
  };
}

type Named = { readonly namespace: string; readonly name: string };
type Change<Item> = { readonly before: Item | null; readonly after: Item | null };

function joinedByName<Item extends Named>(changes: readonly Change<Item>[]): Change<Item>[] {
  const found = new Map<string, Change<Item>>();
  for (const { before, after } of changes) {
    const { namespace, name } = (after ?? before)!;
    const key = `${namespace}/${name}`;
    const known = found.get(key);
    found.set(key, { before: known === undefined ? before : known.before, after });
  }
  return [...found.values()];
}

/** Kind as the API writes it: a Project and a Namespace of one name are two objects. */
const keyOf = ({ kind, object }: ReadObject): string =>
  `${kind === null ? `${object.apiVersion} ` : ''}${object.kind} ${object.namespace}/${object.name}`;

/** Lines are told of what is being read, not of what was read long ago: the text need not be kept for that. */
const withoutText = (one: ReadObject): ReadObject => ({
  ...one,
  object: { ...one.object, document: { ...one.object.document, text: null, value: null } },
});

/** Text that an event came with is kept by whoever holds the event: its lines can be told. */
const withoutValue = (one: ReadObject): ReadObject => ({
  ...one,
  object: { ...one.object, document: { ...one.object.document, value: null } },
});

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
