/** A table set that takes changes of pods, NetworkPolicies and Services in place: only the rows that they touch are written. */
import type { SmallChange } from '../model/change.js';
import type { Cluster } from '../model/cluster.js';
import type { Service } from '../model/service.js';
import { DNS_ADDRESSES, DNS_BYTES } from '../tables/dns-table.js';
import { Epoch, type EpochHistory, joinChanges, type RowChanges } from '../tables/epoch.js';
import { AddressDelta } from './delta-addresses.js';
import { DnsDelta } from './delta-dns.js';
import { FlowDelta } from './delta-flows.js';
import { PodDelta } from './delta-pods.js';
import { PolicyDelta } from './delta-policies.js';
import { ServiceDelta } from './delta-services.js';
import { StringsDelta } from './delta-strings.js';
import { withRoom } from './live-room.js';
import { LiveSet } from './live-set.js';
import { dnsPodKeys, podKey } from './nodes.js';

/** Changes that are remembered, for whoever is as many behind. */
const HISTORY_MAX = 64;

export class LiveTables implements EpochHistory {
  /** The newest table set. */
  epoch: Epoch;
  readonly #cluster: Pick<Cluster, 'dns'>;
  readonly #set: LiveSet;
  readonly #strings: StringsDelta;
  readonly #flows: FlowDelta;
  readonly #pods: PodDelta;
  readonly #policies: PolicyDelta;
  readonly #services: ServiceDelta;
  readonly #dns: DnsDelta;
  readonly #dnsPods: Set<string>;
  readonly #history: { readonly epoch: number; readonly changes: RowChanges }[] = [];
  #knownFrom: number;

  /** `epoch`: `cluster` as it was compiled. It is copied, and never changed itself. */
  constructor(cluster: Cluster, epoch: Epoch) {
    this.#cluster = { dns: cluster.dns };
    const buffer = withRoom(epoch);
    const set = new LiveSet(buffer);
    this.#set = set;
    const nodes = new Map(cluster.nodes.map(({ name }, row) => [name, row]));
    const pods = cluster.pods.filter((pod) => !pod.isHostNetwork);
    const podRows = new Map(pods.map((pod, row) => [podKey(pod), row]));
    this.#strings = new StringsDelta(set, epoch);
    this.#flows = new FlowDelta(set);
    this.#policies = new PolicyDelta(set, this.#strings, this.#flows, cluster, podRows);
    const addresses = new AddressDelta(set);
    this.#services = new ServiceDelta(set, this.#strings, addresses, cluster, nodes, podRows);
    this.#dns = new DnsDelta(set.buffers, set.tables.dns, cluster.dns.domain);
    this.#dnsPods = dnsPodKeys(cluster);
    this.#pods = new PodDelta(set, cluster, nodes, podRows, {
      strings: this.#strings,
      flows: this.#flows,
      policies: this.#policies,
      addresses,
      dnsPods: this.#dnsPods,
      movePod: (key, row) => this.#services.movePod(key, row),
    });
    this.#knownFrom = epoch.number;
    this.epoch = new Epoch(buffer, this);
  }

  /** The next table set, number `number`, after these changes; null when that takes a whole compile: no room is left, or other
   *  tables change too. After null this object is of no use any more. */
  change({ pods, services, policies }: SmallChange, number: number): Epoch | null {
    this.#set.begin();
    if (!goneFirst(pods).every((change) => this.#pods.change(change))) return null;
    if (!(policies === null ? this.#policies.finish() : this.#policies.setPolicies(policies))) return null;
    for (const change of goneFirst(services)) {
      this.#changeDnsPods(change.before, change.after);
      if (!this.#services.change(change)) return null;
      if (!this.#dns.change(this.#set.tables.dns, change.before, change.after)) return null;
    }
    return this.#publish(number);
  }

  changes(from: number, to: number): RowChanges | null {
    if (from < this.#knownFrom || from > to) return null;
    return joinChanges(
      this.#history.filter(({ epoch }) => epoch > from && epoch <= to).map(({ changes }) => changes),
    );
  }

  /** Pods that answer cluster DNS are marked in the table of pods. */
  #changeDnsPods(before: Service | null, after: Service | null): void {
    const { dns } = this.#cluster;
    const [old, fresh] = [before, after].map((service) =>
      dnsPodKeys({ dns, services: service === null ? [] : [service] }),
    );
    for (const key of old!) {
      if (fresh!.has(key)) continue;
      this.#dnsPods.delete(key);
      this.#pods.setDns(key, false);
    }
    for (const key of fresh!) {
      this.#dnsPods.add(key);
      this.#pods.setDns(key, true);
    }
  }

  #publish(number: number): Epoch {
    const { addresses, octets } = this.#dns.rows;
    this.#set.set(this.#set.tables.dns.zone.serial, 0, number);
    const buffer = this.#set.publish(number, [
      ...this.#strings.rows,
      ...this.#flows.rows,
      ...this.#pods.rows,
      ...this.#policies.rows,
      ...this.#services.rows,
      [DNS_ADDRESSES, addresses],
      [DNS_BYTES, octets],
    ]);
    const changes = { services: this.#services.changed.splice(0), rules: this.#flows.takeChanged() };
    this.#history.push({ epoch: number, changes });
    if (this.#history.length > HISTORY_MAX) this.#knownFrom = this.#history.shift()!.epoch;
    this.epoch = new Epoch(buffer, this);
    return this.epoch;
  }
}

/** Others may come to the addresses of those that go. */
const goneFirst = <Change extends { readonly after: unknown }>(changes: readonly Change[]): Change[] =>
  [...changes].sort((a, b) => Number(a.after !== null) - Number(b.after !== null));
