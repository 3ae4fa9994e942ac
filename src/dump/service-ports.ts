/** A Service's port as kube-proxy on one node sees it: its rows, the fronts before it, and which chains it has.
 *  Source: kubernetes pkg/proxy/iptables/proxier.go (syncProxyRules), topology.go (CategorizeEndpoints). */
import { formatIpv4 } from '../addr/ipv4.js';
import type { Epoch, Tables } from '../tables/epoch.js';
import { FRONT_KIND } from '../tables/fronts.js';
import { NONE } from '../tables/nodes.js';
import { ANY_NODE, rowOfNode, SCOPE, SERVICE_FLAG } from '../tables/services.js';
import { type ServiceChain, serviceChain } from './chain-names.js';
import type { Rule } from './iptables-text.js';

const PROTOCOLS: Readonly<Record<number, string>> = { 6: 'tcp', 17: 'udp', 132: 'sctp' };

/** Row of SVC1, or NONE where nothing uses that choice. */
export interface PortView {
  readonly name: string;
  readonly protocol: string;
  /** `Service namespace/name`. */
  readonly object: string;
  /** Compares address, protocol and port of the ClusterIP, in a rule's fields. */
  readonly match: Pick<Rule, 'destination' | 'protocol' | 'matches'>;
  /** Seconds of session affinity; 0 for none. */
  readonly affinity: number;
  readonly cluster: number;
  readonly local: number;
  readonly isInternalLocal: boolean;
  readonly isExternalLocal: boolean;
  readonly hasEndpoints: boolean;
  readonly hasInternalEndpoints: boolean;
  readonly hasExternalEndpoints: boolean;
  readonly fronts: readonly Front[];
  chain(kind: ServiceChain): string;
}

export interface Front {
  readonly kind: number;
  readonly address: string;
  readonly protocol: string;
  readonly port: number;
  /** Prefixes of the sources that may use it; empty for all. */
  readonly ranges: readonly string[];
}

/** Compares a protocol and a destination port. */
export const portMatch = (protocol: string, port: number): Pick<Rule, 'protocol' | 'matches'> => ({
  protocol,
  matches: `-m ${protocol} --dport ${port}`,
});

/** Every Service port, as node row `node` has it. */
export function servicePorts(epoch: Epoch, node: number): readonly PortView[] {
  const { services } = epoch.tables;
  const fronts = frontsByPort(epoch);
  const ports: PortView[] = [];
  for (let row = 0; row < services.rows; row++)
    if (isPort(services, row)) ports.push(portView(epoch, row, fronts.get(keyOf(epoch, row)) ?? [], node));
  return ports;
}

/** Is the row a port's, for its ClusterIP and any node? Rows of no Service have no port. */
const isPort = ({ portProto, node, scope }: Tables['services'], row: number): boolean =>
  portProto[row] !== 0 && node[row] === ANY_NODE && scope[row] === SCOPE.INTERNAL;

function portView(epoch: Epoch, any: number, rows: readonly number[], node: number): PortView {
  const { services, serviceSlots, fronts } = epoch.tables;
  const own = (row: number): number => (row === NONE ? NONE : rowOfNode(services, serviceSlots, row, node));
  const count = (row: number): number => (row === NONE ? 0 : services.count[row]!);
  const internal = own(any);
  const isInternalLocal = (services.flags[any]! & SERVICE_FLAG.LOCAL_ONLY) !== 0;
  const [front] = rows;
  const externalLocal = front === undefined ? NONE : own(fronts.local[front]!);
  const cluster = front === undefined ? (isInternalLocal ? NONE : internal) : own(fronts.cluster[front]!);
  const local = isInternalLocal ? internal : externalLocal;
  const hasEndpoints = cluster === NONE ? isInternalLocal : count(cluster) > 0;
  const portProto = services.portProto[any]!;
  const name = epoch.text(services.name[any]!);
  const protocol = PROTOCOLS[portProto & 0xff]!;
  return {
    name,
    protocol,
    object: `Service ${name.split(':')[0]}`,
    match: { destination: `${formatIpv4(services.ip[any]!)}/32`, ...portMatch(protocol, portProto >>> 16) },
    affinity: services.affinity[any]!,
    cluster,
    local,
    isInternalLocal,
    isExternalLocal: externalLocal !== NONE,
    hasEndpoints,
    hasInternalEndpoints: count(internal) > 0,
    hasExternalEndpoints: externalLocal === NONE ? hasEndpoints : count(externalLocal) > 0,
    fronts: rows.map((row) => describeFront(epoch, row)),
    chain: (kind) => serviceChain(kind, name, protocol),
  };
}

const keyOf = ({ tables: { services } }: Epoch, row: number): string =>
  `${services.ip[row]} ${services.portProto[row]}`;

function frontsByPort(epoch: Epoch): Map<string, number[]> {
  const { fronts } = epoch.tables;
  const found = new Map<string, number[]>();
  for (let row = 0; row < fronts.rows; row++) {
    if (fronts.kind[row] === 0) continue;
    const key = keyOf(epoch, fronts.cluster[row]!);
    const list = found.get(key) ?? [];
    found.set(key, list);
    list.push(row);
  }
  return found;
}

function describeFront({ tables: { fronts, ranges } }: Epoch, row: number): Front {
  const first = fronts.rangeFirst[row]!;
  const prefix = (i: number): string => `${formatIpv4(ranges.base[i]!)}/${Math.clz32(~ranges.mask[i]!)}`;
  return {
    kind: fronts.kind[row]!,
    address: formatIpv4(fronts.ip[row]!),
    protocol: PROTOCOLS[fronts.portProto[row]! & 0xff]!,
    port: fronts.portProto[row]! >>> 16,
    ranges: Array.from({ length: fronts.rangeCount[row]! }, (_, i) => prefix(first + i)),
  };
}

/** Has the port a KUBE-FW chain? */
export const hasFirewall = (port: PortView): boolean =>
  port.hasEndpoints &&
  port.fronts.some((front) => front.kind === FRONT_KIND.LOAD_BALANCER && front.ranges.length > 0);

/** Has the port a KUBE-EXT chain? It has one even where only other nodes have endpoints, for pods and the node itself. */
export const hasExternalChain = (port: PortView): boolean =>
  port.hasEndpoints && port.fronts.some((front) => front.kind !== FRONT_KIND.HEALTH_CHECK);
