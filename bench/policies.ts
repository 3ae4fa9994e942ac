/** Does a packet's cost grow with the number of NetworkPolicies? 5,000 against 10, in one process, batches in turn.
 *
 *    node dist/bench/policies.js [ROUNDS] [POLICIES]     every policy selects every pod */
import { benchObjects } from '../src/cli/bench/cluster.js';
import { establishedWorkload, newWorkload } from '../src/cli/bench/path.js';
import { benchRoutes, type Route } from '../src/cli/bench/routes.js';
import type { Workload } from '../src/cli/bench/workload.js';
import { trafficTopology } from '../src/cli/traffic-topology.js';
import { type Epoch, loadCluster, Reason } from '../src/index.js';
import { SeededRandom } from '../src/io/generate-random.js';
import { numberArgument, readArguments } from './lib/arguments.js';

const [ROUNDS, MANY] = readArguments("Does a packet's cost grow with the number of NetworkPolicies?", [
  numberArgument('rounds', 'batches of each case that are measured', 200),
  numberArgument('policies', 'policies that 10 are compared with', 5_000),
]) as [number, number];
const FEW = 10;
const CONNECTIONS = 10_000;
/** No policy allows it. */
const CLOSED_PORT = 9;

/** Of `count` policies the last allows what the pods send. The others have blocks of all lengths, which hold the pods or do
 *  not, and ranges of ports, which do not hold theirs. */
function policies(count: number): object[] {
  const random = new SeededRandom(7);
  const block = (): string => {
    const length = 8 + random.below(25);
    const base = random.below(2) === 0 ? 0x0a800000 : (0x0b000000 + random.below(0x70000000)) >>> 0;
    const network = Math.floor(base / 2 ** (32 - length)) * 2 ** (32 - length);
    return `${[24, 16, 8, 0].map((shift) => (network >>> shift) & 255).join('.')}/${length}`;
  };
  const policy = (i: number, rule: object): object => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { namespace: 'bench', name: `policy-${i}` },
    spec: { podSelector: {}, ingress: [rule] },
  });
  return Array.from({ length: count }, (_, i) => {
    if (i === count - 1)
      return policy(i, {
        from: [{ podSelector: {} }],
        ports: [{ port: 8080 }],
      });
    const port = 10_000 + random.below(40_000);
    return policy(i, {
      from: [{ ipBlock: { cidr: block() } }],
      ports: [{ port, endPort: port + random.below(9_000) }],
    });
  });
}

interface Case {
  readonly name: string;
  readonly make: (epoch: Epoch, routes: readonly Route[]) => Workload;
}

const CASES: readonly Case[] = [
  {
    name: 'established',
    make: (epoch, routes) => establishedWorkload(epoch, routes, CONNECTIONS, 'typescript'),
  },
  { name: 'new', make: (epoch, routes) => newWorkload(epoch, routes, CONNECTIONS, 'typescript') },
  {
    name: 'denied',
    make: (epoch, routes) => {
      const closed = routes.map((route) => ({ ...route, dport: CLOSED_PORT }));
      return newWorkload(epoch, closed, CONNECTIONS, 'typescript', Reason.PolicyIngress);
    },
  },
];

let sink = 0;

/** Nanoseconds a packet of each workload, medians of batches that take turns. */
function measure(workloads: readonly Workload[]): number[] {
  const samples = workloads.map((): number[] => []);
  for (let round = 0; round < ROUNDS * 2; round++)
    for (const [i, { run, packets }] of workloads.entries()) {
      const start = performance.now();
      sink ^= run();
      // The first half warms up.
      if (round >= ROUNDS) samples[i]!.push(((performance.now() - start) * 1e6) / packets);
    }
  return samples.map((own) => own.sort((a, b) => a - b)[own.length >> 1]!);
}

process.stdout.write(
  'MODE  CASE         10 POLICIES  5,000 POLICIES  x\n'.replace('5,000', MANY.toLocaleString('en-US')),
);
// The generator leaves isolated pods alone, so the routes are those of the cluster without policies.
const plain = await loadCluster(benchObjects());
const routes = benchRoutes(trafficTopology(plain.model, plain.compile()), 'other-node');
for (const policy of ['sdn', 'api'] as const) {
  const epochs = await Promise.all(
    [FEW, MANY].map(async (count) => {
      const cluster = await loadCluster({ objects: [...benchObjects(), ...policies(count)] }, { policy });
      return cluster.compile();
    }),
  );
  for (const { name, make } of CASES) {
    const [few, many] = measure(epochs.map((epoch) => make(epoch, routes))) as [number, number];
    const ns = (value: number): string => `${value.toFixed(0)} ns`;
    process.stdout.write(
      `${policy.padEnd(6)}${name.padEnd(13)}${ns(few).padStart(11)}${ns(many).padStart(16)}  ${(many / few).toFixed(2)}\n`,
    );
  }
}
if (sink === 0.5) process.stdout.write('never\n');
