/** The kernels alone: five-tuple and hash, then the connection, of packets that do not change. */
import { type BackendName, loadKernels } from '../../kernels/backend.js';
import { Conntrack } from '../../tables/conntrack.js';
import type { Epoch } from '../../tables/epoch.js';
import { FrameStore, portOf, routeOf, SLOT, SLOT_PACKET } from './frames.js';
import type { Route } from './routes.js';
import { BATCH, shuffled, type Workload } from './workload.js';

const SEED = 1;
/** One node's space. */
const SPACE = 1;
const NOBODY = { pod: 0, port: 0 };

/** Packets of `connections` connections in no order; every lookup hits. */
export function kernelsWorkload(
  epoch: Epoch,
  routes: readonly Route[],
  connections: number,
  backend: BackendName,
): Workload {
  const { fiveTupleBatch, conntrackLookupBatch } = loadKernels(backend);
  const frames = new FrameStore(epoch.tables);
  const bytes = new Uint8Array(connections * SLOT);
  const lengths = new Uint32Array(connections);
  /** Where the packet of connection i lies: in the order in which they are looked up, not that of the table. */
  const place = shuffled(connections);
  const offsets = Uint32Array.from({ length: connections }, (_, i) => i * SLOT + SLOT_PACKET);
  for (let i = 0; i < connections; i++) {
    const at = place[i]!;
    lengths[at] = frames.write(bytes, offsets[at]!, 'data', routeOf(routes, i), portOf(routes, i), NOBODY);
  }
  const table = new Conntrack(SEED, connections);
  const everywhere = new Int32Array(connections);
  const nodes = new Uint32Array(1);
  const keys = new Int32Array(Math.max(connections, BATCH) * 4);
  const hashes = new Uint32Array(Math.max(connections, BATCH));
  fiveTupleBatch(bytes, offsets, lengths, everywhere, nodes, 1, SPACE, 0, connections, SEED, keys, hashes);
  for (let i = 0; i < connections; i++) insert(table, keys.slice(place[i]! * 4, place[i]! * 4 + 4));

  const offset = new Uint32Array(BATCH);
  const length = new Uint32Array(BATCH).fill(lengths[0]!);
  const rows = new Int32Array(BATCH);
  const port = new Int32Array(BATCH);
  let next = 0;
  const run = (): number => {
    for (let i = 0; i < BATCH; i++) {
      offset[i] = offsets[next]!;
      next = next + 1 === connections ? 0 : next + 1;
    }
    fiveTupleBatch(bytes, offset, length, port, nodes, 1, SPACE, 0, BATCH, SEED, keys, hashes);
    conntrackLookupBatch(table.slots, table.rows, table.keyAt, keys, hashes, 0, BATCH, rows);
    return rows[0]!;
  };
  run();
  if (rows.some((row) => row < 0)) throw new Error('kernels: a connection of the table was not found');
  return { packets: BATCH, run };
}

/** Word 2 of a tuple has the ports, as five-tuple.ts lays it out; the reply has them the other way round. */
function insert(table: Conntrack, key: Int32Array): void {
  const [src, dst, ports, space] = key as unknown as readonly [number, number, number, number];
  const reply = Int32Array.of(dst, src, (ports << 16) | (ports >>> 16), space);
  const row = table.insert(key, reply, 0);
  table.setExpiresNs(row, Number.POSITIVE_INFINITY);
}
