/** A cluster that changes under traffic: an endpoint goes, a policy comes, and the engine runs on.
 *
 *    npm run build && node dist/examples/live-change.js
 *
 *  web/shell opens connections to the Service web/jws-app. Between the packets come events, as the API server's watch
 *  sends them: the EndpointSlice without pod-3, then a NetworkPolicy that isolates the namespace. */
import {
  buildTcp,
  createArena,
  createInput,
  createOutput,
  decodeFrame,
  Engine,
  loadCluster,
  REASONS,
  ROWS_PER_PACKET,
  VERDICT_NAMES,
  type WatchEvent,
} from '../src/index.js';

const SYN = 0x02;
const ACK = 0x10;
const SERVICE = { address: 0xac1e0a14, port: 8080 };

const cluster = await loadCluster('examples/two-nodes');
const engine = new Engine(cluster.compile(), { seed: 1, respond: true });
const arena = createArena(1 << 16);
const input = createInput(arena, 1);
const output = createOutput(4 * ROWS_PER_PACKET);
/** What each connection's server has sent, by the client's port. */
const received = new Map<number, number>();
let nowNs = 0;

const [onPod1, onPod3] = ['pod:web/pod-1', 'pod:web/pod-3'].map(openTo) as [number, number];
console.log(`two connections: port ${onPod1} to pod-1, port ${onPod3} to pod-3`);

change('pod-3 is taken out of the Service', endpointsAre(['10.128.0.2', 'pod-1', 'node1']));
// kube-proxy leaves TCP connections alone: the old one hangs on to pod-3.
console.log(`  the old connection   ${send(onPod3, ACK)}`);
for (let port = 50_000; port < 50_003; port++) console.log(`  a new one            ${send(port, SYN)}`);

const policy = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name: 'deny-all', namespace: 'web' },
  spec: { podSelector: {} },
};
change('a NetworkPolicy isolates the namespace', { type: 'ADDED', object: policy });
// OpenShift SDN looks at every packet: an open connection is cut too.
console.log(`  the old connection   ${send(onPod1, ACK)}`);

change('the NetworkPolicy is deleted', { type: 'DELETED', object: policy });
console.log(`  the old connection   ${send(onPod1, ACK)}`);
engine[Symbol.dispose]();

/** Take an event: from the next packet on the engine walks by the new tables. */
function change(what: string, event: WatchEvent): void {
  engine.install(cluster.apply(event));
  console.log(`${what}: table set ${engine.epoch.number}`);
}

/** The source port of a new connection that goes to this pod. */
function openTo(pod: string): number {
  for (let port = 40_000; port < 41_000; port++) if (send(port, SYN).endsWith(pod)) return port;
  throw new Error(`no connection goes to ${pod}`);
}

/** Send a segment from web/shell to the Service; answers what became of it. */
function send(sport: number, flags: number): string {
  // Rows are looked up for every packet: after a change they may be others.
  const { ports, pods, nodes } = engine.epoch.tables;
  const port = ports.name.findIndex((id) => engine.epoch.text(id) === 'pod:web/shell');
  const pod = ports.pod[port]!;
  const node = pods.node[pod]!;
  arena.used = 0;
  const frame = buildTcp(arena, {
    srcMacHi: pods.macHi[pod]!,
    srcMacLo: pods.macLo[pod]!,
    dstMacHi: nodes.tunMacHi[node]!,
    dstMacLo: nodes.tunMacLo[node]!,
    src: pods.address[pod]!,
    dst: SERVICE.address,
    sport,
    dport: SERVICE.port,
    flags,
    seq: flags === SYN ? 1 : 2,
    ack: flags === SYN ? 0 : received.get(sport)!,
  });
  nowNs += 1e6;
  input.offset[0] = frame.offset;
  input.length[0] = frame.length;
  input.tsNs[0] = nowNs;
  input.port[0] = port;
  input.count = 1;
  input.next = 0;
  output.count = 0;
  engine.process(input, output);
  // The pod's answer to a SYN is the next row: it is acknowledged later.
  for (let i = 1; i < output.count; i++) {
    const answer = decodeFrame(arena.bytes.subarray(output.offset[i], output.offset[i]! + output.length[i]!));
    if (answer?.ip?.tcp !== undefined) received.set(sport, (answer.ip.tcp.seq + 1) >>> 0);
  }
  const exit = output.exit[0]!;
  const where = exit < 0 ? REASONS[output.reason[0]!]!.name : engine.epoch.text(ports.name[exit]!);
  return `${VERDICT_NAMES[output.verdict[0]!]} ${where}`;
}

/** jws-app's slice with one endpoint: address, pod, node. */
function endpointsAre([address, name, nodeName]: readonly [string, string, string]): WatchEvent {
  const object = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: 'jws-app-x7k2p',
      namespace: 'web',
      labels: { 'kubernetes.io/service-name': 'jws-app' },
    },
    addressType: 'IPv4',
    ports: [{ name: '8080-tcp', protocol: 'TCP', port: 8080 }],
    endpoints: [
      {
        addresses: [address],
        conditions: { ready: true },
        nodeName,
        targetRef: { kind: 'Pod', namespace: 'web', name },
      },
    ],
  };
  return { type: 'MODIFIED', object };
}
