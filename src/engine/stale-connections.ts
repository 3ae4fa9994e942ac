/** What kube-proxy has conntrack forget after a change: UDP alone. A TCP connection to an endpoint that has gone stays
 *  until its timeout or a reset. Source: kubernetes pkg/proxy/conntrack/cleanup.go, pkg/proxy/endpoints.go. */
import { tupleAt } from '../kernels/connection-columns.js';
import type { Conntrack } from '../tables/conntrack.js';
import { CT_FLAG } from '../tables/conntrack.js';
import type { Epoch, Tables } from '../tables/epoch.js';
import { ANY_NODE } from '../tables/services.js';
import { PROTOCOL } from '../wire/ipv4.js';
import type { PortMove } from './row-moves.js';

/** By address that clients ask (a node port as -port): the endpoints whose connections are forgotten, or ALL. */
type Stale = Map<number, Set<number> | typeof ALL>;
const ALL = 'all';

/** Forget the connections of UDP ports that lost an endpoint, got their first one, or have gone. `endpointConnections`:
 *  how many connections each endpoint row of `from` has had. */
export function forgetStale(
  conntrack: Conntrack,
  from: Epoch,
  to: Epoch,
  ports: readonly PortMove[],
  endpointConnections: Float64Array,
): void {
  const stale: Stale = new Map();
  for (const { before, after } of ports) {
    const known = before < 0 ? to.tables.services.portProto[after]! : from.tables.services.portProto[before]!;
    if ((known & 0xff) !== PROTOCOL.UDP) continue;
    if (before >= 0) noteOld(stale, from.tables, to.tables, before, after, endpointConnections);
    const wasServed = before >= 0 && endpointRows(from.tables, before).length > 0;
    if (after >= 0 && !wasServed && endpointRows(to.tables, after).length > 0)
      stale.set(to.tables.services.ip[after]!, ALL);
  }
  if (stale.size === 0) return;
  addFronts(stale, from.tables);
  addFronts(stale, to.tables);
  forget(conntrack, stale);
}

/** What the old port leaves behind. */
function noteOld(
  stale: Stale,
  from: Tables,
  to: Tables,
  before: number,
  after: number,
  endpointConnections: Float64Array,
): void {
  const ip = from.services.ip[before]!;
  if (after < 0 || to.services.ip[after] !== ip) {
    stale.set(ip, ALL);
    return;
  }
  const kept = new Set(endpointRows(to, after).map((row) => nameOf(to, row)));
  for (const row of endpointRows(from, before)) {
    if (kept.has(nameOf(from, row)) || endpointConnections[row] === 0) continue;
    const list = stale.get(ip) ?? new Set<number>();
    stale.set(ip, list);
    if (list !== ALL) list.add(from.endpoints.address[row]!);
  }
}

/** What holds for a ClusterIP holds for the other addresses of the Service's UDP ports. */
function addFronts(stale: Stale, { fronts, services }: Tables): void {
  for (let row = 0; row < fronts.rows; row++) {
    if (fronts.kind[row] === 0) continue;
    const known = stale.get(services.ip[fronts.cluster[row]!]!);
    if (known === undefined || (fronts.portProto[row]! & 0xff) !== PROTOCOL.UDP) continue;
    const asked = fronts.ip[row] === 0 ? -(fronts.portProto[row]! >>> 16) : fronts.ip[row]!;
    if (stale.get(asked) !== ALL) stale.set(asked, known);
  }
}

const nameOf = ({ endpoints }: Tables, row: number): number =>
  endpoints.address[row]! * 65_536 + endpoints.port[row]!;

/** Endpoint rows of the port whose row for any node is `any`; those of single nodes stand behind it. */
function endpointRows({ services }: Tables, any: number): number[] {
  const rows: number[] = [];
  let row = any;
  do {
    for (let i = 0; i < services.count[row]!; i++) rows.push(services.first[row]! + i);
    row++;
  } while (row < services.rows && services.node[row] !== ANY_NODE);
  return rows;
}

function forget(conntrack: Conntrack, stale: Stale): void {
  const { rows } = conntrack;
  for (let row = 0; row < conntrack.end; row++) {
    const t = tupleAt(row * 2);
    if ((rows[t + 3]! & 0xff) !== PROTOCOL.UDP) continue;
    const endpoints = stale.get(rows[t + 1]! >>> 0) ?? stale.get(-(rows[t + 2]! & 0xffff));
    if (endpoints === undefined) continue;
    const isNat = (conntrack.flags(row) & CT_FLAG.DST_NAT) !== 0;
    if (endpoints === ALL || (isNat && endpoints.has(rows[t + 4]! >>> 0))) conntrack.remove(row);
  }
}
