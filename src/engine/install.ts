/** Takes an engine from one table set to the next: what it remembers by row is brought to the new rows. */
import type { Conntrack } from '../tables/conntrack.js';
import { changesBetween, type Epoch, type RowChanges } from '../tables/epoch.js';
import { type Fragments, FragmentUser } from '../tables/fragments.js';
import type { HeldPackets } from '../tables/held.js';
import type { RecentLists } from '../tables/recent-lists.js';
import { EngineMetrics } from './metrics.js';
import { servesClients } from './recent-clients.js';
import { movesOfAll, movesOfRows, type RowMoves, type RunMove } from './row-moves.js';
import { ruleKeys } from './rule-keys.js';
import { forgetStale } from './stale-connections.js';

/** What refers to rows. */
export interface Remembered {
  readonly conntrack: Conntrack;
  readonly held: HeldPackets;
  readonly recent: RecentLists;
  readonly fragments: Fragments;
  readonly metrics: EngineMetrics;
  /** One-node form: the node, or -1. */
  readonly onlyNode: number;
}

/** Bring everything from `from`, which is let go, to `to`, which is held. Returns what the engine goes on with: the metrics are `into`, or others when
 *  the new tables have other rows.
 *  @throws RangeError, before anything is changed, when a node is gone that is the only one, or where packets wait,
 *  or `to` has been overwritten. */
export function carryOver(
  from: Epoch,
  to: Epoch,
  old: Remembered,
  into: EngineMetrics | undefined,
): Pick<Remembered, 'metrics' | 'onlyNode'> {
  to.hold();
  try {
    const now = carry(from, to, old, into);
    from.release();
    return now;
  } catch (error) {
    to.release();
    throw error;
  }
}

function carry(
  from: Epoch,
  to: Epoch,
  old: Remembered,
  into: EngineMetrics | undefined,
): Pick<Remembered, 'metrics' | 'onlyNode'> {
  const changes = into === undefined ? changesInPlace(from, to, old.metrics) : null;
  const moves = changes === null ? movesOfAll(from, to) : movesOfRows(from, to, changes.services);
  const nodeNow = (node: number): number => (node < 0 || moves.nodes === null ? node : moves.nodes[node]!);
  checkNodes(from, old, nodeNow);
  forgetStale(old.conntrack, from, to, moves.ports, old.metrics.endpointConnections);
  carryConnections(old.conntrack, moves, old.metrics);
  carryHeld(old.held, moves, nodeNow);
  old.recent.retain(servesClients(to.tables), nodeNow);
  carryFragments(from, to, old.fragments, nodeNow);
  const onlyNode = nodeNow(old.onlyNode);
  if (changes === null) return { metrics: copyMetrics(from, to, old.metrics, moves, into), onlyNode };
  const { metrics } = old;
  moveServiceCounts(metrics.serviceConnections, moves.services);
  moveCounts(metrics.endpointConnections, metrics.endpointConnections, moves.runs);
  if (metrics.rulePackets.length > 0) for (const rule of changes.rules) metrics.rulePackets[rule] = 0;
  return { metrics, onlyNode };
}

/** What differs, when rows stay where they are; null when anything may. */
function changesInPlace(from: Epoch, to: Epoch, metrics: EngineMetrics): RowChanges | null {
  const { services, endpoints, flows } = to.tables;
  if (metrics.serviceConnections.length < services.capacity) return null;
  if (metrics.endpointConnections.length < endpoints.capacity) return null;
  const countsRules = metrics.rulePackets.length > 0;
  if (countsRules && metrics.rulePackets.length < flows.rule.capacity) return null;
  return changesBetween(from, to);
}

function checkNodes(from: Epoch, { held, onlyNode }: Remembered, now: (node: number) => number): void {
  const name = (node: number): string => from.text(from.tables.nodes.name[node]!);
  if (onlyNode >= 0 && now(onlyNode) < 0)
    throw new RangeError(`the new table set has no node ${name(onlyNode)}`);
  for (let i = 0; i < held.count; i++)
    if (now(held.node[i]!) < 0)
      throw new RangeError(
        `packets wait on node ${name(held.node[i]!)}, which is gone: advance() past their timers first`,
      );
}

function carryConnections(conntrack: Conntrack, moves: RowMoves, counts: EngineMetrics): void {
  if (moves.nodes !== null) conntrack.renumberNodes(moves.nodes);
  const { serviceConnections, endpointConnections } = counts;
  const isServiceUnmoved = (now: number, row: number): boolean =>
    now === row || serviceConnections[row] === 0;
  if (
    (moves.services === null || moves.services.every(isServiceUnmoved)) &&
    moves.runs.every((run) => isUnmoved(run, endpointConnections))
  )
    return;
  const { first, now } = endpointMap(moves.runs);
  for (let row = 0; row < conntrack.end; row++) {
    const service = conntrack.service(row);
    const endpoint = conntrack.endpoint(row);
    const at = endpoint - first;
    conntrack.setServer(
      row,
      moves.services !== null && service >= 0 ? moves.services[service]! : service,
      at >= 0 && at < now.length ? now[at]! : endpoint,
    );
  }
}

/** Nothing refers to an endpoint that is elsewhere now. */
const isUnmoved = ({ first, now }: RunMove, counts: Float64Array): boolean =>
  now.every((row, i) => row === first + i || counts[first + i] === 0);

/** All runs in one column, from the lowest row of any to the highest; rows between them stay. */
function endpointMap(runs: readonly RunMove[]): RunMove {
  const first = runs.reduce((least, run) => Math.min(least, run.first), Number.MAX_SAFE_INTEGER);
  const end = runs.reduce((most, run) => Math.max(most, run.first + run.now.length), 0);
  const now = Int32Array.from({ length: Math.max(0, end - first) }, (_, i) => first + i);
  for (const run of runs) now.set(run.now, run.first - first);
  return { first, now };
}

function carryHeld(held: HeldPackets, moves: RowMoves, nodeNow: (node: number) => number): void {
  for (let i = 0; i < held.count; i++) {
    held.node[i] = nodeNow(held.node[i]!);
    if (moves.services !== null && held.service[i]! >= 0) held.service[i] = moves.services[held.service[i]!]!;
  }
}

/** Fragments of a stack that is gone stay until their time is over. */
function carryFragments(
  from: Epoch,
  to: Epoch,
  { queue, queues }: Fragments,
  nodeNow: (node: number) => number,
): void {
  if (queues === 0) return;
  const { pods } = to.tables;
  let rows: Map<string, number> | null = null;
  const podNow = (before: number): number => {
    const name = from.text(from.tables.pods.name[before]!);
    if (before < pods.rows && to.text(pods.name[before]!) === name) return before;
    rows ??= new Map(Array.from({ length: pods.rows }, (_, row) => [to.text(pods.name[row]!), row]));
    return rows.get(name) ?? -1;
  };
  for (let q = 0; q < queues; q++) {
    const place = queue.place[q]!;
    if (place < 0) continue;
    queue.place[q] = queue.user[q] === FragmentUser.DELIVER ? podNow(place) : nodeNow(place);
  }
}

/** Counts of the new table set, in `into` or memory of their own: of what is in both sets it goes on. */
function copyMetrics(
  from: Epoch,
  to: Epoch,
  old: EngineMetrics,
  moves: RowMoves,
  into: EngineMetrics | undefined,
): EngineMetrics {
  const metrics =
    into ??
    new EngineMetrics(to.tables, {
      countsRules: old.rulePackets.length > 0,
      timesStages: old.stageTimes.length > 0,
    });
  metrics.cells.fill(0);
  metrics.head.set(old.head);
  metrics.stageTimes.set(old.stageTimes);
  moves.services?.forEach((now, before) => {
    if (now >= 0) metrics.serviceConnections[now]! += old.serviceConnections[before]!;
  });
  moveCounts(old.endpointConnections, metrics.endpointConnections, moves.runs);
  if (old.rulePackets.length > 0) {
    const rules = new Map(ruleKeys(from).map((key, rule) => [key, rule]));
    ruleKeys(to).forEach((key, rule) => {
      metrics.rulePackets[rule] = old.rulePackets[rules.get(key) ?? -1] ?? 0;
    });
  }
  return metrics;
}

/** Counts of Services, in place. */
function moveServiceCounts(counts: Float64Array, services: Int32Array | null): void {
  if (services === null) return;
  const old = counts.slice(0, services.length);
  counts.fill(0, 0, services.length);
  services.forEach((now, before) => {
    if (now >= 0) counts[now]! += old[before]!;
  });
}

/** Counts of endpoints from one column to another, which may be the same. */
function moveCounts(from: Float64Array, to: Float64Array, runs: readonly RunMove[]): void {
  const counts = runs.map(({ first, now }) => from.slice(first, first + now.length));
  if (from === to) for (const { first, now } of runs) to.fill(0, first, first + now.length);
  runs.forEach(({ now }, run) => {
    now.forEach((row, i) => {
      if (row >= 0) to[row]! += counts[run]![i]!;
    });
  });
}

/** Row of a node.
 *  @throws RangeError when there is none of that name. */
export function findNode(epoch: Epoch, name: string): number {
  const { nodes } = epoch.tables;
  for (let row = 0; row < nodes.rows; row++) if (epoch.text(nodes.name[row]!) === name) return row;
  throw new RangeError(`there is no node ${name}`);
}
