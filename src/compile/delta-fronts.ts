/** Addresses from outside of Services that come, change and go in a live table set. */
import { isDeepStrictEqual } from 'node:util';
import type { Service } from '../model/service.js';
import { FRONT_KIND, FRONT_TABLE, frontHash, RANGE_TABLE } from '../tables/fronts.js';
import { NONE } from '../tables/nodes.js';
import { RowSlots } from './delta-row-slots.js';
import { type FrontRow, frontRows, rangesOf, rangesOfFront } from './fronts.js';
import type { LiveSet } from './live-set.js';
import { Runs } from './runs.js';
import type { ServiceRun } from './services.js';

const EMPTY = { ip: 0, portProto: 0, cluster: NONE, local: NONE, rangeFirst: 0, rangeCount: 0, kind: 0 };

/** What a Service has here. */
interface Held {
  readonly fronts: readonly FrontRow[];
  readonly ranges: readonly { readonly base: number; readonly mask: number }[];
  readonly frontFirst: number;
  readonly rangeFirst: number;
}

export class FrontDelta {
  readonly #set: LiveSet;
  readonly #fronts: Runs;
  readonly #ranges: Runs;
  readonly #slots: RowSlots;
  /** By Service, namespace/name. */
  readonly #held = new Map<string, Held>();
  /** How many fronts ask for an address and port: of several, one is found. */
  readonly #claims = new Map<string, number>();

  /** `services` as they were compiled, with their rows, in order. */
  constructor(set: LiveSet, services: Iterable<readonly [key: string, service: Service, run: ServiceRun]>) {
    this.#set = set;
    const { fronts, ranges } = set.tables;
    this.#fronts = new Runs(fronts.rows, fronts.capacity);
    this.#ranges = new Runs(ranges.rows, ranges.capacity);
    this.#slots = new RowSlots(
      set,
      () => set.tables.frontSlots.row,
      (row) => frontHash(set.tables.fronts.ip[row]!, set.tables.fronts.portProto[row]!),
    );
    let frontFirst = 0;
    let rangeFirst = 0;
    for (const [key, service, run] of services) {
      const held = { fronts: frontRows(service, run), ranges: rangesOf(service), frontFirst, rangeFirst };
      frontFirst += held.fronts.length;
      rangeFirst += held.ranges.length;
      if (held.fronts.length + held.ranges.length > 0) this.#held.set(key, held);
      for (const front of held.fronts) this.#claim(front, 1);
    }
  }

  get rows(): readonly (readonly [layout: unknown, rows: number])[] {
    return [
      [FRONT_TABLE, this.#fronts.end],
      [RANGE_TABLE, this.#ranges.end],
    ];
  }

  /** Bring the fronts of a Service up to date; null: it is not there now. False when that takes a whole compile: no room, or
   *  two claim one address and port. */
  change(key: string, now: { readonly service: Service; readonly run: ServiceRun } | null): boolean {
    const fronts = now === null ? [] : frontRows(now.service, now.run);
    const ranges = now === null ? [] : rangesOf(now.service);
    const old = this.#held.get(key) ?? { fronts: [], ranges: [], frontFirst: 0, rangeFirst: 0 };
    if (isDeepStrictEqual(old.fronts, fronts) && isDeepStrictEqual(old.ranges, ranges)) return true;
    if (!old.fronts.every((front, i) => this.#remove(front, old.frontFirst + i))) return false;
    const frontFirst = this.#fronts.resize(old.frontFirst, old.fronts.length, fronts.length);
    const rangeFirst = this.#ranges.resize(old.rangeFirst, old.ranges.length, ranges.length);
    if (frontFirst < 0 || rangeFirst < 0) return false;
    const table = this.#set.tables.ranges;
    for (const [i, { base, mask }] of ranges.entries()) {
      this.#set.set(table.base, rangeFirst + i, base);
      this.#set.set(table.mask, rangeFirst + i, mask);
    }
    this.#held.delete(key);
    if (fronts.length + ranges.length > 0) this.#held.set(key, { fronts, ranges, frontFirst, rangeFirst });
    return fronts.every((front, i) =>
      this.#put(front, frontFirst + i, rangesOfFront(front, rangeFirst, ranges.length)),
    );
  }

  #put(
    front: FrontRow,
    row: number,
    run: { readonly rangeFirst: number; readonly rangeCount: number },
  ): boolean {
    this.#write(row, { ...front, ...run });
    return this.#claim(front, 1) <= 1 && (front.kind === FRONT_KIND.HEALTH_CHECK || this.#slots.put(row));
  }

  #remove(front: FrontRow, row: number): boolean {
    // The address would be another's now, whichever that is.
    if (this.#claim(front, -1) > 0) return false;
    if (front.kind !== FRONT_KIND.HEALTH_CHECK) this.#slots.remove(row);
    this.#write(row, EMPTY);
    return true;
  }

  /** Returns how many claim the front's address and port now. */
  #claim({ ip, portProto, kind }: FrontRow, by: number): number {
    if (kind === FRONT_KIND.HEALTH_CHECK) return 0;
    const key = `${ip} ${portProto}`;
    const count = (this.#claims.get(key) ?? 0) + by;
    if (count === 0) this.#claims.delete(key);
    else this.#claims.set(key, count);
    return count;
  }

  #write(row: number, values: typeof EMPTY): void {
    const { fronts } = this.#set.tables;
    for (const column of ['ip', 'portProto', 'cluster', 'local', 'rangeFirst', 'rangeCount', 'kind'] as const)
      this.#set.set(fronts[column], row, values[column]);
  }
}
