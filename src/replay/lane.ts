/** Which lane owns a packet: the client's address decides, so that both directions of a connection meet its state. */

import { FrameType, PacketView } from '../packet/packet-view.js';
import { ADDRESS_KIND, findAddress, mix32 } from '../tables/addresses.js';
import type { Tables } from '../tables/epoch.js';
import { isInside } from './entry.js';
import { frontClient } from './front-client.js';
import { MISS, RecentTable } from './recent-table.js';
import type { ServiceIndex } from './service-index.js';

const MASQUERADED = 65_536;

export class LaneChooser {
  #tables: Tables;
  readonly #services: ServiceIndex;
  readonly #lanes: number;
  readonly #quote = new PacketView();
  /** What left the cluster under a node's address, by the reply's addresses and ports. Masquerade keeps a free port. */
  readonly #masqueraded = new RecentTable(MASQUERADED);
  readonly #masqueradedLane = new Uint32Array(MASQUERADED);
  readonly #vniOfEgressIp = new Map<number, number>();
  readonly #egressVnis = new Set<number>();

  constructor(tables: Tables, services: ServiceIndex, lanes: number) {
    this.#tables = tables;
    this.#services = services;
    this.#lanes = lanes;
    const { egressIps } = tables;
    for (let row = 0; row < egressIps.rows; row++) {
      this.#vniOfEgressIp.set(egressIps.address[row]!, egressIps.vni[row]!);
      this.#egressVnis.add(egressIps.vni[row]!);
    }
  }

  /** Go on by other tables. Which lane a known connection belongs to stays. */
  use(tables: Tables): void {
    this.#tables = tables;
  }

  /** Lane of the packet in `view`, which enters at row `port` of the port table; a later fragment's view has been lent
   *  the ports of its first. */
  laneOf(p: DataView, view: PacketView, port: number): number {
    if (this.#lanes === 1) return 0;
    if (view.readQuote(p, this.#quote)) return this.#laneOf(this.#quote, port, true);
    return this.#laneOf(view, port, false);
  }

  #laneOf(view: PacketView, port: number, isQuote: boolean): number {
    const { src, dst, sport, dport, protocol } = view;
    const front = view.hasPorts ? this.#frontClient(view, port) : MISS;
    if (front >= 0) return this.#hash(front);
    const isFromServer = view.hasPorts && this.#services.isServer(src, sport, protocol);
    const isToServer = view.hasPorts && this.#services.isServer(dst, dport, protocol);
    if (isFromServer && isToServer) return 0;
    if (isToServer) return this.#hash(src);
    if (isFromServer) return this.#hash(dst);
    const pair = this.#hash(Math.imul(src ^ dst, 0x9e3779b1) ^ (src + dst));
    if (view.type !== FrameType.IPV4 || isInside(this.#tables, isQuote ? src : dst)) return pair;
    return this.#laneAcrossBorder(view, port, pair);
  }

  /** Either direction of a connection to an address from outside. */
  #frontClient({ src, dst, sport, dport, protocol }: PacketView, port: number): number {
    const asked = frontClient(this.#tables, src, dst, dport, protocol, port);
    return asked >= 0 ? asked : frontClient(this.#tables, dst, src, sport, protocol, port);
  }

  /** Pod to outside: remember the lane for the replies, which come to the node. Outside to node: look it up. */
  #laneAcrossBorder(view: PacketView, port: number, pair: number): number {
    const { src, dst, sport, dport, protocol } = view;
    const { addresses, nodes, ports } = this.#tables;
    const kind = kindOf(addresses, dst);
    const isTo = kind === ADDRESS_KIND.NODE || kind === ADDRESS_KIND.EGRESS_IP;
    if (isTo && !isInside(this.#tables, src)) {
      const own = this.#vniOfEgressIp.get(dst) ?? dst;
      const row = this.#masqueraded.find(src, own, (sport << 16) | dport, protocol);
      return row === MISS ? pair : this.#masqueradedLane[row]!;
    }
    if (!isInside(this.#tables, src)) return pair;
    const own = this.#leavesUnder(src) ?? nodes.address[ports.node[port]!]!;
    let row = this.#masqueraded.find(dst, own, (dport << 16) | sport, protocol);
    if (row === MISS || this.#masqueraded.isAged(row))
      row = this.#masqueraded.add(dst, own, (dport << 16) | sport, protocol);
    this.#masqueradedLane[row] = pair;
    return pair;
  }

  /** Which of its egress addresses a connection of a NetID gets is a bucket's affair: its NetID stands for all of them. */
  #leavesUnder(pod: number): number | undefined {
    const { addresses, pods } = this.#tables;
    if (this.#egressVnis.size === 0) return undefined;
    const slot = findAddress(addresses, pod);
    if (slot < 0 || addresses.kind[slot] !== ADDRESS_KIND.POD) return undefined;
    const vni = pods.vni[addresses.row[slot]!]!;
    return this.#egressVnis.has(vni) ? vni : undefined;
  }

  #hash(key: number): number {
    return mix32(key) % this.#lanes;
  }
}

function kindOf(addresses: Tables['addresses'], address: number): number {
  const slot = findAddress(addresses, address);
  return slot < 0 ? 0 : addresses.kind[slot]!;
}
