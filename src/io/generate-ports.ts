/** Source ports for many flows: flows that could be mistaken for each other never share one at the same time.
 *
 *  A client's connection to a Service and one straight to its endpoint have the same reply tuple, so ports are
 *  counted by client and by *class*: all targets that share an address and port, or a server. Of the n flows of one
 *  group, flow k has the ports first + k, first + k + n, first + k + 2n …, so a new port needs no search. */
import type { TrafficTarget } from './generate-topology.js';

/** Linux' net.ipv4.ip_local_port_range. */
const EPHEMERAL = { FIRST: 32_768, COUNT: 28_232 } as const;
/** What a group may use that needs more. */
const WIDE = { FIRST: 1_024, COUNT: 64_512 } as const;

export class PortGroups {
  readonly #classOf: Uint32Array;
  readonly #classes: number;
  readonly #group: Uint32Array;
  /** Number of the flow in its group. */
  readonly #place: Uint32Array;
  readonly #turn: Uint32Array;
  readonly #sizes: Uint32Array;

  constructor(flows: number, targets: readonly TrafficTarget[], pods: number) {
    this.#classOf = classesOf(targets);
    this.#classes = this.#classOf.reduce((most, one) => Math.max(most, one + 1), 0);
    this.#group = new Uint32Array(flows);
    this.#place = new Uint32Array(flows);
    this.#turn = new Uint32Array(flows);
    this.#sizes = new Uint32Array(pods * this.#classes);
  }

  /** Put flow `i` into the group of its client and target. */
  add(i: number, client: number, target: number): void {
    const group = client * this.#classes + this.#classOf[target]!;
    this.#group[i] = group;
    this.#place[i] = this.#sizes[group]!++;
  }

  /** Is there a port left for one more flow of this client and target? */
  hasRoom(client: number, target: number): boolean {
    return this.#sizes[client * this.#classes + this.#classOf[target]!]! < WIDE.COUNT;
  }

  /** The port that flow `i` has now. Right once all flows are added. */
  port(i: number): number {
    const size = this.#sizes[this.#group[i]!]!;
    const range = size > EPHEMERAL.COUNT ? WIDE : EPHEMERAL;
    const turns = Math.floor(range.COUNT / size);
    return range.FIRST + this.#place[i]! + (this.#turn[i]! % turns) * size;
  }

  nextPort(i: number): number {
    this.#turn[i]!++;
    return this.port(i);
  }
}

/** Class of each target: those with a common server or address, directly or by way of others, are one. */
function classesOf(targets: readonly TrafficTarget[]): Uint32Array {
  const parent = Uint32Array.from(targets, (_, i) => i);
  const root = (i: number): number => {
    let at = i;
    while (parent[at] !== at) at = parent[at] = parent[parent[at]!]!;
    return at;
  };
  const first = new Map<string, number>();
  const join = (key: string, target: number): void => {
    const other = first.get(key);
    if (other === undefined) first.set(key, target);
    else parent[root(target)] = root(other);
  };
  targets.forEach(({ address, port, protocol, servers, serversOfNode }, i) => {
    join(`address ${address} ${port} ${protocol}`, i);
    for (const run of [servers, ...serversOfNode.values()])
      for (const server of run) join(`server ${server.pod} ${server.port} ${protocol}`, i);
  });
  const numbers = new Map<number, number>();
  return Uint32Array.from(targets, (_, i) => {
    const top = root(i);
    if (!numbers.has(top)) numbers.set(top, numbers.size);
    return numbers.get(top)!;
  });
}
