/** Services that come, change and go in a live table set. A Service keeps its rows as long as they stand for the same ports and
 *  nodes; their runs of endpoints are written anew. */
import type { ServiceChange } from '../model/change.js';
import type { Cluster } from '../model/cluster.js';
import type { Service } from '../model/service.js';
import { ADDRESS_KIND } from '../tables/addresses.js';
import type { Tables } from '../tables/epoch.js';
import { NONE } from '../tables/nodes.js';
import { ANY_NODE, ENDPOINT_TABLE, SERVICE_TABLE, serviceHash } from '../tables/services.js';
import type { AddressDelta } from './delta-addresses.js';
import { FrontDelta } from './delta-fronts.js';
import { RowSlots } from './delta-row-slots.js';
import type { StringsDelta } from './delta-strings.js';
import { endpointFirewall } from './egress-firewall.js';
import type { LiveSet } from './live-set.js';
import { Runs } from './runs.js';
import { endpointName, type ServiceRow, type ServiceRun, serviceRows } from './services.js';

/** Beside the run of endpoints, which a row of no Service has none of. */
const EMPTY = { ip: 0, portProto: 0, node: ANY_NODE, name: 0, affinity: 0, flags: 0, scope: 0 };

export class ServiceDelta {
  /** Rows of Services that are others, or have other endpoints, since this list was emptied. */
  readonly changed: number[] = [];
  readonly #set: LiveSet;
  readonly #strings: StringsDelta;
  readonly #addresses: AddressDelta;
  readonly #fronts: FrontDelta;
  readonly #cluster: Pick<Cluster, 'platform'>;
  readonly #isFirewalled: (service: Service) => boolean;
  readonly #nodes: ReadonlyMap<string, number>;
  readonly #podRows: ReadonlyMap<string, number>;
  readonly #services: Runs;
  readonly #slots: RowSlots;
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
    addresses: AddressDelta,
    cluster: Cluster,
    nodes: ReadonlyMap<string, number>,
    podRows: ReadonlyMap<string, number>,
  ) {
    this.#set = set;
    this.#strings = strings;
    this.#addresses = addresses;
    this.#cluster = { platform: cluster.platform };
    this.#isFirewalled = endpointFirewall(cluster);
    this.#nodes = nodes;
    this.#podRows = podRows;
    const { services, endpoints } = set.tables;
    this.#services = new Runs(services.rows, services.capacity);
    this.#slots = new RowSlots(
      set,
      () => set.tables.serviceSlots.row,
      (row) => keyHash(set.tables.services, row),
    );
    this.#endpoints = new Runs(endpoints.rows, endpoints.capacity);
    this.#fronts = new FrontDelta(set, this.#compiled(cluster.services));
    this.#first = new Uint32Array(set.strings.capacity).fill(NONE);
    this.#next = new Uint32Array(endpoints.capacity).fill(NONE);
    this.#before = new Uint32Array(endpoints.capacity).fill(NONE);
    for (let at = endpoints.rows - 1; at >= 0; at--) this.#link(endpoints.name[at]!, at);
  }

  get rows(): readonly (readonly [layout: unknown, rows: number])[] {
    return [[SERVICE_TABLE, this.#services.end], [ENDPOINT_TABLE, this.#endpoints.end], ...this.#fronts.rows];
  }

  /** False when that takes a whole compile: no room is left, or it claims what another Service has. */
  change({ before, after }: ServiceChange): boolean {
    const service = after ?? before;
    if (service === null) return true;
    const key = keyOf(service);
    const old = this.#rowsOf(before);
    const fresh = this.#rowsOf(after);
    if (!this.#setAddress(before?.clusterIp ?? 0, after?.clusterIp ?? 0)) return false;
    const isInPlace = old.length === fresh.length && old.every((row, i) => isSameKey(row, fresh[i]!));
    const first = isInPlace ? (this.#rowOf.get(key) ?? 0) : this.#replace(key, old.length, fresh.length);
    if (first < 0 || !fresh.every((row, i) => this.#write(first + i, row))) return false;
    if (!isInPlace && !fresh.every((_, i) => this.#slots.put(first + i))) return false;
    return this.#fronts.change(key, after === null ? null : { service: after, run: { first, rows: fresh } });
  }

  /** The pod of this key is in row `row` of the pod table, or nowhere: NONE. */
  movePod(key: string, row: number): void {
    const name = this.#strings.find(`pod:${key}`);
    if (name < 0) return;
    for (let at = this.#first[name]!; at !== NONE; at = this.#next[at]!)
      this.#set.set(this.#set.tables.endpoints.pod, at, row);
  }

  /** Each Service as it was compiled, with its rows. */
  *#compiled(services: readonly Service[]): Iterable<readonly [string, Service, ServiceRun]> {
    let first = 0;
    for (const service of services) {
      const rows = this.#rowsOf(service);
      if (rows.length > 0) this.#rowOf.set(keyOf(service), first);
      yield [keyOf(service), service, { first, rows }];
      first += rows.length;
    }
  }

  #rowsOf(service: Service | null): ServiceRow[] {
    if (service === null) return [];
    return serviceRows(this.#cluster.platform, service, this.#isFirewalled(service), this.#nodes);
  }

  /** ClusterIPs; 0 for none. */
  #setAddress(before: number, after: number): boolean {
    if (before === after) return true;
    const kind = ADDRESS_KIND.CLUSTER_IP;
    // Nothing asks for a ClusterIP's row.
    return (
      (before === 0 || this.#addresses.remove(before, kind)) &&
      (after === 0 || this.#addresses.add(after, 0, kind))
    );
  }

  /** Empty the rows of a Service, and give it others: the first of them, or -1 when there is no room. */
  #replace(key: string, oldCount: number, count: number): number {
    const { services } = this.#set.tables;
    const old = this.#rowOf.get(key) ?? 0;
    for (let row = old; row < old + oldCount; row++) {
      this.#slots.remove(row);
      this.#releaseEndpoints(row);
      this.#endpoints.resize(services.first[row]!, services.count[row]!, 0);
      for (const column of ['first', 'count'] as const) this.#set.set(services[column], row, 0);
      this.#setColumns(row, EMPTY);
      this.changed.push(row);
    }
    const first = this.#services.resize(old, oldCount, count);
    if (count > 0) this.#rowOf.set(key, first);
    else this.#rowOf.delete(key);
    return first;
  }

  #write(row: number, { port: _port, endpoints: list, name: text, ...columns }: ServiceRow): boolean {
    const { services, endpoints } = this.#set.tables;
    const name = this.#strings.id(text);
    if (name < 0) return false;
    this.changed.push(row);
    this.#setColumns(row, { ...columns, name });
    this.#releaseEndpoints(row);
    const first = this.#endpoints.resize(services.first[row]!, services.count[row]!, list.length);
    if (first < 0) return false;
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
    return true;
  }

  #setColumns(row: number, values: typeof EMPTY): void {
    const { services } = this.#set.tables;
    for (const column of ['ip', 'portProto', 'node', 'name', 'affinity', 'flags', 'scope'] as const)
      if (services[column][row] !== values[column]) this.#set.set(services[column], row, values[column]);
  }

  /** The endpoints of the row are nobody's. */
  #releaseEndpoints(row: number): void {
    const { services, endpoints } = this.#set.tables;
    const first = services.first[row]!;
    for (let at = first; at < first + services.count[row]!; at++) {
      this.#set.set(endpoints.service, at, NONE);
      this.#unlink(endpoints.name[at]!, at);
    }
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

const isSameKey = (a: ServiceRow, b: ServiceRow): boolean =>
  a.ip === b.ip &&
  a.portProto === b.portProto &&
  a.name === b.name &&
  a.node === b.node &&
  a.scope === b.scope;

const keyHash = ({ ip, portProto, node, scope }: Tables['services'], row: number): number =>
  serviceHash(ip[row]!, portProto[row]!, node[row]!, scope[row]!);

const keyOf = (service: Service): string => `${service.namespace}/${service.name}`;
