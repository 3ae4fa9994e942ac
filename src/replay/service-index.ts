/** Finds a Service's endpoint by its address in the tables in force, and tells the server's end of a connection from the
 *  client's. */
import type { Tables } from '../tables/epoch.js';
import { NONE } from '../tables/nodes.js';
import { RecentTable } from './recent-table.js';
import { Servers } from './servers.js';

export class ServiceIndex {
  #tables: Tables;
  readonly #servers: Servers;
  /** (service address, port and protocol, endpoint address, port): its first row in the endpoint table. Null once Services
   *  were changed in place: then runs are searched. */
  #endpoints: RecentTable | null;
  #endpointRow!: Int32Array;

  /** `servers`: those of the whole run; of the tables, if these stay. */
  constructor(tables: Tables, servers = Servers.of(tables)) {
    this.#tables = tables;
    this.#servers = servers;
    this.#endpoints = this.#hash();
  }

  /** Go on by other tables. `isInPlace`: rows of Services differ only where the change tells. */
  use(tables: Tables, isInPlace: boolean): void {
    this.#tables = tables;
    this.#endpoints = isInPlace ? null : this.#hash();
  }

  /** Row of the endpoint `address:port` of the Service port in `service`'s row, or -1. A Service whose nodes choose
   *  differently has the endpoint more than once; the first row stands for all. */
  endpoint(service: number, address: number, port: number): number {
    if (this.#endpoints === null) return this.#search(service, address, port);
    const { ip, portProto } = this.#tables.services;
    const found = this.#endpoints.find(ip[service]!, portProto[service]!, address, port);
    return found < 0 ? -1 : this.#endpointRow[found]!;
  }

  /** Is `address:port` with this protocol where some Service or endpoint answers, at any time of the run? */
  isServer(address: number, port: number, protocol: number): boolean {
    return this.#servers.has(address, port, protocol);
  }

  /** The same for endpoints alone. */
  isEndpoint(address: number, port: number, protocol: number): boolean {
    return this.#servers.hasEndpoint(address, port, protocol);
  }

  #hash(): RecentTable {
    const { services, endpoints } = this.#tables;
    const found = new RecentTable(Math.max(1, endpoints.rows));
    this.#endpointRow = new Int32Array(found.capacity);
    for (let row = 0; row < endpoints.rows; row++) {
      const service = endpoints.service[row]!;
      if (service === NONE) continue;
      const [ip, portProto] = [services.ip[service]!, services.portProto[service]!];
      const [address, port] = [endpoints.address[row]!, endpoints.port[row]!];
      if (found.find(ip, portProto, address, port) < 0)
        this.#endpointRow[found.add(ip, portProto, address, port)] = row;
    }
    return found;
  }

  /** The rows of a port stand together. */
  #search(service: number, address: number, port: number): number {
    const { ip, portProto, rows } = this.#tables.services;
    const isOfPort = (row: number): boolean =>
      row >= 0 && row < rows && ip[row] === ip[service] && portProto[row] === portProto[service];
    let row = service;
    while (isOfPort(row - 1)) row--;
    for (; isOfPort(row); row++) {
      const found = this.#searchRun(row, address, port);
      if (found >= 0) return found;
    }
    return -1;
  }

  /** A run is sorted by address, then port. */
  #searchRun(service: number, address: number, port: number): number {
    const { services, endpoints } = this.#tables;
    let low = services.first[service]!;
    let high = low + services.count[service]! - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const order = endpoints.address[middle]! - address || endpoints.port[middle]! - port;
      if (order === 0) return middle;
      if (order < 0) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }
}
