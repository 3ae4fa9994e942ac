/** What does one endpoint's change cost in a large cluster, from the watch event to the engine that walks by it?
 *
 *    node dist/bench/live-change.js [SERVICES]      30 endpoints each; 5,000 Services unless said otherwise */
import { Engine, type Epoch, loadCluster, type WatchEvent } from '../src/index.js';
import { numberArgument, readArguments } from './lib/arguments.js';

const [SERVICES] = readArguments("What does one endpoint's change cost in a large cluster?", [
  numberArgument('services', 'Services with 30 endpoints each', 5_000),
]) as [number];
const ENDPOINTS = 30;
const NODES = 300;
const EVENTS = 4_000;

const dotted = (n: number): string => `10.${128 + (n >>> 16)}.${(n >>> 8) & 255}.${n & 255}`;
const nodeOf = (pod: number): number => pod % NODES;
const addressOf = (pod: number): string => dotted(nodeOf(pod) * 2048 + Math.floor(pod / NODES) + 2);

function* objects(): Generator<object> {
  yield {
    apiVersion: 'network.openshift.io/v1',
    kind: 'ClusterNetwork',
    metadata: { name: 'default' },
    clusterNetworks: [{ CIDR: '10.128.0.0/12', hostSubnetLength: 11 }],
    serviceNetwork: '172.30.0.0/16',
  };
  for (let n = 0; n < NODES; n++)
    yield {
      apiVersion: 'network.openshift.io/v1',
      kind: 'HostSubnet',
      metadata: { name: `node${n}` },
      hostIP: `192.168.${1 + (n >> 7)}.${(n & 127) + 1}`,
      subnet: `${dotted(n * 2048)}/21`,
    };
  for (let s = 0; s < SERVICES; s++) {
    yield {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: `s${s}`, namespace: 'web' },
      spec: { clusterIP: `172.30.${s >> 8}.${s & 255}`, ports: [{ port: 80 }] },
    };
    for (let e = 0; e < ENDPOINTS; e++) {
      const pod = s * ENDPOINTS + e;
      yield {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: `p${pod}`, namespace: 'web' },
        spec: { nodeName: `node${nodeOf(pod)}` },
        status: { phase: 'Running', podIP: addressOf(pod) },
      };
    }
    yield slice(s, -1);
  }
}

/** The Service's slice, with endpoint `out` not ready. */
function slice(s: number, out: number): object {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: `s${s}-x`, namespace: 'web', labels: { 'kubernetes.io/service-name': `s${s}` } },
    addressType: 'IPv4',
    ports: [{ port: 8080 }],
    endpoints: Array.from({ length: ENDPOINTS }, (_, e) => ({
      addresses: [addressOf(s * ENDPOINTS + e)],
      conditions: { ready: e !== out },
      nodeName: `node${nodeOf(s * ENDPOINTS + e)}`,
      targetRef: { kind: 'Pod', namespace: 'web', name: `p${s * ENDPOINTS + e}` },
    })),
  };
}

const event = (i: number): WatchEvent => ({
  type: 'MODIFIED',
  object: slice((i * 37) % SERVICES, i % 2 === 0 ? i % ENDPOINTS : -1),
});

function timed<T>(title: string, run: () => T): T {
  const from = performance.now();
  const result = run();
  console.log(`${title.padEnd(32)} ${(performance.now() - from).toFixed(1).padStart(10)} ms`);
  return result;
}

function report(title: string, times: readonly number[]): void {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (part: number): string => sorted[Math.floor((sorted.length - 1) * part)]!.toFixed(3);
  console.log(`${title.padEnd(32)} ${at(0.5).padStart(10)} ms median, ${at(0.9)} 90 %, ${at(0.99)} 99 %`);
}

const cluster = await loadCluster({ objects: [...objects()] });
console.log(`${SERVICES * ENDPOINTS} endpoints of ${SERVICES} Services on ${NODES} nodes`);
const engine = new Engine(timed('whole compile', () => cluster.compile()));
timed('first change, makes the copies', () => engine.install(cluster.apply(event(0))));
const applied: number[] = [];
const installed: number[] = [];
for (let i = 1; i <= EVENTS; i++) {
  const one = event(i);
  const from = performance.now();
  const epoch: Epoch = cluster.apply(one);
  const middle = performance.now();
  engine.install(epoch);
  installed.push(performance.now() - middle);
  applied.push(middle - from);
}
report('apply', applied);
report('install', installed);
report(
  'both',
  applied.map((time, i) => time + installed[i]!),
);
