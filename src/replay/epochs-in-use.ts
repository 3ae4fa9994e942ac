/** The table sets of a run: hands each to the workers once, with memory to count in, and keeps it until nobody needs it. */
import { EngineMetrics, type MetricsOptions, metricsSize } from '../engine/metrics.js';
import { changesBetween, type Epoch } from '../tables/epoch.js';
import type { EpochEntry } from '../workers/epoch-shelf.js';

interface Held {
  readonly epoch: Epoch;
  readonly entry: EpochEntry;
}

export class EpochsInUse {
  readonly #lanes: number;
  readonly #counted: MetricsOptions;
  readonly #held: Held[] = [];

  constructor(lanes: number, counted: MetricsOptions) {
    this.#lanes = lanes;
    this.#counted = counted;
  }

  /** Hold the set that comes next; returns what the workers get of it. */
  add(epoch: Epoch): EpochEntry {
    epoch.hold();
    const last = this.#held.at(-1);
    const changed = last === undefined ? null : changesBetween(last.epoch, epoch);
    const counters = changed === null ? this.#createCounters(epoch) : last!.entry.counters;
    const entry: EpochEntry = { number: epoch.number, buffer: epoch.buffer, changed, counters };
    this.#held.push({ epoch, entry });
    return entry;
  }

  /** What all lanes have counted by `epoch`, or by the last set before it that has the same rows. */
  metrics(epoch: Epoch): EngineMetrics {
    const sum = new EngineMetrics(epoch.tables, this.#counted);
    const { counters } = this.#held.find((held) => held.epoch === epoch)!.entry;
    for (const buffer of counters) sum.add(new EngineMetrics(epoch.tables, { ...this.#counted, buffer }));
    return sum;
  }

  /** Sets before `number` are needed no more. */
  releaseBefore(number: number): void {
    while (this.#held.length > 1 && this.#held[0]!.epoch.number < number) this.#held.shift()!.epoch.release();
  }

  /** The run is over; what was counted can still be asked for. */
  releaseAll(): void {
    for (const { epoch } of this.#held) epoch.release();
  }

  #createCounters(epoch: Epoch): SharedArrayBuffer[] {
    const size = metricsSize(epoch.tables, this.#counted);
    return Array.from({ length: this.#lanes }, () => new SharedArrayBuffer(size));
  }
}
