/** A table set that takes changes of Services' endpoints in place: only the rows that they touch are written. */
import { openTables, rowsAt } from '../layout/epoch-buffer.js';
import type { TableOf } from '../layout/layout.js';
import { LiveBuffers } from '../layout/live-buffers.js';
import { regrowTables } from '../layout/regrow.js';
import type { ServiceChange } from '../model/change.js';
import type { Cluster } from '../model/cluster.js';
import type { Service } from '../model/service.js';
import { DNS_ADDRESSES, DNS_BYTES, DNS_NAMES, type DnsTables, openDns } from '../tables/dns-table.js';
import { EPOCH_ORDER, Epoch, type EpochHistory, FIRST_DNS_TABLE } from '../tables/epoch.js';
import { NONE } from '../tables/nodes.js';
import { ENDPOINT_TABLE, SERVICE_TABLE } from '../tables/services.js';
import { STRING_BYTES, STRING_INDEX } from '../tables/strings.js';
import { DnsDelta, spareNameSlots, spreadNames } from './delta-dns.js';
import { endpointFirewall } from './egress-firewall.js';
import { dnsPodKeys } from './nodes.js';
import { Runs } from './runs.js';
import { endpointName, type PortRow, portRows, refusedRows } from './services.js';

/** Rows kept free, beside a quarter of those in use. When they are used up, the whole cluster is compiled anew. */
const SPARE = new Map<unknown, number>([
  [ENDPOINT_TABLE, 1024],
  [STRING_INDEX, 1024],
  [STRING_BYTES, 32_768],
  [DNS_ADDRESSES, 2048],
  [DNS_BYTES, 65_536],
]);

/** Changes that are remembered, for whoever is as many behind. */
const HISTORY_MAX = 64;

const indexOf = (layout: unknown): number => EPOCH_ORDER.indexOf(layout as (typeof EPOCH_ORDER)[number]);
const AT = {
  SERVICES: indexOf(SERVICE_TABLE),
  ENDPOINTS: indexOf(ENDPOINT_TABLE),
  STRINGS: indexOf(STRING_INDEX),
  BYTES: indexOf(STRING_BYTES),
  DNS_ADDRESSES: indexOf(DNS_ADDRESSES),
  DNS_BYTES: indexOf(DNS_BYTES),
  DNS: FIRST_DNS_TABLE,
} as const;

/** Tables of one buffer that are written. */
interface Views {
  readonly services: TableOf<typeof SERVICE_TABLE>;
  readonly endpoints: TableOf<typeof ENDPOINT_TABLE>;
  readonly strings: TableOf<typeof STRING_INDEX>;
  readonly bytes: TableOf<typeof STRING_BYTES>;
  readonly dns: DnsTables;
}

export class LiveTables implements EpochHistory {
  /** The newest table set. */
  epoch: Epoch;
  readonly #cluster: Pick<Cluster, 'platform' | 'dns'>;
  readonly #isFirewalled: (service: Service) => boolean;
  readonly #nodes = new Map<string, number>();
  readonly #pods = new Map<string, number>();
  readonly #stringIds = new Map<string, number>();
  readonly #buffers: LiveBuffers;
  readonly #views = new WeakMap<SharedArrayBuffer, Views>();
  readonly #endpoints: Runs;
  readonly #dns: DnsDelta;
  #stringRows: number;
  #stringBytes: number;
  /** First row of each Service that has any. */
  readonly #rowOf = new Map<string, number>();
  readonly #history: { readonly epoch: number; readonly rows: readonly number[] }[] = [];
  #knownFrom: number;

  /** `epoch`: `cluster` as it was compiled. It is copied, and never changed itself. */
  constructor(cluster: Cluster, epoch: Epoch) {
    this.#cluster = { platform: cluster.platform, dns: cluster.dns };
    this.#isFirewalled = endpointFirewall(cluster);
    const spareNames = spareNameSlots(epoch.tables.dns.names);
    const buffer = regrowTables(epoch.buffer, EPOCH_ORDER, (layout, rows) => {
      if (layout === DNS_NAMES) return spareNames;
      const least = SPARE.get(layout);
      return least === undefined ? 0 : (rows >> 2) + least;
    });
    const { endpoints, strings, bytes, dns } = this.#viewsOf(buffer);
    if (spareNames > 0) {
      spreadNames(dns.names);
      rowsOf(buffer, AT.DNS)[0] = dns.names.capacity;
    }
    // A row that belongs to no run is no Service's.
    endpoints.service.fill(NONE, endpoints.rows);
    this.#buffers = new LiveBuffers(buffer);
    this.#endpoints = new Runs(endpoints.rows, endpoints.capacity);
    this.#dns = new DnsDelta(this.#buffers, dns, cluster.dns.domain);
    this.#stringRows = strings.rows;
    this.#stringBytes = bytes.rows;
    for (let id = 0; id < strings.rows; id++) this.#stringIds.set(epoch.text(id), id);
    const { nodes, pods } = epoch.tables;
    for (let row = 0; row < nodes.rows; row++) this.#nodes.set(epoch.text(nodes.name[row]!), row);
    for (let row = 0; row < pods.rows; row++) this.#pods.set(epoch.text(pods.name[row]!), row);
    let row = 0;
    for (const service of cluster.services) {
      this.#rowOf.set(keyOf(service), row);
      row += this.#rowsOf(service).length;
    }
    this.#knownFrom = epoch.number;
    this.epoch = new Epoch(buffer, this);
  }

  /** The next table set, number `number`, in which these Services' endpoints differ; null when that takes a whole
   *  compile: no room is left, or other tables change too. After null this object is of no use any more. */
  change(changes: readonly ServiceChange[], number: number): Epoch | null {
    if (changes.some((change) => this.#changesDnsPods(change))) return null;
    const buffer = this.#buffers.begin();
    const views = this.#viewsOf(buffer);
    const rows: number[] = [];
    for (const { before, after } of changes) {
      if (!this.#changeService(views, before, after, rows)) return null;
      if (!this.#dns.change(views.dns, before, after)) return null;
    }
    this.#buffers.set(views.dns.zone.serial, 0, number);
    this.#setRows(buffer);
    this.#buffers.publish(number);
    this.#history.push({ epoch: number, rows });
    if (this.#history.length > HISTORY_MAX) this.#knownFrom = this.#history.shift()!.epoch;
    this.epoch = new Epoch(buffer, this);
    return this.epoch;
  }

  changedServices(from: number, to: number): readonly number[] | null {
    if (from < this.#knownFrom || from > to) return null;
    const rows = new Set<number>();
    for (const change of this.#history)
      if (change.epoch > from && change.epoch <= to) for (const row of change.rows) rows.add(row);
    return [...rows];
  }

  /** Pods that answer cluster DNS are marked in the table of pods. */
  #changesDnsPods({ before, after }: ServiceChange): boolean {
    const { dns } = this.#cluster;
    const [old, fresh] = [before, after].map((service) => dnsPodKeys({ dns, services: [service] })) as [
      Set<string>,
      Set<string>,
    ];
    return old.size !== fresh.size || [...old].some((key) => !fresh.has(key));
  }

  #rowsOf(service: Service): PortRow[] {
    if (service.clusterIp === 0) return [];
    const rowsOf = this.#isFirewalled(service) ? refusedRows : portRows;
    return service.ports.flatMap((port) => rowsOf(this.#cluster.platform, service, port, this.#nodes));
  }

  #changeService(views: Views, before: Service, after: Service, changed: number[]): boolean {
    const old = this.#rowsOf(before);
    const fresh = this.#rowsOf(after);
    // Another set of rows would move the rows of all Services behind it.
    if (old.length !== fresh.length || old.some((row, i) => !isSamePlace(row, fresh[i]!))) return false;
    const first = this.#rowOf.get(keyOf(after))!;
    return fresh.every((row, i) => {
      changed.push(first + i);
      return this.#changeRow(views, first + i, row);
    });
  }

  #changeRow(
    { services, endpoints, ...views }: Views,
    row: number,
    { endpoints: list, flags }: PortRow,
  ): boolean {
    const oldFirst = services.first[row]!;
    const oldCount = services.count[row]!;
    const first = this.#endpoints.resize(oldFirst, oldCount, list.length);
    if (first < 0) return false;
    for (let i = 0; i < oldCount; i++) this.#buffers.set(endpoints.service, oldFirst + i, NONE);
    for (const [i, endpoint] of list.entries()) {
      const name = this.#stringId(views, endpointName(endpoint));
      if (name < 0) return false;
      const at = first + i;
      this.#buffers.set(endpoints.address, at, endpoint.address);
      this.#buffers.set(endpoints.port, at, endpoint.port);
      this.#buffers.set(endpoints.node, at, this.#nodes.get(endpoint.node) ?? NONE);
      this.#buffers.set(endpoints.pod, at, this.#pods.get(endpoint.pod) ?? NONE);
      this.#buffers.set(endpoints.service, at, row);
      this.#buffers.set(endpoints.name, at, name);
    }
    this.#buffers.set(services.first, row, first);
    this.#buffers.set(services.count, row, list.length);
    this.#buffers.set(services.flags, row, flags);
    return true;
  }

  /** Number of `text`, put among the strings if need be; -1 when there is no room. */
  #stringId({ strings, bytes }: Pick<Views, 'strings' | 'bytes'>, text: string): number {
    const known = this.#stringIds.get(text);
    if (known !== undefined) return known;
    const encoded = new TextEncoder().encode(text);
    const isFull =
      this.#stringRows === strings.capacity || this.#stringBytes + encoded.length > bytes.capacity;
    if (isFull) return -1;
    const id = this.#stringRows++;
    this.#buffers.set(strings.offset, id, this.#stringBytes);
    this.#buffers.set(strings.length, id, encoded.length);
    this.#buffers.setBytes(bytes.byte, this.#stringBytes, encoded);
    this.#stringBytes += encoded.length;
    this.#stringIds.set(text, id);
    return id;
  }

  #setRows(buffer: SharedArrayBuffer): void {
    const { addresses, octets } = this.#dns.rows;
    const counts: readonly (readonly [table: number, rows: number])[] = [
      [AT.ENDPOINTS, this.#endpoints.end],
      [AT.STRINGS, this.#stringRows],
      [AT.BYTES, this.#stringBytes],
      [AT.DNS_ADDRESSES, addresses],
      [AT.DNS_BYTES, octets],
    ];
    for (const [table, rows] of counts) this.#buffers.set(rowsOf(buffer, table), 0, rows);
  }

  #viewsOf(buffer: SharedArrayBuffer): Views {
    const known = this.#views.get(buffer);
    if (known !== undefined) return known;
    const { open } = openTables(buffer);
    const views: Views = {
      services: open(AT.SERVICES, SERVICE_TABLE),
      endpoints: open(AT.ENDPOINTS, ENDPOINT_TABLE),
      strings: open(AT.STRINGS, STRING_INDEX),
      bytes: open(AT.BYTES, STRING_BYTES),
      dns: openDns(open, AT.DNS),
    };
    this.#views.set(buffer, views);
    return views;
  }
}

/** Where the row count of a table stands. */
const rowsOf = (buffer: SharedArrayBuffer, table: number): Uint32Array =>
  new Uint32Array(buffer, rowsAt(buffer, table), 1);

const isSamePlace = (a: PortRow, b: PortRow): boolean => a.node === b.node && a.scope === b.scope;

const keyOf = (service: Service): string => `${service.namespace}/${service.name}`;
