/** A trace that makes order hard, and what of a run's result may depend on neither workers nor chunks nor deaths. */
import { trafficTopology } from '../../src/cli/traffic-topology.js';
import { loadCluster } from '../../src/cluster.js';
import { TrafficGenerator } from '../../src/io/generate.js';
import type { ReplayResult } from '../../src/replay/replay.js';
import { EXAMPLE, frame, type Seen, writeTrace } from './traces.js';

/** Seeded traffic, some of it damaged, with pings to a Service in between: they wait for timers. */
export async function trafficTrace(): Promise<string> {
  const cluster = await loadCluster(EXAMPLE);
  const generator = new TrafficGenerator(trafficTopology(cluster.model, cluster.compile()), {
    profile: 'web',
    packets: 1500,
    flows: 40,
    seed: 3,
    badPermille: 20,
  });
  const seen: Seen[] = [];
  generator.run(
    { packet: (pod, _tsNs, bytes, at, length) => seen.push([`${pod}`, bytes.slice(at, at + length)]) },
    1500,
  );
  const pings = ['shell > web ping', 'prometheus > web ping', 'pod-1 > web ping'];
  // Four milliseconds lie between two packets, so a ping's three seconds pass within the trace only for the first ones.
  const traffic = [...pings.map((line): Seen => ['ping', frame(line)]), ...seen];
  const late = pings.map((line): Seen => ['ping', frame(line)]);
  return writeTrace([...traffic, ...late], 'traffic.pcapng', 0, 4);
}

/** All that must not differ. */
export const facts = (result: ReplayResult) => ({
  fingerprint: result.fingerprint,
  verdicts: result.verdicts,
  reasons: result.reasons,
  services: result.services,
  connections: result.connections,
  observations: result.observations,
  ledger: result.ledger,
  readdressed: result.readdressed,
});
