/** The counts of a replay as Prometheus families, with bounded labels. docs/metrics.md lists them. */
import type { ServiceCount } from '../../replay/counts.js';
import type { RunCounts } from '../../replay/replay.js';
import { VERDICT_NAMES } from '../../verdict/verdict.js';
import type { Family, Labels } from './prometheus.js';

/** Services, endpoints, and nodes beyond these are added up under OTHER. Which have names of their own depends on the
 *  cluster alone, so that a series never changes its meaning during a run. */
export const SERVICES_MAX = 1000;
export const ENDPOINTS_MAX = 1000;
export const NODES_MAX = 32;
/** Of each OpenFlow table; by their order in the tables. */
export const RULES_MAX = 200;
export const OTHER = '(other)';

/** Names that get series of their own. */
export interface MetricNames {
  readonly services: ReadonlySet<string>;
  /** As `service endpoint`. */
  readonly endpoints: ReadonlySet<string>;
  readonly nodes: ReadonlySet<string>;
}

export function replayMetrics(counts: RunCounts, names: MetricNames, version: string): Family[] {
  return [
    ...runFamilies(counts, version),
    ...packetFamilies(counts),
    ...serviceFamilies(counts.services, names),
    ...endpointFamilies(counts.services, names),
    ...pairFamilies(counts, names),
    ...ruleFamilies(counts),
    ...stageFamilies(counts),
  ];
}

type Sample = readonly [Labels, number];

const counter = (name: string, help: string, samples: readonly Sample[]): Family => ({
  name: `podplane_${name}_total`,
  help,
  type: 'counter',
  samples,
});

const gauge = (name: string, help: string, samples: readonly Sample[]): Family => ({
  name: `podplane_${name}`,
  help,
  type: 'gauge',
  samples,
});

function runFamilies(counts: RunCounts, version: string): Family[] {
  const { backend, lanes, workers, pathCache } = counts;
  return [
    gauge('info', 'How podplane runs; always 1.', [
      [{ version, backend, lanes: String(lanes), workers: String(workers) }, 1],
    ]),
    counter('read_packets', 'Packets read from the captures.', [[{}, counts.packets]]),
    counter('read_bytes', 'Bytes of those packets.', [[{}, counts.bytes]]),
    gauge(
      'ledger',
      'Packets by where they are: in + generated + copies is the sum of the others.',
      Object.entries(counts.ledger).map(([term, packets]): Sample => [{ term }, packets]),
    ),
    gauge('lost_packets', 'Packets that went down with a worker.', [[{}, counts.lost]]),
    counter('recovered_workers', 'Workers that died and were replaced.', [[{}, counts.recovered]]),
    counter('quarantined_packets', 'Packets set aside because workers died of them.', [
      [{}, counts.quarantined],
    ]),
    gauge('connections', 'Connections that conntrack holds, all nodes together.', [
      [{}, counts.connectionsLive],
    ]),
    counter('connections_created', 'Connections that conntrack has made, all nodes together.', [
      [{}, counts.connections],
    ]),
    counter('path_cache_hits', 'Packets that took the short way.', [[{}, pathCache.hits]]),
    counter('path_cache_misses', 'Packets that took the long way while the cache was on.', [
      [{}, pathCache.misses],
    ]),
  ];
}

function packetFamilies({ verdicts, outcomes }: RunCounts): Family[] {
  const byVerdict = (unit: 'packets' | 'bytes'): Sample[] =>
    VERDICT_NAMES.filter((verdict) => verdict !== 'none' && verdict !== 'pending').map((verdict) => [
      { verdict },
      verdicts.find(({ name }) => name === verdict)?.[unit] ?? 0,
    ]);
  const byReason = (wanted: string): Sample[] =>
    outcomes
      .filter(({ verdict }) => verdict === wanted)
      .map(({ reason, packets }): Sample => [{ reason }, packets]);
  return [
    counter('packets', 'Packets by what became of them.', byVerdict('packets')),
    counter('bytes', 'Bytes of packets by what became of them, as they ended.', byVerdict('bytes')),
    counter('drops', 'Dropped packets by reason.', byReason('dropped')),
    counter(
      'rejections',
      'Packets turned away with a notice to the sender, by reason.',
      byReason('rejected'),
    ),
    counter('answers', 'Packets that a stack answered itself, by reason.', byReason('answered')),
  ];
}

/** Samples with equal labels become one. */
function summed(samples: readonly Sample[]): Sample[] {
  const sums = new Map<string, [Labels, number]>();
  for (const [labels, value] of samples) {
    const key = JSON.stringify(labels);
    const known = sums.get(key);
    if (known === undefined) sums.set(key, [labels, value]);
    else known[1] += value;
  }
  return [...sums.values()];
}

function serviceFamilies(services: readonly ServiceCount[], names: MetricNames): Family[] {
  const by = (unit: 'packets' | 'bytes' | 'connections'): Sample[] =>
    summed(
      services.map((count) => [
        { service: names.services.has(count.name) ? count.name : OTHER },
        count[unit],
      ]),
    );
  return [
    counter('service_packets', 'Packets of connections to a Service, both directions.', by('packets')),
    counter('service_bytes', 'Bytes of those packets.', by('bytes')),
    counter('service_connections', 'New connections to a Service.', by('connections')),
  ];
}

function endpointFamilies(services: readonly ServiceCount[], names: MetricNames): Family[] {
  const by = (unit: 'packets' | 'bytes' | 'connections'): Sample[] =>
    summed(
      services.flatMap(({ name: service, endpoints }) =>
        endpoints.map(({ name: endpoint, [unit]: value }): Sample => {
          const isNamed = names.endpoints.has(`${service} ${endpoint}`);
          return [isNamed ? { service, endpoint } : { service: OTHER, endpoint: OTHER }, value];
        }),
      ),
    );
  return [
    counter('endpoint_packets', 'Packets of Service connections to an endpoint, both ways.', by('packets')),
    counter('endpoint_bytes', 'Bytes of those packets.', by('bytes')),
    counter('endpoint_connections', 'New Service connections to an endpoint.', by('connections')),
  ];
}

function pairFamilies({ nodePairs }: RunCounts, { nodes }: MetricNames): Family[] {
  const name = (node: string): string => (nodes.has(node) ? node : OTHER);
  const by = (unit: 'packets' | 'bytes'): Sample[] =>
    summed(nodePairs.map((pair) => [{ from: name(pair.from), to: name(pair.to) }, pair[unit]]));
  return [
    counter('node_pair_packets', 'Packets by node of entry and node where they ended.', by('packets')),
    counter('node_pair_bytes', 'Bytes of those packets.', by('bytes')),
  ];
}

function ruleFamilies({ rules }: RunCounts): Family[] {
  const samples = (rules ?? []).map(
    ({ packets, rank, table, priority, ...rule }): Sample => [
      rank < RULES_MAX
        ? { table: String(table), priority: String(priority), ...rule }
        : { table: String(table), priority: '', node: OTHER, match: OTHER, object: OTHER },
      packets,
    ],
  );
  return [counter('rule_packets', 'Packets that matched a rule of br0.', summed(samples))];
}

function stageFamilies({ stages }: RunCounts): Family[] {
  const rows = stages ?? [];
  return [
    counter(
      'stage_packets',
      'Packets that came to a stage or kernel.',
      rows.map(({ stage, packets }): Sample => [{ stage }, packets]),
    ),
    gauge(
      'stage_median_seconds',
      'Median time of a packet there.',
      rows.map(({ stage, medianNs }): Sample => [{ stage }, medianNs / 1e9]),
    ),
    gauge(
      'stage_mean_seconds',
      'Mean time of a packet there, without the slowest hundredth.',
      rows.map(({ stage, meanNs }): Sample => [{ stage }, meanNs / 1e9]),
    ),
  ];
}
