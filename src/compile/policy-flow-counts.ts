/** How many flows openshift/sdn would make of each policy, as pods come and go: beyond a limit it leaves the allows out. */
import type { NetworkPolicy } from '../model/policy.js';
import type { Identities, Identity } from './policy-identities.js';
import { countedEnds, FLOWS_MAX } from './policy-sdn.js';
import { selectsEverything } from './selector.js';

/** What one more pod of an identity adds to a policy. */
interface Share {
  readonly policy: number;
  isTarget: boolean;
  ends: number;
}

export class PolicyFlowCounts {
  /** By policy: the pods that it polices; null: the namespace counts as one. */
  readonly #targets: (number | null)[] = [];
  /** By policy: the other ends, each as often as ports ask for it. */
  readonly #ends: number[] = [];
  /** By row of the identity, then by policy. */
  readonly #shares: Map<number, Share>[] = [];

  constructor(identities: Identities, policies: readonly NetworkPolicy[]) {
    for (const [number, policy] of policies.entries()) {
      const namespace = identities.namespaceRow(policy.namespace);
      const counted = namespace < 0 ? [] : countedEnds(identities, policy, namespace);
      const isForAll = namespace < 0 || selectsEverything(policy.podSelector);
      const targets = isForAll ? null : identities.select(namespace, policy.podSelector);
      this.#targets.push(targets === null ? null : targets.reduce((sum, { pods }) => sum + pods.size, 0));
      for (const identity of targets ?? []) this.#share(identity, number).isTarget = true;
      let ends = 0;
      for (const { ports, fixed, pods } of counted) {
        ends += ports * fixed;
        for (const list of pods)
          for (const identity of list) {
            ends += ports * identity.pods.size;
            this.#share(identity, number).ends += ports;
          }
      }
      this.#ends.push(ends);
    }
  }

  /** `by` pods more, or less, in an identity. False when some policy crosses the limit by that. */
  change(identity: Identity, by: number): boolean {
    let isSame = true;
    for (const { policy, isTarget, ends } of this.#shares[identity.row]?.values() ?? []) {
      const before = this.#hasTooMany(policy);
      if (isTarget) this.#targets[policy]! += by;
      this.#ends[policy]! += ends * by;
      if (before !== this.#hasTooMany(policy)) isSame = false;
    }
    return isSame;
  }

  #hasTooMany(policy: number): boolean {
    return this.#ends[policy]! * (this.#targets[policy] ?? 1) >= FLOWS_MAX;
  }

  #share(identity: Identity, policy: number): Share {
    this.#shares[identity.row] ??= new Map();
    const known = this.#shares[identity.row]!.get(policy);
    if (known !== undefined) return known;
    const share: Share = { policy, isTarget: false, ends: 0 };
    this.#shares[identity.row]!.set(policy, share);
    return share;
  }
}
