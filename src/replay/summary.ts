/** Counts what became of a run's packets: by verdict, reason, Service, endpoint and pair of nodes. */
import type { EngineMetrics } from '../engine/metrics.js';
import type { OutputBatch } from '../packet/batch.js';
import type { Epoch } from '../tables/epoch.js';
import { REASONS } from '../verdict/reasons.js';
import { VERDICT_NAMES } from '../verdict/verdict.js';
import type { NamedCount, OutcomeCount, PairCount, ServiceCount } from './counts.js';

/** Packets and bytes in two columns. */
class Tally {
  readonly packets: Float64Array;
  readonly bytes: Float64Array;

  constructor(rows: number) {
    this.packets = new Float64Array(rows);
    this.bytes = new Float64Array(rows);
  }

  add(row: number, size: number): void {
    this.packets[row]!++;
    this.bytes[row]! += size;
  }

  clear(first: number, end: number): void {
    this.packets.fill(0, first, end);
    this.bytes.fill(0, first, end);
  }
}

/** Packets of a Service and of its endpoints, by name. */
interface ServiceTally extends Mutable {
  readonly endpoints: Map<string, Mutable>;
}

export class Summary {
  #epoch: Epoch;
  /** By verdict * reasons + reason. */
  readonly #outcomes = new Tally(VERDICT_NAMES.length * REASONS.length);
  #services: Tally;
  #endpoints: Tally;
  /** From node * nodes + to node; only pairs that occur are kept, as their square may be large. */
  readonly #pairs = new Map<number, [packets: number, bytes: number]>();
  /** What was counted by the tables before, whose rows were others. */
  readonly #servicesBefore = new Map<string, ServiceTally>();
  readonly #pairsBefore = new Map<string, Pair>();

  constructor(epoch: Epoch) {
    this.#epoch = epoch;
    this.#services = new Tally(epoch.tables.services.capacity);
    this.#endpoints = new Tally(epoch.tables.endpoints.capacity);
  }

  /** Rows are those of `epoch` from now on: what was counted is kept by name. `changed`: the rows of Services that are
   *  others or have other endpoints, when no other rows differ. */
  use(epoch: Epoch, changed: readonly number[] | null): void {
    if (changed === null) {
      this.#addServices(this.#servicesBefore);
      this.#addPairs(this.#pairsBefore);
      this.#pairs.clear();
      this.#services = new Tally(epoch.tables.services.capacity);
      this.#endpoints = new Tally(epoch.tables.endpoints.capacity);
    } else for (const service of changed) this.#setAside(service);
    this.#epoch = epoch;
  }

  /** Count output row `i`. `port` is where its input entered, or -1 when that is not known any more. */
  add(output: OutputBatch, i: number, port: number): void {
    const size = output.length[i]!;
    this.#outcomes.add(output.verdict[i]! * REASONS.length + output.reason[i]!, size);
    if (output.service[i]! >= 0) this.#services.add(output.service[i]!, size);
    if (output.endpoint[i]! >= 0) this.#endpoints.add(output.endpoint[i]!, size);
    const exit = output.exit[i]!;
    if (exit >= 0 && port >= 0 && output.parent[i] === -1) this.#addPair(port, exit, size);
  }

  /** Count a packet that was not injected. */
  addDropped(verdict: number, reason: number, size: number): void {
    this.#outcomes.add(verdict * REASONS.length + reason, size);
  }

  /** Verdicts that occurred, by name. */
  verdicts(): NamedCount[] {
    return this.#named(VERDICT_NAMES, (verdict, i) => Math.floor(i / REASONS.length) === verdict);
  }

  /** Reasons that occurred, by name. */
  reasons(): NamedCount[] {
    return this.#named(
      REASONS.map((reason) => reason.name),
      (reason, i) => reason !== 0 && i % REASONS.length === reason,
    );
  }

  /** Reasons that occurred, each under the verdict that it came with. */
  outcomes(): OutcomeCount[] {
    const { packets, bytes } = this.#outcomes;
    return [...packets.keys()]
      .filter((i) => packets[i]! > 0 && i % REASONS.length !== 0)
      .map((i) => ({
        verdict: VERDICT_NAMES[Math.floor(i / REASONS.length)]!,
        reason: REASONS[i % REASONS.length]!.name,
        packets: packets[i]!,
        bytes: bytes[i]!,
      }));
  }

  /** Services with traffic, in order of name; a Service's rows for single nodes are added up. Connections are told of those
   *  that are there in the end. */
  services(metrics: EngineMetrics): ServiceCount[] {
    const found = new Map<string, ServiceTally>();
    for (const [name, before] of this.#servicesBefore)
      found.set(name, {
        ...before,
        endpoints: new Map([...before.endpoints].map(([key, count]) => [key, { ...count }])),
      });
    this.#addServices(found);
    this.#addConnections(found, metrics);
    return [...found.values()]
      .map((entry) => ({ ...entry, endpoints: [...entry.endpoints.values()].sort(byName) }))
      .sort(byName);
  }

  /** Pairs of nodes between which input packets went, entry to exit, in order of the nodes. */
  nodePairs(): PairCount[] {
    const found = new Map([...this.#pairsBefore].map(([key, pair]) => [key, { ...pair }]));
    this.#addPairs(found);
    const { nodes } = this.#epoch.tables;
    const order = new Map<string, number>();
    for (let row = 0; row < nodes.rows; row++) order.set(this.#epoch.text(nodes.name[row]!), row);
    const rank = (name: string): number => order.get(name) ?? nodes.rows;
    return [...found.values()].sort(
      (a, b) =>
        rank(a.from) - rank(b.from) || rank(a.to) - rank(b.to) || byText(a.from + a.to, b.from + b.to),
    );
  }

  /** Add what was counted by row to what is kept by name. */
  #addServices(to: Map<string, ServiceTally>): void {
    const { services, endpoints } = this.#epoch.tables;
    for (let row = 0; row < services.rows; row++) this.#addService(to, row);
    for (let row = 0; row < endpoints.rows; row++) this.#addEndpoint(to, row);
  }

  /** The row is about to be another Service's, or its endpoints to get other rows. */
  #setAside(service: number): void {
    const { services } = this.#epoch.tables;
    const first = services.first[service]!;
    const end = first + services.count[service]!;
    this.#addService(this.#servicesBefore, service);
    for (let row = first; row < end; row++) this.#addEndpoint(this.#servicesBefore, row);
    this.#services.clear(service, service + 1);
    this.#endpoints.clear(first, end);
  }

  #addService(to: Map<string, ServiceTally>, row: number): void {
    if (this.#services.packets[row]! > 0) addRow(serviceNamed(to, this.#nameOf(row)), this.#services, row);
  }

  #addEndpoint(to: Map<string, ServiceTally>, row: number): void {
    if (this.#endpoints.packets[row] === 0) return;
    const { endpoints } = this.#epoch.tables;
    const service = to.get(this.#nameOf(endpoints.service[row]!));
    if (service === undefined) return;
    addRow(endpointNamed(service, this.#epoch.text(endpoints.name[row]!)), this.#endpoints, row);
  }

  /** Connections of the Services and endpoints that had packets. */
  #addConnections(to: Map<string, ServiceTally>, metrics: EngineMetrics): void {
    if (to.size === 0) return;
    const { services, endpoints } = this.#epoch.tables;
    for (let row = 0; row < services.rows; row++) {
      const count = metrics.serviceConnections[row]!;
      const service = count === 0 ? undefined : to.get(this.#nameOf(row));
      if (service !== undefined) service.connections += count;
    }
    for (let row = 0; row < endpoints.rows; row++) {
      const count = metrics.endpointConnections[row]!;
      if (count === 0) continue;
      const service = to.get(this.#nameOf(endpoints.service[row]!));
      const endpoint = service?.endpoints.get(this.#epoch.text(endpoints.name[row]!));
      if (endpoint !== undefined) endpoint.connections += count;
    }
  }

  #addPairs(to: Map<string, Pair>): void {
    const { nodes } = this.#epoch.tables;
    const name = (node: number): string => this.#epoch.text(nodes.name[node]!);
    for (const [key, [packets, bytes]] of this.#pairs) {
      const from = name(Math.floor(key / nodes.rows));
      const target = name(key % nodes.rows);
      const pair = to.get(`${from} ${target}`) ?? { from, to: target, packets: 0, bytes: 0 };
      pair.packets += packets;
      pair.bytes += bytes;
      to.set(`${from} ${target}`, pair);
    }
  }

  #nameOf(service: number): string {
    return this.#epoch.text(this.#epoch.tables.services.name[service]!);
  }

  /** Sums of the cells that `isOf` says belong to each name; names without packets are left out. */
  #named(names: readonly string[], isOf: (name: number, cell: number) => boolean): NamedCount[] {
    const { packets, bytes } = this.#outcomes;
    const used = [...packets.keys()].filter((cell) => packets[cell]! > 0);
    return names
      .map((name, i) => {
        const cells = used.filter((cell) => isOf(i, cell));
        const sum = (column: Float64Array): number => cells.reduce((all, cell) => all + column[cell]!, 0);
        return { name, packets: sum(packets), bytes: sum(bytes) };
      })
      .filter((count) => count.packets > 0);
  }

  #addPair(from: number, to: number, size: number): void {
    const { ports, nodes } = this.#epoch.tables;
    const key = ports.node[from]! * nodes.rows + ports.node[to]!;
    const pair = this.#pairs.get(key);
    if (pair === undefined) this.#pairs.set(key, [1, size]);
    else {
      pair[0]++;
      pair[1] += size;
    }
  }
}

interface Mutable {
  readonly name: string;
  packets: number;
  bytes: number;
  connections: number;
}

interface Pair {
  readonly from: string;
  readonly to: string;
  packets: number;
  bytes: number;
}

const nothing = (name: string): Mutable => ({ name, packets: 0, bytes: 0, connections: 0 });

function serviceNamed(all: Map<string, ServiceTally>, name: string): ServiceTally {
  const known = all.get(name);
  if (known !== undefined) return known;
  const fresh = { ...nothing(name), endpoints: new Map<string, Mutable>() };
  all.set(name, fresh);
  return fresh;
}

function endpointNamed(service: ServiceTally, name: string): Mutable {
  const known = service.endpoints.get(name);
  if (known !== undefined) return known;
  const fresh = nothing(name);
  service.endpoints.set(name, fresh);
  return fresh;
}

function addRow(to: Mutable, tally: Tally, row: number): void {
  to.packets += tally.packets[row]!;
  to.bytes += tally.bytes[row]!;
}

const byName = (a: { readonly name: string }, b: { readonly name: string }): number =>
  a.name < b.name ? -1 : 1;

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
