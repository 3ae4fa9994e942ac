/** Which namespaces are there, and whether one stays when an object in it goes. */
import type { Inventory } from './inventory.js';

export class KnownNamespaces {
  readonly #all: ReadonlySet<string>;
  /** Those that are there whatever is in them. */
  readonly #named: ReadonlySet<string>;
  readonly #objectsIn: ReadonlyMap<string, number>;

  /** `all`: those of the model. `objectsIn`: how many objects are in each, kept up to date by the caller. */
  constructor(all: Iterable<string>, { objects }: Inventory, objectsIn: ReadonlyMap<string, number>) {
    this.#all = new Set(all);
    const netNames = objects.NetNamespace.map((entry) => entry.value.netname || entry.name);
    this.#named = new Set(['default', ...objects.Namespace.map(({ name }) => name), ...netNames]);
    this.#objectsIn = objectsIn;
  }

  has(namespace: string): boolean {
    return this.#all.has(namespace);
  }

  /** Is the namespace there without one of its objects? */
  isKept(namespace: string): boolean {
    return this.#named.has(namespace) || this.#objectsIn.get(namespace)! > 1;
  }

  /** Are the namespaces the same after an object of this one has come, or gone? */
  isSettled(namespace: string, isGone: boolean): boolean {
    return isGone ? this.isKept(namespace) : this.has(namespace);
  }
}
