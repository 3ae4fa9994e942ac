/** What is replayed in all ways: seeded traffic of every profile, captures that nobody here wrote, and random clusters that
 *  change under traffic. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { changesOf } from '../../src/cli/changes.js';
import { trafficTopology } from '../../src/cli/traffic-topology.js';
import { type LoadedCluster, loadCluster, type WatchEvent } from '../../src/cluster.js';
import { TrafficGenerator } from '../../src/io/generate.js';
import { TRAFFIC_PROFILES, type TrafficProfileName } from '../../src/io/generate-profiles.js';
import type { TimedEvent } from '../../src/manifests/watch-file.js';
import { type PlaceRule, parsePlace } from '../../src/replay/places.js';
import type { Epoch } from '../../src/tables/epoch.js';
import { InputError } from '../../src/verdict/input-error.js';
import { EXAMPLE, frame, type Seen, writeTrace } from '../replay/traces.js';
import { anyEvent, BASE } from '../support/watch.js';
import type { Case } from './run-settings.js';

export const PROFILES = Object.keys(TRAFFIC_PROFILES) as TrafficProfileName[];
const SHIPPED = 'test/captures';
const MORE = process.env['PODPLANE_CAPTURES'] ?? '../shared/captures';
const STEP_MS = 4;

/** A trace of seeded traffic, some of it damaged. */
async function trace(
  cluster: LoadedCluster,
  profile: TrafficProfileName,
  packets: number,
  seed: number,
  first: readonly Seen[] = [],
): Promise<string> {
  const topology = trafficTopology(cluster.model, cluster.compile());
  const generator = new TrafficGenerator(topology, { profile, packets, flows: 25, seed, badPermille: 30 });
  const seen: Seen[] = [...first];
  generator.run(
    { packet: (pod, _tsNs, bytes, at, length) => seen.push([`${pod}`, bytes.slice(at, at + length)]) },
    packets,
  );
  return writeTrace(seen, `${profile}-${seed}.pcapng`, 0, STEP_MS);
}

export async function profileCase(profile: TrafficProfileName, packets: number, seed: number): Promise<Case> {
  const cluster = await loadCluster(EXAMPLE);
  // They wait for timers within the trace.
  const pings = ['shell > web ping', 'prometheus > web ping'].map((line): Seen => ['ping', frame(line)]);
  const traces = [await trace(cluster, profile, packets, seed, pings)];
  const pick = seed % 2 === 0 ? 'model' : 'recorded';
  return {
    name: `${profile}, seed ${seed}`,
    epoch: cluster.compile(),
    options: { traces, seed, pick, respond: seed % 3 === 0 },
  };
}

const capturesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(pcap|pcapng)$/.test(name))
    .sort()
    .map((name) => join(folder, name));

export const shippedCaptures = (): string[] => capturesBelow(SHIPPED);
export const moreCaptures = (): string[] => (existsSync(MORE) ? capturesBelow(MORE) : []);

const exampleEpoch = loadCluster(EXAMPLE).then((cluster) => cluster.compile());

/** No address in them is of this cluster: they enter where packets of strangers do, or would all be dropped unseen. */
const atNics = (traces: readonly string[], epoch: Epoch): PlaceRule[] =>
  traces.map((path, i) => parsePlace(`${path}=node${1 + (i % 2)}:eth0`, epoch));

/** In few lanes: most captures hold a handful of packets, and a lane takes longer to make than they to walk. */
export async function captureCase(path: string): Promise<Case> {
  const { epoch, options } = await capturesCase(path, [path]);
  return { name: path, epoch, options: { ...options, lanes: 2 } };
}

/** Several captures, merged by time into one trace. */
export async function capturesCase(name: string, traces: readonly string[]): Promise<Case> {
  const epoch = await exampleEpoch;
  return { name, epoch, options: { traces, places: atNics(traces, epoch), respond: true } };
}

/** Traffic of all profiles as one trace. */
export async function mixedCase(packets: number, seed: number): Promise<Case> {
  const cases = await Promise.all(PROFILES.map((profile, i) => profileCase(profile, packets, seed + i)));
  const traces = cases.flatMap(({ options }) => options.traces);
  return { ...cases[0]!, name: 'all profiles', options: { traces, seed, pick: 'model' } };
}

/** Events that the cluster takes, in an order in which it takes them. */
function takenEvents(cluster: LoadedCluster, events: readonly WatchEvent[]): WatchEvent[] {
  const own = cluster.fork();
  return events.filter((event) => {
    try {
      own.apply(event);
      return true;
    } catch (error) {
      if (error instanceof InputError) return false;
      throw error;
    }
  });
}

/** Traffic of the first profile from number `seed` on for which the cluster has what it needs; where it lets nothing pass,
 *  what would be sent if it were as in the beginning. */
async function anyTrace(cluster: LoadedCluster, packets: number, seed: number): Promise<string> {
  for (const at of [cluster, await loadCluster({ objects: [...BASE] })])
    for (let i = 0; i < PROFILES.length; i++)
      try {
        return await trace(at, PROFILES[(seed + i) % PROFILES.length]!, packets, seed);
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
      }
  throw new Error('the first cluster has no traffic, either');
}

/** A random cluster, traffic of it as it is in the beginning, and `count` events or fewer spread over that. */
export async function changingCase(seed: number, packets: number, count: number): Promise<Case> {
  const events = fc.sample(anyEvent, { seed, numRuns: count + 20 });
  const cluster = await loadCluster({ objects: [...BASE] });
  for (const event of takenEvents(cluster, events.slice(0, 20))) cluster.apply(event);
  const path = await anyTrace(cluster, packets, seed);
  // Some at the time of a packet, some between two, some several at once.
  const list = takenEvents(cluster, events.slice(20)).map((event, i): TimedEvent => {
    const place = ((i * 7919 + seed * 31) % (packets * 4)) / 4;
    return { event, time: { afterNs: Math.floor(place) * STEP_MS * 1e6 + (i % 3) }, name: event.type };
  });
  list.sort((a, b) => afterNs(a) - afterNs(b));
  const pick = seed % 2 === 0 ? 'model' : 'recorded';
  return {
    name: `cluster of seed ${seed}`,
    epoch: cluster.compile(),
    options: { traces: [path], seed, pick, changes: changesOf(cluster, list), checkpointSize: 30_000 },
  };
}

const afterNs = ({ time }: TimedEvent): number => ('afterNs' in time ? time.afterNs : 0);
