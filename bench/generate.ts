/** What does a generated packet cost, by profile and number of flows, before it is written anywhere? */
import { Bench } from 'tinybench';
import { benchObjects } from '../src/cli/bench/cluster.js';
import { trafficTopology } from '../src/cli/traffic-topology.js';
import { loadCluster } from '../src/cluster.js';
import { TrafficGenerator } from '../src/io/generate.js';
import { TRAFFIC_PROFILES, type TrafficProfileName } from '../src/io/generate-profiles.js';
import { readArguments } from './lib/arguments.js';

const BURST = 2_048;
readArguments('What does a generated packet cost, before it is written anywhere?', []);
const cluster = await loadCluster(benchObjects());
const topology = trafficTopology(cluster.model, cluster.compile());
const bench = new Bench({ time: 500, warmupTime: 200, throws: true });
let bytes = 0;
for (const profile of Object.keys(TRAFFIC_PROFILES) as TrafficProfileName[]) {
  // The bench cluster has no DNS Service.
  if (profile === 'dns') continue;
  for (const flows of [1_000, 100_000]) {
    const packets = Number.MAX_SAFE_INTEGER;
    const generator = new TrafficGenerator(topology, { profile, packets, flows, seed: 1 });
    const sink = {
      packet(_pod: number, _tsNs: number, frame: Uint8Array, offset: number): void {
        bytes += frame[offset]!;
      },
    };
    bench.add(`${profile}, ${flows} flows`, () => {
      generator.run(sink, BURST);
    });
  }
}
await bench.run();
console.table(
  bench.tasks.map(({ name, result }) => ({
    profile: name,
    'ns/packet': 'latency' in result ? Math.round((result.latency.mean * 1e6) / BURST) : Number.NaN,
  })),
);
if (bytes === 0) throw new Error('nothing was generated');
