/** Finds a Service's endpoint by its address, and tells the server's end of a connection from the client's. */
import type { Tables } from '../tables/epoch.js';
import { RecentTable } from '../workers/recent-table.js';

export class ServiceIndex {
  readonly #tables: Tables;
  /** (service address, port and protocol, endpoint address, port): its first row in the endpoint table. */
  readonly #endpoints: RecentTable;
  readonly #endpointRow: Int32Array;
  /** (address, port and protocol): a Service or an endpoint of one. */
  readonly #servers: RecentTable;
  readonly #isEndpoint: Uint8Array;

  constructor(tables: Tables) {
    this.#tables = tables;
    const { services, endpoints } = tables;
    this.#endpoints = new RecentTable(Math.max(1, endpoints.rows));
    this.#endpointRow = new Int32Array(this.#endpoints.capacity);
    this.#servers = new RecentTable(Math.max(1, endpoints.rows + services.rows));
    this.#isEndpoint = new Uint8Array(this.#servers.capacity);
    for (let row = 0; row < services.rows; row++)
      this.#servers.add(services.ip[row]!, services.portProto[row]!, 0, 0);
    for (let row = 0; row < endpoints.rows; row++) this.#addEndpoint(row);
  }

  /** Row of the endpoint `address:port` of the Service port in `service`'s row, or -1. A Service whose nodes choose
   *  differently has the endpoint more than once; the first row stands for all. */
  endpoint(service: number, address: number, port: number): number {
    const { ip, portProto } = this.#tables.services;
    const found = this.#endpoints.find(ip[service]!, portProto[service]!, address, port);
    return found < 0 ? -1 : this.#endpointRow[found]!;
  }

  /** Is `address:port` with this protocol where some Service or endpoint answers? */
  isServer(address: number, port: number, protocol: number): boolean {
    return this.#servers.find(address, (port << 16) | protocol, 0, 0) >= 0;
  }

  /** The same for endpoints alone. */
  isEndpoint(address: number, port: number, protocol: number): boolean {
    const found = this.#servers.find(address, (port << 16) | protocol, 0, 0);
    return found >= 0 && this.#isEndpoint[found] === 1;
  }

  #addEndpoint(row: number): void {
    const { services, endpoints } = this.#tables;
    const service = endpoints.service[row]!;
    const [ip, portProto] = [services.ip[service]!, services.portProto[service]!];
    const [address, port] = [endpoints.address[row]!, endpoints.port[row]!];
    if (this.#endpoints.find(ip, portProto, address, port) < 0)
      this.#endpointRow[this.#endpoints.add(ip, portProto, address, port)] = row;
    const server = (port << 16) | (portProto & 0xffff);
    const known = this.#servers.find(address, server, 0, 0);
    this.#isEndpoint[known < 0 ? this.#servers.add(address, server, 0, 0) : known] = 1;
  }
}
