/** The addresses by which Services are reached from outside, to rows that name the choice of endpoints behind them. */
import { maskOf } from '../addr/ipv4.js';
import { TableBuilder } from '../layout/builder.js';
import type { Cluster } from '../model/cluster.js';
import type { Service, ServicePort } from '../model/service.js';
import { slotsFor } from '../tables/addresses.js';
import { FRONT_KIND, FRONT_SLOTS, FRONT_TABLE, frontHash, RANGE_TABLE } from '../tables/fronts.js';
import { NONE } from '../tables/nodes.js';
import { ANY_NODE, SCOPE, type SERVICE_TABLE } from '../tables/services.js';
import { PROTOCOL_NUMBER } from './nodes.js';
import { isExternal } from './services.js';

type Services = TableBuilder<typeof SERVICE_TABLE.columns>;
type Fronts = TableBuilder<typeof FRONT_TABLE.columns>;

/** Fronts, their slots, and the ranges of sources, in the order of the table set. `firstRows`: where each port's rows
 *  begin in `services`. */
export function buildFronts(
  cluster: Cluster,
  services: Services,
  firstRows: ReadonlyMap<ServicePort, number>,
): readonly TableBuilder<never>[] {
  const fronts = new TableBuilder(FRONT_TABLE);
  const ranges = new TableBuilder(RANGE_TABLE);
  for (const service of cluster.services) {
    const rangeFirst = ranges.rows;
    const hasBalancer = service.clusterIp !== 0 && service.loadBalancerIps.length > 0;
    if (hasBalancer)
      for (const { base, length } of service.sourceRanges) ranges.add({ base, mask: maskOf(length) });
    for (const port of service.ports) {
      const first = firstRows.get(port);
      if (first === undefined || !isExternal(service, port)) continue;
      const run = { rangeFirst, rangeCount: ranges.rows - rangeFirst };
      addPort(fronts, service, port, choicesOf(services, service, first), run);
    }
  }
  return [fronts, fillSlots(fronts), ranges] as unknown as readonly TableBuilder<never>[];
}

interface Choices {
  readonly cluster: number;
  readonly local: number;
}

/** Rows of the two choices. One is the ClusterIP's own; the other follows where it differs. */
function choicesOf(services: Services, service: Service, first: number): Choices {
  if (service.externalPolicy !== 'Local' && service.internalPolicy !== 'Local')
    return { cluster: first, local: NONE };
  let other = first;
  while (other < services.rows && !isExternalAny(services, other)) other++;
  if (service.internalPolicy !== 'Local') return { cluster: first, local: other };
  return { cluster: other, local: service.externalPolicy === 'Local' ? first : NONE };
}

const isExternalAny = (services: Services, row: number): boolean =>
  services.get(row, 'scope') === SCOPE.EXTERNAL && services.get(row, 'node') === ANY_NODE;

function addPort(
  fronts: Fronts,
  service: Service,
  port: ServicePort,
  choices: Choices,
  run: { readonly rangeFirst: number; readonly rangeCount: number },
): void {
  const protocol = PROTOCOL_NUMBER[port.protocol];
  const key = (number: number): number => ((number << 16) | protocol) >>> 0;
  const none = { rangeFirst: 0, rangeCount: 0 };
  for (const ip of service.externalIps)
    fronts.add({ ip, portProto: key(port.port), ...choices, ...none, kind: FRONT_KIND.EXTERNAL_IP });
  for (const ip of service.loadBalancerIps)
    fronts.add({ ip, portProto: key(port.port), ...choices, ...run, kind: FRONT_KIND.LOAD_BALANCER });
  if (port.nodePort !== 0)
    fronts.add({ ip: 0, portProto: key(port.nodePort), ...choices, ...none, kind: FRONT_KIND.NODE_PORT });
  if (service.healthCheckNodePort === 0 || port !== service.ports[0]) return;
  const check = ((service.healthCheckNodePort << 16) | PROTOCOL_NUMBER.TCP) >>> 0;
  fronts.add({ ip: 0, portProto: check, ...choices, ...none, kind: FRONT_KIND.HEALTH_CHECK });
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
