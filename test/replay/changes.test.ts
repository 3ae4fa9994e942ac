/** The cluster changes while a trace is carried: which packets meet which cluster. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { loadCluster } from '../../src/cluster.js';
import { type ReplayResult, replay } from '../../src/replay/replay.js';
import { EXAMPLE, writeTrace } from './traces.js';
import { changing, jwsApp, jwsService, policy, type Timed } from './watch.js';

/** Packets and the changes between them: a line begins with who sends, or is an event. */
type Line = string | Omit<Timed, 'time'>;

const port = (line: string): string => line.split(/[ :]/)[0]!;

/** Replay the packets a millisecond apart, each event at the very time of the packet behind it. Returns the verdict of each
 *  row of output, in order. */
async function outcomes(
  lines: readonly Line[],
  late: readonly Timed[] = [],
): Promise<{ rows: string[]; result: ReplayResult }> {
  const packets: string[] = [];
  const events: Timed[] = [];
  for (const line of lines)
    if (typeof line === 'string') packets.push(line);
    else events.push({ ...line, time: packets.length / 1000 });
  const trace = await writeTrace(packets.map((line) => [`pod:web/${port(line)}`, line]));
  const output = `${trace}.out.pcapng`;
  const { cluster, changes } = await changing([...events, ...late]);
  const result = await replay(cluster.compile(), { traces: [trace], output, changes, pick: 'model' });
  assert.equal(result.balanced, true);
  return { rows: verdictsIn(output), result };
}

/** Comments of a written capture. */
const verdictsIn = (path: string): string[] =>
  readFileSync(path, 'latin1').match(
    /(?<![ a-z])(caused by packet \d+: )?(delivered|left|answered|(dropped|rejected) [a-z0-9-]+(?=: ))/g,
  ) ?? [];

const denyWeb = policy('web', 'closed');
const openIsolated = policy('isolated', 'open', { namespaceSelector: {} });
const ASK = 'shell:40000 > vault:8200 ACK';
const ANSWER = 'vault:8200 > shell:40000 ACK';

for (const { why, lines, rows } of [
  {
    why: 'a policy deleted cuts a connection in the forward direction, replies pass',
    lines: [
      { type: 'ADDED', object: openIsolated },
      'shell:40000 > vault:8200 SYN',
      'vault:8200 > shell:40000 SYNACK',
      ASK,
      { type: 'DELETED', object: openIsolated },
      ASK,
      ANSWER,
      { type: 'ADDED', object: openIsolated },
      ASK,
    ],
    rows: ['delivered', 'delivered', 'delivered', 'dropped policy-ingress', 'delivered', 'delivered'],
  },
  {
    why: "replies pass though the client's namespace is isolated meanwhile; new connections do not",
    lines: [
      'shell:40000 > pod-3:8080 SYN',
      { type: 'ADDED', object: denyWeb },
      'pod-3:8080 > shell:40000 SYNACK',
      'shell:40001 > pod-3:8080 SYN',
    ],
    rows: ['delivered', 'delivered', 'dropped policy-ingress'],
  },
  {
    why: 'a TCP connection stays with an endpoint that has gone, the next one goes elsewhere',
    lines: [
      { type: 'MODIFIED', object: jwsApp('pod-3') },
      'shell:40000 > web:8080 SYN',
      'pod-3:8080 > shell:40000 SYNACK',
      { type: 'MODIFIED', object: jwsApp('pod-2') },
      'shell:40000 > web:8080 ACK',
      'pod-3:8080 > shell:40000 ACK',
      'shell:40001 > web:8080 SYN',
      { type: 'MODIFIED', object: jwsApp() },
      'shell:40002 > web:8080 SYN',
    ],
    rows: [
      ...['delivered', 'delivered', 'delivered', 'delivered', 'delivered'],
      ...['rejected no-endpoints', 'caused by packet 6: delivered'],
    ],
  },
  {
    why: 'a Service goes with its address, and comes at another one; connections that are open stay',
    lines: [
      { type: 'MODIFIED', object: jwsApp('pod-3') },
      'shell:40000 > web:8080 SYN',
      'pod-3:8080 > shell:40000 SYNACK',
      { type: 'DELETED', object: jwsService() },
      'shell:40000 > web:8080 ACK',
      // Nobody owns the address.
      'shell:40001 > web:8080 SYN',
      { type: 'ADDED', object: jwsService('172.30.10.21') },
      'shell:40002 > web:8080 SYN',
      'shell:40003 > 172.30.10.21:8080 SYN',
      { type: 'MODIFIED', object: jwsService() },
      'shell:40000 > web:8080 ACK',
      'shell:40004 > web:8080 SYN',
    ],
    rows: [
      ...['delivered', 'delivered', 'delivered', 'delivered', 'delivered', 'delivered'],
      ...['rejected host-unreachable', 'caused by packet 4: delivered'],
      ...['rejected host-unreachable', 'caused by packet 5: delivered'],
    ],
  },
  {
    why: 'of changes at one time the last decides',
    lines: [
      'shell:40000 > pod-3:8080 SYN',
      { type: 'ADDED', object: denyWeb },
      { type: 'DELETED', object: denyWeb },
      'shell:40001 > pod-3:8080 SYN',
      { type: 'DELETED', object: denyWeb },
      { type: 'ADDED', object: denyWeb },
      'shell:40002 > pod-3:8080 SYN',
    ],
    rows: ['delivered', 'delivered', 'dropped policy-ingress'],
  },
] satisfies { why: string; lines: Line[]; rows: string[] }[])
  test(why, async () => {
    assert.deepEqual((await outcomes(lines)).rows, rows);
  });

test('an event is in force for the packet of its very nanosecond, not for the one before', async () => {
  const trace = await writeTrace([
    ['a', 'shell:40000 > pod-3:8080 SYN'],
    ['a', 'shell:40001 > pod-3:8080 SYN'],
  ]);
  for (const [time, dropped] of [
    ['2026-01-01T00:00:00.001Z', 1],
    ['2026-01-01T01:00:00.001000000+01:00', 1],
    ['2026-01-01T00:00:00.001000001Z', 0],
    ['2026-01-01T00:00:00.000000001Z', 1],
    ['2025-12-31T23:59:59Z', 2],
    [0, 2],
    [0.001, 1],
    [0.0010001, 0],
    [1_767_225_600.001, 1],
    [1_767_225_600.000001, 1],
  ] as const) {
    const { cluster, changes } = await changing([{ type: 'ADDED', object: denyWeb, time }]);
    const result = await replay(cluster.compile(), { traces: [trace], changes });
    assert.equal(result.ledger.dropped, dropped, String(time));
  }
});

test('the summary names the changes, and from which packet on they are in force', async () => {
  const late: Timed = { type: 'DELETED', object: denyWeb, time: 9 };
  const { result } = await outcomes(
    [
      'shell:40000 > web:8080 SYN',
      { type: 'ADDED', object: denyWeb },
      'shell:40000 > web:8080 ACK',
      { type: 'MODIFIED', object: jwsApp('pod-1', 'pod-2') },
      'shell:40001 > web:8080 SYN',
    ],
    [late],
  );
  assert.deepEqual(result.changes, {
    taken: 2,
    later: 1,
    list: [
      { name: 'ADDED NetworkPolicy web/closed', unixNs: 1_767_225_600_001_000_000n, packet: 2 },
      { name: 'MODIFIED EndpointSlice web/jws-app-x7k2p', unixNs: 1_767_225_600_002_000_000n, packet: 3 },
    ],
  });
});

test('counts of Services and pairs of nodes go on over changes', async () => {
  const lines = (change: Omit<Timed, 'time'> | null): Line[] => [
    'shell:40000 > web:8080 SYN',
    'pod-3:8080 > shell:40000 SYNACK',
    'shell:40000 > web:8080 ACK',
    ...(change === null ? [] : [change]),
    'shell:40000 > web:8080 ACK',
  ];
  const same = { type: 'MODIFIED', object: jwsApp('pod-3') } as const;
  const start: Line = { type: 'MODIFIED', object: jwsApp('pod-3') };
  const plain = await outcomes([start, ...lines(null)]);
  for (const change of [same, { type: 'ADDED', object: policy('isolated', 'more') } as const]) {
    const { result } = await outcomes([start, ...lines(change)]);
    assert.deepEqual(result.services, plain.result.services);
    assert.deepEqual(result.nodePairs, plain.result.nodePairs);
    assert.equal(result.services[0]?.packets, 4);
    assert.equal(result.services[0]?.endpoints[0]?.connections, 1);
    assert.equal(result.services[0]?.connections, 1);
  }
  const { result } = await outcomes([start, ...lines({ type: 'MODIFIED', object: jwsApp('pod-2') })]);
  assert.deepEqual(
    result.services.map(({ packets, endpoints }) => [packets, endpoints.map(({ name }) => name)]),
    [[4, ['pod:web/pod-3']]],
    'an endpoint that has gone keeps its packets',
  );
});

test('what waits for a neighbour goes on waiting over changes', async () => {
  const { rows, result } = await outcomes([
    'shell > web ping',
    { type: 'ADDED', object: denyWeb },
    'shell:40000 > pod-3:8080 SYN',
  ]);
  assert.deepEqual(rows, [
    ...['dropped policy-ingress', 'rejected host-unreachable', 'caused by packet 1: delivered'],
  ]);
  assert.equal(result.ledger.pending, 0);
});

test('when a node goes, what waits on it is given up before', async () => {
  const { model } = await loadCluster(EXAMPLE);
  const deleted = (kind: string, metadata: object): Line => ({
    type: 'DELETED',
    object: { apiVersion: kind === 'HostSubnet' ? 'network.openshift.io/v1' : 'v1', kind, metadata },
  });
  const events = [
    ...model.pods
      .filter(({ node }) => node === 'node1')
      .map(({ namespace, name }) => deleted('Pod', { namespace, name })),
    deleted('Node', { name: 'node1' }),
    deleted('HostSubnet', { name: 'node1' }),
  ];
  const { rows, result } = await outcomes([
    'shell > web ping',
    ...events,
    'pod-3:4000 > prometheus:9090 SYN',
  ]);
  assert.deepEqual(rows, ['rejected host-unreachable', 'caused by packet 1: delivered', 'delivered']);
  assert.equal(result.changes?.taken, events.length);
});

test('a Service that gets session affinity on the way has the run take one lane', async () => {
  const service = jwsService();
  const spec = { ...(service as { spec: object }).spec, sessionAffinity: 'ClientIP' };
  const { cluster, changes } = await changing([
    { type: 'MODIFIED', object: jwsService('172.30.10.21'), time: 0.001 },
    { type: 'MODIFIED', object: { ...service, spec }, time: 0.002 },
  ]);
  const trace = await writeTrace([['any', 'shell:40000 > web:8080 SYN']]);
  const { lanes, splitState } = await replay(cluster.compile(), {
    traces: [trace],
    backend: 'typescript',
    changes,
  });
  assert.equal(lanes, 1);
  assert.match(splitState, /^session affinity/);
});
