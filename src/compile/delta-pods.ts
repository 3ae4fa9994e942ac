/** Pods that come, change and go in a live table set. A pod's rows stay where they are as long as it is there; those of one that
 *  went are the next one's. */
import { POD_MAC_HI } from '../addr/mac.js';
import type { PodChange } from '../model/change.js';
import type { Cluster, Pod } from '../model/cluster.js';
import { ADDRESS_KIND } from '../tables/addresses.js';
import type { Tables } from '../tables/epoch.js';
import { OFPORT } from '../tables/flows.js';
import {
  LISTEN_TABLE,
  NONE,
  OFPORT_TABLE,
  POD_FLAG,
  POD_TABLE,
  PORT_KIND,
  PORT_TABLE,
} from '../tables/nodes.js';
import { POLICY_PODS } from '../tables/policies.js';
import { flowsOfPod, type PodPlace, podObject } from './bridge-ends.js';
import type { AddressDelta } from './delta-addresses.js';
import type { FlowDelta } from './delta-flows.js';
import type { PolicyDelta } from './delta-policies.js';
import type { StringsDelta } from './delta-strings.js';
import type { LiveSet } from './live-set.js';
import { multicastNetIds } from './multicast.js';
import { listenKey, ofportOf, podKey } from './nodes.js';
import { Runs } from './runs.js';

export interface PodDeltaParts {
  readonly strings: StringsDelta;
  readonly flows: FlowDelta;
  readonly policies: PolicyDelta;
  readonly addresses: AddressDelta;
  /** Keys of pods that answer cluster DNS. */
  readonly dnsPods: ReadonlySet<string>;
  /** Endpoints of the pod are in row `row` of the pod table from now on. */
  readonly movePod: (key: string, row: number) => void;
}

export class PodDelta {
  readonly #set: LiveSet;
  readonly #parts: PodDeltaParts;
  readonly #cluster: Pick<Cluster, 'nodes'>;
  /** By podKey. */
  readonly #rowOf: Map<string, number>;
  readonly #nodes: ReadonlyMap<string, number>;
  readonly #vni: ReadonlyMap<string, number>;
  readonly #multicast: ReadonlySet<number>;
  readonly #freePods: number[] = [];
  readonly #freePorts: number[] = [];
  readonly #listen: Runs;
  /** By node: how many rows its run of OFP1 has. */
  readonly #ofportRoom: number[];
  #pods: number;
  #ports: number;
  #ofports: number;

  constructor(
    set: LiveSet,
    cluster: Cluster,
    nodes: ReadonlyMap<string, number>,
    podRows: Map<string, number>,
    parts: PodDeltaParts,
  ) {
    this.#set = set;
    this.#parts = parts;
    this.#cluster = { nodes: cluster.nodes };
    this.#nodes = nodes;
    this.#rowOf = podRows;
    this.#vni = new Map(cluster.namespaces.map(({ name, vni }) => [name, vni]));
    this.#multicast = multicastNetIds(cluster);
    const { pods, ports, ofports, listen, nodes: table } = set.tables;
    this.#pods = pods.rows;
    this.#ports = ports.rows;
    this.#ofports = ofports.rows;
    this.#listen = new Runs(listen.rows, listen.capacity);
    this.#ofportRoom = Array.from({ length: table.rows }, (_, row) => {
      const end = row + 1 < table.rows ? table.ofportFirst[row + 1]! : ofports.rows;
      return end - table.ofportFirst[row]!;
    });
  }

  get rows(): readonly (readonly [layout: unknown, rows: number])[] {
    return [
      [POD_TABLE, this.#pods],
      [PORT_TABLE, this.#ports],
      [OFPORT_TABLE, this.#ofports],
      [LISTEN_TABLE, this.#listen.end],
      [POLICY_PODS, this.#pods],
    ];
  }

  /** False when the change takes a whole compile: no room, or a rule that speaks of more than this pod. */
  change({ before, after }: PodChange): boolean {
    const old = onNetwork(before);
    const fresh = onNetwork(after);
    if (old !== null && fresh !== null && old.address === fresh.address && old.node === fresh.node)
      return this.#amend(old, fresh);
    return (old === null || this.#remove(old)) && (fresh === null || this.#add(fresh));
  }

  /** Does the pod answer cluster DNS now, or not any more? */
  setDns(key: string, isDns: boolean): void {
    const row = this.#rowOf.get(key);
    if (row !== undefined) this.#set.set(this.#tables.pods.flags, row, isDns ? POD_FLAG.DNS : 0);
  }

  get #tables(): Tables {
    return this.#set.tables;
  }

  #amend(old: Pod, fresh: Pod): boolean {
    const { policies } = this.#parts;
    const row = this.#rowOf.get(podKey(old))!;
    if (JSON.stringify(old.ports) !== JSON.stringify(fresh.ports) && !this.#setListen(row, fresh))
      return false;
    if (!policies.isSame(old, fresh)) return policies.leave(row, old.address) && policies.join(row, fresh);
    policies.replace(row, fresh);
    return true;
  }

  #add(pod: Pod): boolean {
    const { strings, flows, policies, addresses, dnsPods, movePod } = this.#parts;
    const { pods, ports } = this.#tables;
    const key = podKey(pod);
    const place = this.#placeOf(pod);
    const name = strings.id(key);
    const portName = strings.id(`pod:${key}`);
    if (this.#multicast.has(place.vni) || name < 0 || portName < 0 || place.object < 0) return false;
    const row = this.#freePods.pop() ?? this.#pods++;
    const port = this.#freePorts.pop() ?? this.#ports++;
    if (row >= pods.capacity || port >= ports.capacity) return false;
    this.#rowOf.set(key, row);
    this.#set.set(pods.address, row, pod.address);
    this.#set.set(pods.node, row, place.node);
    this.#set.set(pods.vni, row, place.vni);
    this.#set.set(pods.ofport, row, place.inPort);
    this.#set.set(pods.macHi, row, POD_MAC_HI);
    this.#set.set(pods.macLo, row, pod.address);
    this.#set.set(pods.port, row, port);
    this.#set.set(pods.name, row, name);
    this.#set.set(pods.flags, row, dnsPods.has(key) ? POD_FLAG.DNS : 0);
    this.#setPort(port, place.node, row, portName, PORT_KIND.POD);
    movePod(key, row);
    return (
      this.#setListen(row, pod) &&
      this.#setOfport(place, row) &&
      addresses.add(pod.address, row, ADDRESS_KIND.POD) &&
      flowsOfPod(pod.address, place).every((flow) => flows.add(flow) >= 0) &&
      policies.join(row, pod)
    );
  }

  #remove(pod: Pod): boolean {
    const { flows, policies, addresses, movePod } = this.#parts;
    const { pods } = this.#tables;
    const key = podKey(pod);
    const place = this.#placeOf(pod);
    const row = this.#rowOf.get(key)!;
    if (this.#multicast.has(place.vni) || !policies.leave(row, pod.address)) return false;
    for (const flow of flowsOfPod(pod.address, place)) if (!flows.remove(flow)) return false;
    if (!addresses.remove(pod.address, ADDRESS_KIND.POD) || !this.#setOfport(place, NONE)) return false;
    this.#setListen(row, { ports: [] });
    movePod(key, NONE);
    const port = pods.port[row]!;
    this.#setPort(port, NONE, NONE, 0, 0);
    for (const column of [pods.address, pods.vni, pods.ofport, pods.macHi, pods.macLo, pods.name, pods.flags])
      this.#set.set(column, row, 0);
    for (const column of [pods.node, pods.port]) this.#set.set(column, row, NONE);
    this.#rowOf.delete(key);
    this.#freePods.push(row);
    this.#freePorts.push(port);
    return true;
  }

  #placeOf(pod: Pod): PodPlace {
    const node = this.#nodes.get(pod.node)!;
    return {
      inPort: ofportOf(this.#cluster.nodes[node]!, pod.address),
      node,
      vni: this.#vni.get(pod.namespace) ?? 0,
      object: this.#parts.strings.id(podObject(pod)),
    };
  }

  #setPort(row: number, node: number, pod: number, name: number, kind: number): void {
    const { ports } = this.#tables;
    this.#set.set(ports.node, row, node);
    this.#set.set(ports.pod, row, pod);
    this.#set.set(ports.name, row, name);
    this.#set.set(ports.kind, row, kind);
  }

  #setListen(row: number, { ports }: Pick<Pod, 'ports'>): boolean {
    const { pods, listen } = this.#tables;
    const first = this.#listen.resize(pods.listenFirst[row]!, pods.listenCount[row]!, ports.length);
    if (first < 0) return false;
    ports.forEach((port, i) => {
      this.#set.set(listen.portProto, first + i, listenKey(port));
    });
    this.#set.set(pods.listenFirst, row, first);
    this.#set.set(pods.listenCount, row, ports.length);
    return true;
  }

  /** `pod`: row of the pod table, or NONE. */
  #setOfport({ node, inPort }: PodPlace, pod: number): boolean {
    const { ofports, nodes } = this.#tables;
    const at = inPort - OFPORT.FIRST_POD;
    if (at >= this.#ofportRoom[node]! && !this.#moveOfports(node, at + 1)) return false;
    this.#set.set(ofports.pod, nodes.ofportFirst[node]! + at, pod);
    return true;
  }

  /** Give the node's run room for `least` rows, behind all others. */
  #moveOfports(node: number, least: number): boolean {
    const { ofports, nodes } = this.#tables;
    const old = nodes.ofportFirst[node]!;
    const count = this.#ofportRoom[node]!;
    const first = this.#ofports;
    const room = [Math.max(least, count * 2), least].find((rows) => first + rows <= ofports.capacity);
    if (room === undefined) return false;
    for (let i = 0; i < room; i++)
      this.#set.set(ofports.pod, first + i, i < count ? ofports.pod[old + i]! : NONE);
    this.#set.set(nodes.ofportFirst, node, first);
    this.#ofportRoom[node] = room;
    this.#ofports = first + room;
    return true;
  }
}

const onNetwork = (pod: Pod | null): Pod | null => (pod === null || pod.isHostNetwork ? null : pod);
