/** What does one change cost in a large cluster, from the watch event to the engine that walks by it?
 *
 *    node dist/bench/live-change.js [SERVICES]      30 endpoints each; 5,000 Services unless said otherwise */
import { Engine, type Epoch, loadCluster, type WatchEvent } from '../src/index.js';
import { numberArgument, readArguments } from './lib/arguments.js';

const [SERVICES] = readArguments('What does one change cost in a large cluster?', [
  numberArgument('services', 'Services with 30 endpoints each', 5_000),
]) as [number];
const ENDPOINTS = 30;
const NODES = 300;
const EVENTS = 4_000;
/** Services whose pods a NetworkPolicy isolates. */
const POLICED = 20;

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
    for (let e = 0; e < ENDPOINTS; e++) yield podObject(s * ENDPOINTS + e, 0, s);
    yield slice(s, -1);
  }
  for (let s = 0; s < POLICED; s++) yield policy(s, s + 1);
}

/** Pod `pod`, in its `generation`, as one of Service `app`. */
const podObject = (pod: number, generation: number, app: number, hash = generation): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: generation === 0 ? `p${pod}` : `p${pod}-${generation}`,
    namespace: 'web',
    labels: { app: `s${app}`, 'pod-template-hash': `h${hash}` },
  },
  spec: { nodeName: `node${nodeOf(pod)}`, containers: [{ ports: [{ containerPort: 8080 }] }] },
  status: { phase: 'Running', podIP: addressOf(pod) },
});

/** Service `to`'s pods take what comes of Service `from`'s. */
const policy = (to: number, from: number): object => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name: `s${to}`, namespace: 'web' },
  spec: {
    podSelector: { matchLabels: { app: `s${to}` } },
    ingress: [{ from: [{ podSelector: { matchLabels: { app: `s${from}` } } }] }],
  },
});

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

const endpoint = (i: number): WatchEvent => ({
  type: 'MODIFIED',
  object: slice((i * 37) % SERVICES, i % 2 === 0 ? i % ENDPOINTS : -1),
});

/** Pods of policed Services and of others, in turn. */
const podOf = (i: number): number =>
  i % 2 === 0 ? (i * 7) % (POLICED * ENDPOINTS) : (i * 37 + POLICED * ENDPOINTS) % (SERVICES * ENDPOINTS);
const appOf = (pod: number): number => Math.floor(pod / ENDPOINTS);

/** The pod goes; with the next event the one that stands for it comes, at its address. */
function* rollout(count: number): Generator<readonly [title: string, event: WatchEvent]> {
  const generations = new Map<number, number>();
  for (let i = 0; i < count; i++) {
    const pod = podOf(i);
    const before = generations.get(pod) ?? 0;
    generations.set(pod, before + 1);
    yield ['pod gone', { type: 'DELETED', object: podObject(pod, before, appOf(pod)) }];
    yield ['pod added', { type: 'ADDED', object: podObject(pod, before + 1, appOf(pod)) }];
    yield ['pod with another hash', { type: 'MODIFIED', object: podObject(pod, before + 1, appOf(pod), -1) }];
    const other = (appOf(pod) + 1) % POLICED;
    yield ['pod with labels of another', { type: 'MODIFIED', object: podObject(pod, before + 1, other) }];
    yield ['and back', { type: 'MODIFIED', object: podObject(pod, before + 1, appOf(pod)) }];
  }
}

/** The policies are read anew for each. */
function* policies(): Generator<readonly [title: string, event: WatchEvent]> {
  for (let i = 0; i < 50; i++) {
    yield ['NetworkPolicy added', { type: 'ADDED', object: policy(POLICED + 1, POLICED + 2) }];
    yield ['NetworkPolicy gone', { type: 'DELETED', object: policy(POLICED + 1, POLICED + 2) }];
  }
}

/** A Service comes, among those that are there, gets its endpoints, another address, and goes. */
function* services(count: number): Generator<readonly [title: string, event: WatchEvent]> {
  for (let i = 0; i < count; i++) {
    const named = (clusterIP: string): object => ({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: `more${i}`, namespace: 'web' },
      spec: { type: 'NodePort', clusterIP, ports: [{ port: 80, nodePort: 30_080 }] },
    });
    const labels = { 'kubernetes.io/service-name': `more${i}` };
    const owned = { ...slice(i % SERVICES, -1), metadata: { name: `more${i}-x`, namespace: 'web', labels } };
    yield ['Service added', { type: 'ADDED', object: named('172.30.200.1') }];
    yield ['its endpoints', { type: 'ADDED', object: owned }];
    yield ['Service at another address', { type: 'MODIFIED', object: named('172.30.200.2') }];
    yield ['Service gone', { type: 'DELETED', object: named('172.30.200.2') }];
    yield ['its endpoints after it', { type: 'DELETED', object: owned }];
  }
}

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
timed('first change, makes the copies', () => engine.install(cluster.apply(endpoint(0))));
const times = new Map<string, { applied: number[]; installed: number[]; anew: number }>();

function measure(title: string, event: WatchEvent): void {
  const from = performance.now();
  const epoch: Epoch = cluster.apply(event);
  const middle = performance.now();
  engine.install(epoch);
  const end = performance.now();
  const row = times.get(title) ?? { applied: [], installed: [], anew: 0 };
  times.set(title, row);
  row.applied.push(middle - from);
  row.installed.push(end - middle);
  if (epoch.history === null) row.anew++;
}

for (let i = 1; i <= EVENTS; i++) measure('endpoint', endpoint(i));
for (const [title, event] of rollout(EVENTS / 4)) measure(title, event);
for (const [title, event] of services(EVENTS / 8)) measure(title, event);
for (const [title, event] of policies()) measure(title, event);
for (const [title, { applied, installed, anew }] of times) {
  report(
    title,
    applied.map((time, i) => time + installed[i]!),
  );
  report('  of it install', installed);
  if (anew > 0) console.log(`  ${anew} of ${applied.length} compiled anew`);
}
