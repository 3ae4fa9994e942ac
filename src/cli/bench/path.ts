/** The whole engine under load: packets of established connections, or the first packets of new ones. */
import { Engine } from '../../engine/engine.js';
import type { BackendName } from '../../kernels/backend.js';
import type { Epoch } from '../../tables/epoch.js';
import { Reason } from '../../verdict/reasons.js';
import { adjust16 } from '../../wire/checksum.js';
import { ETHERNET } from '../../wire/ethernet.js';
import { IPV4 } from '../../wire/ipv4.js';
import { TCP } from '../../wire/tcp.js';
import { EngineBatch, STORED_FRAME, STORED_WORDS } from './engine-batch.js';
import { FrameStore, portOf, routeOf, type Segment, type Server, SLOT, SLOT_PACKET } from './frames.js';
import type { Route } from './routes.js';
import { BATCH, shuffled, type Workload } from './workload.js';

const STORED = STORED_WORDS * 4;
const STEP_NS = 1_000;
/** How long conntrack keeps a connection that has sent a SYN, nf_conntrack_tcp_timeout_syn_sent. */
const SYN_SENT_NS = 120e9;
const NOBODY: Server = { pod: 0, port: 0 };
const TCP_AT = SLOT_PACKET + ETHERNET.SIZE + IPV4.MIN_SIZE;

/** A connection may have an entry in each stage that tracks it. */
const makeEngine = (epoch: Epoch, backend: BackendName, connections: number): Engine =>
  new Engine(epoch, { backend, connectionsMax: 16 * connections + 65_536 });

/** Data both ways on `connections` open connections, in no order. */
export function establishedWorkload(
  epoch: Epoch,
  routes: readonly Route[],
  connections: number,
  backend: BackendName,
): Workload {
  const { tables } = epoch;
  const batch = new EngineBatch(makeEngine(epoch, backend, connections), STEP_NS);
  const frames = new FrameStore(tables);
  /** Who answers each connection. */
  const serverPod = new Uint32Array(connections);
  const serverPort = new Uint16Array(connections);
  /** Two stored frames a connection, the client's and the server's: place[frame] is where one lies. They lie in the
   *  order in which they are sent, so that reading them costs little and finding their connections is what counts. */
  const place = shuffled(connections * 2);
  const bytes = new Uint8Array(connections * 2 * STORED);
  const store = new Uint32Array(bytes.buffer);
  const lengths = new Uint8Array(connections * 2);
  const ports = new Uint32Array(connections * 2);
  // The client's data is also the handshake's last segment.
  for (const segment of ['syn', 'synack', 'data', 'answer'] as const) sendAll(segment);
  let next = 0;
  return {
    packets: BATCH,
    run(): number {
      next = batch.fill(store, lengths, ports, next);
      return batch.process(BATCH);
    },
  };

  /** Send the segment once on every connection, and leave it stored. */
  function sendAll(segment: Segment): void {
    const isReply = segment === 'synack' || segment === 'answer';
    const server: { pod: number; port: number } = { ...NOBODY };
    for (let first = 0; first < connections; first += BATCH) {
      const count = Math.min(BATCH, connections - first);
      for (let i = 0; i < count; i++) {
        const connection = first + i;
        const route = routeOf(routes, connection);
        const frame = place[connection * 2 + (isReply ? 1 : 0)]!;
        server.pod = serverPod[connection]!;
        server.port = serverPort[connection]!;
        const at = frame * STORED + STORED_FRAME;
        lengths[frame] = frames.write(bytes, at, segment, route, portOf(routes, connection), server);
        ports[frame] = tables.pods.port[isReply ? server.pod : route.client]!;
        batch.put(i, store, frame, lengths[frame]!, ports[frame]!);
      }
      batch.process(count);
      batch.check(segment);
      if (segment === 'syn') for (let i = 0; i < count; i++) noteServer(first + i, i);
    }
  }

  /** Note whom output row `row`, the SYN of `connection`, reached. */
  function noteServer(connection: number, row: number): void {
    const { exit, endpoint } = batch.output;
    const endpointRow = endpoint[row]!;
    serverPod[connection] = tables.ports.pod[exit[row]!]!;
    serverPort[connection] =
      endpointRow < 0 ? routeOf(routes, connection).dport : tables.endpoints.port[endpointRow]!;
  }
}

/** First packets of connections, each of another, while about `connections` others wait for their answer; or such as are
 *  all dropped for `reason`. */
export function newWorkload(
  epoch: Epoch,
  routes: readonly Route[],
  connections: number,
  backend: BackendName,
  reason: number = Reason.None,
): Workload {
  const batch = new EngineBatch(makeEngine(epoch, backend, connections), SYN_SENT_NS / connections);
  const { view } = batch.arena;
  const frames = new FrameStore(epoch.tables);
  const bytes = new Uint8Array(routes.length * STORED);
  const store = new Uint32Array(bytes.buffer);
  const base = portOf(routes, 0);
  const lengths = routes.map((route, i) =>
    frames.write(bytes, i * STORED + STORED_FRAME, 'syn', route, base, NOBODY),
  );
  const ports = routes.map(({ client }) => epoch.tables.pods.port[client]!);
  let next = 0;
  const run = (): number => {
    for (let i = 0; i < BATCH; i++) {
      const route = next % routes.length;
      batch.put(i, store, route, lengths[route]!, ports[route]!);
      setSport(view, i * SLOT + TCP_AT, base, portOf(routes, next));
      next++;
    }
    return batch.process(BATCH);
  };
  while (next < 2 * connections) {
    run();
    batch.check('syn', reason);
  }
  return { packets: BATCH, run };
}

function setSport(view: DataView, tcp: number, from: number, to: number): void {
  view.setUint16(tcp + TCP.SPORT, to);
  view.setUint16(tcp + TCP.CHECKSUM, adjust16(view.getUint16(tcp + TCP.CHECKSUM), from, to));
}
