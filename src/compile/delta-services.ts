/** Services whose endpoints differ, in a live table set: their runs of endpoints are written anew. */
import type { ServiceChange } from '../model/change.js';
import type { Cluster } from '../model/cluster.js';
import type { Service } from '../model/service.js';
import { NONE } from '../tables/nodes.js';
import { ENDPOINT_TABLE } from '../tables/services.js';
import type { StringsDelta } from './delta-strings.js';
import { endpointFirewall } from './egress-firewall.js';
import type { LiveSet } from './live-set.js';
import { Runs } from './runs.js';
import { endpointName, type PortRow, portRows, refusedRows } from './services.js';

export class ServiceDelta {
  /** Rows of Services that got other endpoints since this list was emptied. */
  readonly changed: number[] = [];
  readonly #set: LiveSet;
  readonly #strings: StringsDelta;
  readonly #cluster: Pick<Cluster, 'platform'>;
  readonly #isFirewalled: (service: Service) => boolean;
  readonly #nodes: ReadonlyMap<string, number>;
  readonly #podRows: ReadonlyMap<string, number>;
  readonly #endpoints: Runs;
  /** First row of each Service that has any. */
  readonly #rowOf = new Map<string, number>();
  /** Endpoints of one name form a chain, so that those of a pod are found. By name: the first row; by row: its neighbours. */
  readonly #first: Uint32Array;
  readonly #next: Uint32Array;
  readonly #before: Uint32Array;

  constructor(
    set: LiveSet,
    strings: StringsDelta,
    cluster: Cluster,
    nodes: ReadonlyMap<string, number>,
    podRows: ReadonlyMap<string, number>,
  ) {
    this.#set = set;
    this.#strings = strings;
    this.#cluster = { platform: cluster.platform };
    this.#isFirewalled = endpointFirewall(cluster);
    this.#nodes = nodes;
    this.#podRows = podRows;
    const { endpoints } = set.tables;
    this.#endpoints = new Runs(endpoints.rows, endpoints.capacity);
    let row = 0;
    for (const service of cluster.services) {
      this.#rowOf.set(keyOf(service), row);
      row += this.#rowsOf(service).length;
    }
    this.#first = new Uint32Array(set.strings.capacity).fill(NONE);
    this.#next = new Uint32Array(endpoints.capacity).fill(NONE);
    this.#before = new Uint32Array(endpoints.capacity).fill(NONE);
    for (let at = endpoints.rows - 1; at >= 0; at--) this.#link(endpoints.name[at]!, at);
  }

  get rows(): readonly (readonly [layout: unknown, rows: number])[] {
    return [[ENDPOINT_TABLE, this.#endpoints.end]];
  }

  /** False when that takes a whole compile: no room is left, or the Service has other rows. */
  change({ before, after }: ServiceChange): boolean {
    const old = this.#rowsOf(before);
    const fresh = this.#rowsOf(after);
    // Another set of rows would move the rows of all Services behind it.
    if (old.length !== fresh.length || old.some((row, i) => !isSamePlace(row, fresh[i]!))) return false;
    const first = this.#rowOf.get(keyOf(after))!;
    return fresh.every((row, i) => {
      this.changed.push(first + i);
      return this.#changeRow(first + i, row);
    });
  }

  /** The pod of this key is in row `row` of the pod table, or nowhere: NONE. */
  movePod(key: string, row: number): void {
    const name = this.#strings.find(`pod:${key}`);
    if (name < 0) return;
    for (let at = this.#first[name]!; at !== NONE; at = this.#next[at]!)
      this.#set.set(this.#set.tables.endpoints.pod, at, row);
  }

  #rowsOf(service: Service): PortRow[] {
    if (service.clusterIp === 0) return [];
    const rowsOf = this.#isFirewalled(service) ? refusedRows : portRows;
    return service.ports.flatMap((port) => rowsOf(this.#cluster.platform, service, port, this.#nodes));
  }

  #changeRow(row: number, { endpoints: list, flags }: PortRow): boolean {
    const { services, endpoints } = this.#set.tables;
    const oldFirst = services.first[row]!;
    const oldCount = services.count[row]!;
    const first = this.#endpoints.resize(oldFirst, oldCount, list.length);
    if (first < 0) return false;
    for (let i = 0; i < oldCount; i++) {
      this.#set.set(endpoints.service, oldFirst + i, NONE);
      this.#unlink(endpoints.name[oldFirst + i]!, oldFirst + i);
    }
    for (const [i, endpoint] of list.entries()) {
      const name = this.#strings.id(endpointName(endpoint));
      if (name < 0) return false;
      const at = first + i;
      this.#set.set(endpoints.address, at, endpoint.address);
      this.#set.set(endpoints.port, at, endpoint.port);
      this.#set.set(endpoints.node, at, this.#nodes.get(endpoint.node) ?? NONE);
      this.#set.set(endpoints.pod, at, this.#podRows.get(endpoint.pod) ?? NONE);
      this.#set.set(endpoints.service, at, row);
      this.#set.set(endpoints.name, at, name);
      this.#link(name, at);
    }
    this.#set.set(services.first, row, first);
    this.#set.set(services.count, row, list.length);
    this.#set.set(services.flags, row, flags);
    return true;
  }

  #link(name: number, at: number): void {
    const next = this.#first[name]!;
    this.#before[at] = NONE;
    this.#next[at] = next;
    if (next !== NONE) this.#before[next] = at;
    this.#first[name] = at;
  }

  #unlink(name: number, at: number): void {
    const [before, next] = [this.#before[at]!, this.#next[at]!];
    if (before === NONE) this.#first[name] = next;
    else this.#next[before] = next;
    if (next !== NONE) this.#before[next] = before;
  }
}

const isSamePlace = (a: PortRow, b: PortRow): boolean => a.node === b.node && a.scope === b.scope;

const keyOf = (service: Service): string => `${service.namespace}/${service.name}`;
