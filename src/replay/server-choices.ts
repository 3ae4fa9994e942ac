/** Remembers which endpoint the rules chose for a client, and makes the recorded server's packets come from there. */
import { POD_MAC_HI } from '../addr/mac.js';
import type { StateBuffer } from '../layout/state-buffer.js';
import { ADDRESS_KIND, findAddress } from '../tables/addresses.js';
import type { Tables } from '../tables/epoch.js';
import { isClusterAddress, NONE } from '../tables/nodes.js';
import { Verdict } from '../verdict/verdict.js';
import { ETHERNET } from '../wire/ethernet.js';
import { IPV4, ipv4HeaderSize } from '../wire/ipv4.js';
import type { LaneChoices, LaneProgram } from '../workers/lane-program.js';
import { type LaneRows, RowRole } from '../workers/parcel.js';
import { readdress } from './readdress.js';
import { MISS, RecentTable } from './recent-table.js';

/** Clients whose chosen endpoint is remembered. */
const CHOICES = 65_536;

export const createChoices = (tables: Tables): LaneChoices => new ServerChoices(tables, CHOICES);

/** Of a replay in which the rules choose. */
export const MODEL_PROGRAM: LaneProgram = {
  createChoices,
  module: new URL('./model-worker.js', import.meta.url).href,
};

class ServerChoices implements LaneChoices {
  #tables: Tables;
  /** (client, port and protocol, Service address). */
  readonly #table: RecentTable;
  readonly #server: Uint32Array;
  readonly #serverPort: Uint16Array;
  /** Row of the endpoint's pod; NONE when it is none, or has gone. */
  readonly #pod: Uint32Array;
  /** The client as the endpoint sees it: masqueraded where it is its own endpoint. */
  readonly #client: Uint32Array;
  readonly #clientPort: Uint16Array;

  constructor(tables: Tables, capacity: number) {
    this.#tables = tables;
    this.#table = new RecentTable(capacity);
    this.#server = new Uint32Array(capacity);
    this.#serverPort = new Uint16Array(capacity);
    this.#pod = new Uint32Array(capacity);
    this.#client = new Uint32Array(capacity);
    this.#clientPort = new Uint16Array(capacity);
  }

  use(tables: Tables): void {
    this.#tables = tables;
    for (let row = 0; row < this.#table.used; row++)
      if (this.#pod[row] !== NONE) this.#pod[row] = podRow(tables, this.#server[row]!);
  }

  has(rows: LaneRows, i: number): boolean {
    return this.#find(rows, i) !== MISS;
  }

  /** Output row `out` is what became of input row `i`: note the choice if it was a client's packet and arrived. */
  note(rows: LaneRows, i: number, out: number): void {
    const { role, output, input } = rows;
    const endpoint = output.endpoint[out]!;
    if (role[i] !== RowRole.OPENS && role[i] !== RowRole.TO_SERVICE) return;
    if (endpoint < 0 || output.verdict[out] !== Verdict.Delivered) return;
    let row = this.#find(rows, i);
    if (row === MISS || this.#table.isAged(row))
      row = this.#table.add(rows.client[i]!, rows.clientPort[i]!, this.#serviceIp(rows, i), 0);
    const { view } = input.arena;
    const l3 = output.offset[out]! + ETHERNET.SIZE;
    const { endpoints } = this.#tables;
    this.#server[row] = endpoints.address[endpoint]!;
    this.#serverPort[row] = endpoints.port[endpoint]!;
    this.#pod[row] = endpoints.pod[endpoint]!;
    this.#client[row] = view.getUint32(l3 + IPV4.SRC);
    this.#clientPort[row] = view.getUint16(l3 + ipv4HeaderSize(view, l3));
  }

  /** Make input row `i`, a recorded server's packet, the chosen endpoint's. False when it is that already, or cannot be. */
  follow(rows: LaneRows, i: number): boolean {
    const row = this.#find(rows, i);
    if (row === MISS) return false;
    const { pods } = this.#tables;
    const { input, inner } = rows;
    const pod = this.#pod[row]!;
    // An endpoint that is no pod sends from outside the pod network: nothing to inject there.
    if (pod === NONE) return false;
    const client = this.#client[row]!;
    const isPod = this.#isNeighbour(pod, client);
    const node = pods.node[pod]!;
    const { tunMacHi, tunMacLo } = this.#tables.nodes;
    const at = input.offset[i]! + inner[i]!;
    const to = {
      server: this.#server[row]!,
      serverPort: this.#serverPort[row]!,
      client,
      clientPort: this.#clientPort[row]!,
    };
    const [hi, lo] = isPod ? [POD_MAC_HI, client] : [tunMacHi[node]!, tunMacLo[node]!];
    if (!readdress(input.arena.view, at, to, hi, lo)) return false;
    input.offset[i] = at;
    input.length[i] = input.length[i]! - inner[i]!;
    input.port[i] = pods.port[pod]!;
    return true;
  }

  save(to: StateBuffer): void {
    this.#table.save(to);
    for (const column of this.#columns()) to.putArray(column, this.#table.used);
  }

  restore(from: StateBuffer): void {
    this.#table.restore(from);
    for (const column of this.#columns()) from.takeArray(column);
  }

  #columns() {
    return [this.#server, this.#serverPort, this.#pod, this.#client, this.#clientPort];
  }

  /** Is `address` a pod's, on the link of the pod network? The node's gateway is tun0 itself. */
  #isNeighbour(pod: number, address: number): boolean {
    const { networks, nodes, pods } = this.#tables;
    if (address === nodes.gateway[pods.node[pod]!]) return false;
    return isClusterAddress(networks, address);
  }

  #find(rows: LaneRows, i: number): number {
    return this.#table.find(rows.client[i]!, rows.clientPort[i]!, this.#serviceIp(rows, i), 0);
  }

  #serviceIp(rows: LaneRows, i: number): number {
    return this.#tables.services.ip[rows.service[i]!]!;
  }
}

/** Row of the pod at `address`, or NONE. */
function podRow({ addresses }: Tables, address: number): number {
  const slot = findAddress(addresses, address);
  return slot >= 0 && addresses.kind[slot] === ADDRESS_KIND.POD ? addresses.row[slot]! : NONE;
}
