/** Counts what became of a run's packets: by verdict, reason, Service, endpoint and pair of nodes. */
import type { OutputBatch } from '../packet/batch.js';
import type { Epoch } from '../tables/epoch.js';
import { REASONS } from '../verdict/reasons.js';
import { VERDICT_NAMES } from '../verdict/verdict.js';
import type { NamedCount, PairCount, ServiceCount } from './counts.js';

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
  readonly #verdicts = new Tally(VERDICT_NAMES.length);
  readonly #reasons = new Tally(REASONS.length);
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
    this.#verdicts.add(output.verdict[i]!, size);
    if (output.reason[i]! !== 0) this.#reasons.add(output.reason[i]!, size);
    if (output.service[i]! >= 0) this.#services.add(output.service[i]!, size);
    if (output.endpoint[i]! >= 0) this.#endpoints.add(output.endpoint[i]!, size);
    const exit = output.exit[i]!;
    if (exit >= 0 && port >= 0 && output.parent[i] === -1) this.#addPair(port, exit, size);
  }

  /** Count a packet that was not injected. */
  addDropped(verdict: number, reason: number, size: number): void {
    this.#verdicts.add(verdict, size);
    this.#reasons.add(reason, size);
  }

  /** Verdicts that occurred, by name. */
  verdicts(): NamedCount[] {
    return named(this.#verdicts, VERDICT_NAMES);
  }

  /** Reasons that occurred, by name. */
  reasons(): NamedCount[] {
    return named(
      this.#reasons,
      REASONS.map((reason) => reason.name),
    );
  }

  /** Services with traffic, in order of name; a Service's rows for single nodes are added up. */
  services(): ServiceCount[] {
    const { services, endpoints } = this.#epoch.tables;
    const text = (id: number): string => this.#epoch.text(id);
    const found = new Map<string, { packets: number; bytes: number; endpoints: Map<string, Mutable> }>();
    for (let row = 0; row < services.rows; row++) {
      if (this.#services.packets[row] === 0) continue;
      const name = text(services.name[row]!);
      const entry = found.get(name) ?? { packets: 0, bytes: 0, endpoints: new Map<string, Mutable>() };
      entry.packets += this.#services.packets[row]!;
      entry.bytes += this.#services.bytes[row]!;
      found.set(name, entry);
    }
    for (let row = 0; row < endpoints.rows; row++) {
      if (this.#endpoints.packets[row] === 0) continue;
      const entry = found.get(text(services.name[endpoints.service[row]!]!));
      const name = text(endpoints.name[row]!);
      const known = entry?.endpoints.get(name);
      if (known !== undefined) {
        known.packets += this.#endpoints.packets[row]!;
        known.bytes += this.#endpoints.bytes[row]!;
      } else {
        entry?.endpoints.set(name, {
          name,
          packets: this.#endpoints.packets[row]!,
          bytes: this.#endpoints.bytes[row]!,
        });
      }
    }
    return [...found]
      .map(([name, entry]) => ({ name, ...entry, endpoints: [...entry.endpoints.values()].sort(byName) }))
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
}

const byName = (a: { readonly name: string }, b: { readonly name: string }): number =>
  a.name < b.name ? -1 : 1;

function named(tally: Tally, names: readonly string[]): NamedCount[] {
  return names
    .map((name, row) => ({ name, packets: tally.packets[row]!, bytes: tally.bytes[row]! }))
    .filter(({ packets }) => packets > 0);
}
