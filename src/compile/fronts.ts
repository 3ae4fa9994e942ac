/** The addresses by which Services are reached from outside, to rows that name the choice of endpoints behind them. */
import { maskOf } from '../addr/ipv4.js';
import { TableBuilder } from '../layout/builder.js';
import type { Cluster } from '../model/cluster.js';
import type { Service, ServicePort } from '../model/service.js';
import { slotsFor } from '../tables/addresses.js';
import { FRONT_KIND, FRONT_SLOTS, FRONT_TABLE, frontHash, RANGE_TABLE } from '../tables/fronts.js';
import { NONE } from '../tables/nodes.js';
import { ANY_NODE, SCOPE } from '../tables/services.js';
import { PROTOCOL_NUMBER } from './nodes.js';
import { isExternal, type ServiceRun } from './services.js';

type Fronts = TableBuilder<typeof FRONT_TABLE.columns>;

/** A row of FRT1, but for its ranges: those of its Service, or none. */
export interface FrontRow {
  readonly ip: number;
  readonly portProto: number;
  readonly cluster: number;
  readonly local: number;
  readonly kind: number;
}

/** Fronts, their slots, and the ranges of sources, in the order of the table set. `runs`: where each Service's rows are. */
export function buildFronts(
  cluster: Cluster,
  runs: ReadonlyMap<Service, ServiceRun>,
): readonly TableBuilder<never>[] {
  const fronts = new TableBuilder(FRONT_TABLE);
  const ranges = new TableBuilder(RANGE_TABLE);
  for (const service of cluster.services) {
    const run = runs.get(service);
    if (run === undefined) continue;
    const rangeFirst = ranges.rows;
    for (const range of rangesOf(service)) ranges.add(range);
    const rangeCount = ranges.rows - rangeFirst;
    for (const row of frontRows(service, run))
      fronts.add({ ...row, ...rangesOfFront(row, rangeFirst, rangeCount) });
  }
  return [fronts, fillSlots(fronts), ranges] as unknown as readonly TableBuilder<never>[];
}

/** Sources that the load balancer's addresses of a Service take, as RNG1 has them. */
export const rangesOf = (service: Service): { readonly base: number; readonly mask: number }[] =>
  service.clusterIp === 0 || service.loadBalancerIps.length === 0
    ? []
    : service.sourceRanges.map(({ base, length }) => ({ base, mask: maskOf(length) }));

/** The ranges that a front has, of those of its Service. */
export const rangesOfFront = (
  { kind }: FrontRow,
  rangeFirst: number,
  rangeCount: number,
): { readonly rangeFirst: number; readonly rangeCount: number } =>
  kind === FRONT_KIND.LOAD_BALANCER ? { rangeFirst, rangeCount } : { rangeFirst: 0, rangeCount: 0 };

/** The fronts of a Service, port by port. */
export const frontRows = (service: Service, run: ServiceRun): FrontRow[] =>
  service.clusterIp === 0
    ? []
    : service.ports
        .filter((port) => isExternal(service, port))
        .flatMap((port) => portFronts(service, port, run));

interface Choices {
  readonly cluster: number;
  readonly local: number;
}

/** Rows of the two choices. One is the ClusterIP's own; the other follows where it differs. */
function choicesOf(service: Service, port: ServicePort, { first, rows }: ServiceRun): Choices {
  const own = first + rows.findIndex((row) => row.port === port);
  if (service.externalPolicy !== 'Local' && service.internalPolicy !== 'Local')
    return { cluster: own, local: NONE };
  const other =
    first +
    rows.findIndex((row) => row.port === port && row.scope === SCOPE.EXTERNAL && row.node === ANY_NODE);
  if (service.internalPolicy !== 'Local') return { cluster: own, local: other };
  return { cluster: other, local: service.externalPolicy === 'Local' ? own : NONE };
}

function portFronts(service: Service, port: ServicePort, run: ServiceRun): FrontRow[] {
  const choices = choicesOf(service, port, run);
  const protocol = PROTOCOL_NUMBER[port.protocol];
  const front = (kind: number, ip: number, number: number, ofProtocol = protocol): FrontRow => ({
    ip,
    portProto: ((number << 16) | ofProtocol) >>> 0,
    ...choices,
    kind,
  });
  const rows = [
    ...service.externalIps.map((ip) => front(FRONT_KIND.EXTERNAL_IP, ip, port.port)),
    ...service.loadBalancerIps.map((ip) => front(FRONT_KIND.LOAD_BALANCER, ip, port.port)),
  ];
  if (port.nodePort !== 0) rows.push(front(FRONT_KIND.NODE_PORT, 0, port.nodePort));
  if (service.healthCheckNodePort !== 0 && port === service.ports[0])
    rows.push(front(FRONT_KIND.HEALTH_CHECK, 0, service.healthCheckNodePort, PROTOCOL_NUMBER.TCP));
  return rows;
}

/** Of two Services that claim one address and port, the first has it: kube-proxy's order among them is undefined. */
function fillSlots(fronts: Fronts): TableBuilder<typeof FRONT_SLOTS.columns> {
  const table = new TableBuilder(FRONT_SLOTS);
  const slots = slotsFor(fronts.rows);
  table.addZeros(slots);
  for (let row = 0; row < fronts.rows; row++) {
    if (fronts.get(row, 'kind') === FRONT_KIND.HEALTH_CHECK) continue;
    const [ip, portProto] = [fronts.get(row, 'ip'), fronts.get(row, 'portProto')];
    let slot = frontHash(ip, portProto) & (slots - 1);
    for (; table.get(slot, 'row') !== 0; slot = (slot + 1) & (slots - 1)) {
      const other = table.get(slot, 'row') - 1;
      if (fronts.get(other, 'ip') === ip && fronts.get(other, 'portProto') === portProto) break;
    }
    if (table.get(slot, 'row') === 0) table.set(slot, 'row', row + 1);
  }
  return table;
}
