/** Which rows of one table set stand for the same things in another: nodes by name, Services' ports by name and protocol,
 *  endpoints by address and port. */
import type { Epoch } from '../tables/epoch.js';
import { ANY_NODE } from '../tables/services.js';

/** A run of endpoints of one Service row, and where each of them is now: its row, or -1. */
export interface RunMove {
  readonly first: number;
  readonly now: Int32Array;
}

/** A Service's port: its row for any node in the old set and in the new one; -1 where it has none. */
export interface PortMove {
  readonly before: number;
  readonly after: number;
}

export interface RowMoves {
  readonly ports: readonly PortMove[];
  readonly runs: readonly RunMove[];
  /** New row of each old Service row, or -1; null where all stay. */
  readonly services: Int32Array | null;
  /** New row of each old node, or -1; null where all stay. */
  readonly nodes: Int32Array | null;
}

/** Moves between two sets of which the second grew out of the first: only `rows` of Services differ. */
export function movesOfRows(from: Epoch, to: Epoch, rows: readonly number[]): RowMoves {
  const moves = movesBetween(from, to, keysOfRows(from, rows), keysOfRows(to, rows));
  if (moves.services.every(([before, now]) => before === now))
    return { ...moves, services: null, nodes: null };
  const services = Int32Array.from({ length: from.tables.services.rows }, (_, row) => row);
  for (const [before, now] of moves.services) services[before] = now;
  return { ...moves, services, nodes: null };
}

/** Moves between any two sets. */
export function movesOfAll(from: Epoch, to: Epoch): RowMoves {
  const all = ({ tables }: Epoch): number[] => Array.from({ length: tables.services.rows }, (_, row) => row);
  const moves = movesBetween(from, to, keysOfRows(from, all(from)), keysOfRows(to, all(to)));
  const services = new Int32Array(from.tables.services.rows).fill(-1);
  for (const [before, now] of moves.services) services[before] = now;
  return { ...moves, services, nodes: moveNodes(from, to) };
}

interface ServiceMoves extends Pick<RowMoves, 'ports' | 'runs'> {
  readonly services: readonly (readonly [before: number, now: number])[];
}

/** Moves of Services' rows, given by their keys. */
function movesBetween(
  from: Epoch,
  to: Epoch,
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
): ServiceMoves {
  const services: [number, number][] = [];
  const ports: PortMove[] = [];
  const runs: RunMove[] = [];
  const met = new Set<number>();
  for (const [key, row] of before) {
    // A node that had a choice of its own may have the common one now.
    const now = after.get(key) ?? after.get(key.slice(0, key.lastIndexOf(' ') + 1)) ?? -1;
    services.push([row, now]);
    runs.push(moveRun(from, to, row, now));
    if (from.tables.services.node[row] !== ANY_NODE) continue;
    ports.push({ before: row, after: now });
    met.add(now);
  }
  for (const row of after.values())
    if (to.tables.services.node[row] === ANY_NODE && !met.has(row)) ports.push({ before: -1, after: row });
  return { ports, runs, services };
}

/** Those of `rows` that stand for something, by `name protocol scope node`; no node in the row for any. */
function keysOfRows(epoch: Epoch, rows: readonly number[]): Map<string, number> {
  const { services, nodes } = epoch.tables;
  const found = new Map<string, number>();
  for (const row of rows) {
    if (row >= services.rows || services.portProto[row] === 0) continue;
    const node = services.node[row]!;
    const place = node === ANY_NODE ? '' : epoch.text(nodes.name[node]!);
    const port = `${epoch.text(services.name[row]!)} ${services.portProto[row]! & 0xff}`;
    found.set(`${port} ${services.scope[row]} ${place}`, row);
  }
  return found;
}

/** Both runs are sorted by address, then port. */
function moveRun(from: Epoch, to: Epoch, before: number, after: number): RunMove {
  const [a, b] = [from.tables.endpoints, to.tables.endpoints];
  const first = from.tables.services.first[before]!;
  const now = new Int32Array(from.tables.services.count[before]!).fill(-1);
  if (after < 0) return { first, now };
  let at = to.tables.services.first[after]!;
  const end = at + to.tables.services.count[after]!;
  for (let i = 0; i < now.length; i++) {
    const address = a.address[first + i]!;
    const port = a.port[first + i]!;
    while (at < end && (b.address[at]! < address || (b.address[at] === address && b.port[at]! < port))) at++;
    if (at < end && b.address[at] === address && b.port[at] === port) now[i] = at;
  }
  return { first, now };
}

function moveNodes(from: Epoch, to: Epoch): Int32Array | null {
  const rows = new Map<string, number>();
  for (let row = 0; row < to.tables.nodes.rows; row++) rows.set(to.text(to.tables.nodes.name[row]!), row);
  const { nodes } = from.tables;
  const now = Int32Array.from(
    { length: nodes.rows },
    (_, row) => rows.get(from.text(nodes.name[row]!)) ?? -1,
  );
  return now.every((row, before) => row === before) ? null : now;
}
