/** NetworkPolicies that come, change and go, one at a time. */
import type { NetworkPolicy } from '../model/policy.js';
import { byNamespaceAndName, type Entry } from './inventory.js';
import type { KnownNamespaces } from './known-namespaces.js';
import { Notes } from './notes.js';
import { readPolicies } from './policies.js';

export class PolicyUpdates {
  readonly #namespaces: KnownNamespaces;
  readonly #notes: Notes;
  #policies: readonly NetworkPolicy[];

  /** `policies` of the model; `notes` are kept up to date here. */
  constructor(policies: readonly NetworkPolicy[], namespaces: KnownNamespaces, notes: Notes) {
    this.#policies = policies;
    this.#namespaces = namespaces;
    this.#notes = notes;
  }

  /** All policies as they are now, sorted by namespace and name. */
  get policies(): readonly NetworkPolicy[] {
    return this.#policies;
  }

  /** Take the change of a policy's object. False, and nothing taken, when more than this policy may differ. */
  take(before: Entry<'NetworkPolicy'> | null, after: Entry<'NetworkPolicy'> | null): boolean {
    const { namespace, name } = (after ?? before)!;
    if (!this.#namespaces.isSettled(namespace, after === null)) return false;
    const notes = { before: new Notes(), after: new Notes() };
    if (before !== null) readPolicies([before], notes.before);
    const fresh = after === null ? [] : readPolicies([after], notes.after);
    this.#notes.replace(notes.before, notes.after);
    const others = this.#policies.filter((policy) => policy.namespace !== namespace || policy.name !== name);
    this.#policies = [...others, ...fresh].sort(byNamespaceAndName);
    return true;
  }
}
