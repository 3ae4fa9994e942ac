/** Draws who talks to whom: client, target and server of one flow after another. */
import { PROTOCOL } from '../wire/ipv4.js';
import type { PortGroups } from './generate-ports.js';
import type { SeededRandom } from './generate-random.js';
import {
  isServed,
  serversFor,
  type TrafficServer,
  type TrafficTarget,
  type TrafficTopology,
} from './generate-topology.js';

/** What a profile wants its flows to be. */
export interface FlowWish {
  /** Where they may go: all targets of the topology that fit. */
  readonly targets: readonly TrafficTarget[];
  /** Of flows that could go either way, how many go to a Service, 0..1. */
  readonly serviceShare: number;
  /** Flows that get no answer, 0..1: Services without endpoints, servers closed by policy. */
  readonly closedShare: number;
}

/** Draws that may fail before a wish counts as impossible. Failure means: same pod, other tenant, wrong place. */
const DRAWS_MAX = 1_000;
/** Draws in which a flow between pods still asks for the place (same node or another) it was given. */
const PLACE_DRAWS = 16;

/** One draw after another of client, target and server. */
export class FlowDraw {
  client = 0;
  targetRow = 0;
  target: TrafficTarget;
  server: TrafficServer | null = null;
  readonly #clients: readonly number[];
  readonly #services: readonly number[];
  readonly #pods: readonly number[];
  readonly #closed: readonly number[];

  constructor(
    readonly topology: TrafficTopology,
    readonly wish: FlowWish,
    readonly random: SeededRandom,
    readonly groups: PortGroups,
  ) {
    const rows = wish.targets.map((_, row) => row);
    const isOpen = (row: number): boolean => isServed(wish.targets[row]!);
    this.#clients = topology.pods.flatMap((pod, index) => (pod.isClient ? [index] : []));
    this.#services = rows.filter((row) => isOpen(row) && wish.targets[row]!.kind === 'service');
    this.#pods = rows.filter((row) => isOpen(row) && wish.targets[row]!.kind === 'pod');
    this.#closed = wish.closedShare > 0 ? rows.filter((row) => !isOpen(row)) : [];
    this.target = wish.targets[0] ?? NO_TARGET;
  }

  /** Draw a flow. Returns false when none can be found. */
  next(): boolean {
    const { random, wish } = this;
    if (this.#clients.length === 0 || this.#services.length + this.#pods.length === 0) return false;
    const isClosed = this.#closed.length > 0 && random.unit() < wish.closedShare;
    const wantsService = random.unit() < wish.serviceShare;
    const rows = isClosed
      ? this.#closed
      : this.#pods.length === 0 || (wantsService && this.#services.length > 0)
        ? this.#services
        : this.#pods;
    const wantsSameNode = rows === this.#pods ? random.unit() < 0.5 : null;
    for (let draw = 0; draw < DRAWS_MAX; draw++) {
      // A profile whose pods cannot be reached by any client may still find a Service, and the other way round.
      const from = draw > DRAWS_MAX / 2 ? (rows === this.#pods ? this.#services : this.#pods) : rows;
      if (from.length === 0) continue;
      if (this.#tryOne(from, draw < PLACE_DRAWS ? wantsSameNode : null)) return true;
    }
    return false;
  }

  #tryOne(rows: readonly number[], wantsSameNode: boolean | null): boolean {
    const { random, wish, topology } = this;
    this.client = this.#clients[random.below(this.#clients.length)]!;
    this.targetRow = rows[random.below(rows.length)]!;
    this.target = wish.targets[this.targetRow]!;
    this.server = null;
    if (!this.groups.hasRoom(this.client, this.targetRow)) return false;
    const client = topology.pods[this.client]!;
    const servers = serversFor(this.target, client.node);
    if (servers.length === 0)
      return this.target.servers.length === 0 && this.target.address !== client.address;
    this.server = servers[random.below(servers.length)]!;
    const pod = topology.pods[this.server.pod]!;
    // A pod that reaches itself is masqueraded on the way; its replies go to the gateway, not to a client.
    if (this.server.pod === this.client) return false;
    if (wantsSameNode !== null && (pod.node === client.node) !== wantsSameNode) return false;
    return pod.tenant === client.tenant || pod.tenant === 0 || client.tenant === 0;
  }
}

const NO_TARGET: TrafficTarget = {
  kind: 'pod',
  address: 0,
  port: 0,
  protocol: PROTOCOL.TCP,
  dnsName: '',
  servers: [],
  serversOfNode: new Map(),
};
