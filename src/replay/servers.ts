/** Where Services and their endpoints answer: those of the tables in force, and of all that take force in the run. Which
 *  end of a connection is the server must not change while it lasts. */
import type { Tables } from '../tables/epoch.js';
import { RecentTable } from './recent-table.js';

const SIZE_AT_START = 1024;

export class Servers {
  /** (address, port and protocol). Grows before it is full, so nothing is forgotten. */
  #table: RecentTable;
  #isEndpoint: Uint8Array;
  #address: Uint32Array;
  #portProto: Uint32Array;

  constructor(size = SIZE_AT_START) {
    this.#table = new RecentTable(size);
    this.#isEndpoint = new Uint8Array(size);
    this.#address = new Uint32Array(size);
    this.#portProto = new Uint32Array(size);
  }

  /** Those of a table set. */
  static of(tables: Tables): Servers {
    const servers = new Servers(Math.max(1, tables.endpoints.rows + tables.services.rows));
    servers.addAll(tables);
    return servers;
  }

  addAll(tables: Tables): void {
    const { services } = tables;
    for (let row = 0; row < services.rows; row++) this.addService(tables, row);
  }

  /** The Service in this row, if there is one, and its endpoints. */
  addService({ services, endpoints }: Tables, service: number): void {
    if (services.portProto[service] === 0) return;
    this.#add(services.ip[service]!, services.portProto[service]!, false);
    const first = services.first[service]!;
    const protocol = services.portProto[service]! & 0xffff;
    for (let row = first; row < first + services.count[service]!; row++)
      this.#add(endpoints.address[row]!, ((endpoints.port[row]! << 16) | protocol) >>> 0, true);
  }

  /** Does some Service or endpoint answer at `address:port` with this protocol? */
  has(address: number, port: number, protocol: number): boolean {
    return this.#table.find(address, (port << 16) | protocol, 0, 0) >= 0;
  }

  /** The same for endpoints alone. */
  hasEndpoint(address: number, port: number, protocol: number): boolean {
    const row = this.#table.find(address, (port << 16) | protocol, 0, 0);
    return row >= 0 && this.#isEndpoint[row] === 1;
  }

  #add(address: number, portProto: number, isEndpoint: boolean): void {
    let row = this.#table.find(address, portProto, 0, 0);
    if (row < 0) {
      if (this.#table.used === this.#table.capacity) this.#grow();
      row = this.#table.add(address, portProto, 0, 0);
      this.#address[row] = address;
      this.#portProto[row] = portProto;
    }
    if (isEndpoint) this.#isEndpoint[row] = 1;
  }

  #grow(): void {
    const old = this.#table.capacity;
    const grown = new Servers(old * 2);
    for (let row = 0; row < old; row++)
      grown.#add(this.#address[row]!, this.#portProto[row]!, this.#isEndpoint[row] === 1);
    this.#table = grown.#table;
    this.#isEndpoint = grown.#isEndpoint;
    this.#address = grown.#address;
    this.#portProto = grown.#portProto;
  }
}
