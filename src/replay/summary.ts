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
}

export class Summary {
  readonly #epoch: Epoch;
  /** By verdict * reasons + reason. */
  readonly #outcomes = new Tally(VERDICT_NAMES.length * REASONS.length);
  readonly #services: Tally;
  readonly #endpoints: Tally;
  /** From node * nodes + to node; only pairs that occur are kept, as their square may be large. */
  readonly #pairs = new Map<number, [packets: number, bytes: number]>();

  constructor(epoch: Epoch) {
    this.#epoch = epoch;
    this.#services = new Tally(epoch.tables.services.rows);
    this.#endpoints = new Tally(epoch.tables.endpoints.rows);
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

  /** Services with traffic, in order of name; a Service's rows for single nodes are added up. */
  services(metrics: EngineMetrics): ServiceCount[] {
    const { services, endpoints } = this.#epoch.tables;
    const text = (id: number): string => this.#epoch.text(id);
    const found = new Map<string, Mutable & { readonly endpoints: Map<string, Mutable> }>();
    for (let row = 0; row < services.rows; row++) {
      if (this.#services.packets[row] === 0) continue;
      const name = text(services.name[row]!);
      const entry = found.get(name) ?? { ...nothing(name), endpoints: new Map<string, Mutable>() };
      addRow(entry, this.#services, metrics.serviceConnections, row);
      found.set(name, entry);
    }
    for (let row = 0; row < endpoints.rows; row++) {
      if (this.#endpoints.packets[row] === 0) continue;
      const entry = found.get(text(services.name[endpoints.service[row]!]!));
      const name = text(endpoints.name[row]!);
      const known = entry?.endpoints.get(name) ?? nothing(name);
      addRow(known, this.#endpoints, metrics.endpointConnections, row);
      entry?.endpoints.set(name, known);
    }
    return [...found.values()]
      .map((entry) => ({ ...entry, endpoints: [...entry.endpoints.values()].sort(byName) }))
      .sort(byName);
  }

  /** Pairs of nodes between which input packets went, entry to exit, in order of name. */
  nodePairs(): PairCount[] {
    const { nodes } = this.#epoch.tables;
    const name = (node: number): string => this.#epoch.text(nodes.name[node]!);
    return [...this.#pairs]
      .sort(([a], [b]) => a - b)
      .map(([key, [packets, bytes]]) => ({
        from: name(Math.floor(key / nodes.rows)),
        to: name(key % nodes.rows),
        packets,
        bytes,
      }));
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

const nothing = (name: string): Mutable => ({ name, packets: 0, bytes: 0, connections: 0 });

function addRow(to: Mutable, tally: Tally, connections: Float64Array, row: number): void {
  to.packets += tally.packets[row]!;
  to.bytes += tally.bytes[row]!;
  to.connections += connections[row]!;
}

const byName = (a: { readonly name: string }, b: { readonly name: string }): number =>
  a.name < b.name ? -1 : 1;
