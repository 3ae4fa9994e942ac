/** What an engine counts: br0's rules alike on both ways, connections once each, and the sums of several engines. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Engine, type EngineOptions } from '../../src/engine/engine.js';
import { ruleText } from '../../src/engine/explain.js';
import { EngineMetrics, type MetricsOptions, metricsSize } from '../../src/engine/metrics.js';
import { runFrames, type SentFrame } from '../support/batches.js';
import { testEpoch } from '../support/cluster.js';
import { findPort, frameOf, Journey } from '../support/journey.js';
import { sentMacs } from '../support/macs.js';
import { needsNative } from '../support/native.js';
import { run } from '../twins/cache-run.js';
import { conversations, epoch as example, traffic } from '../twins/cache-trace.js';

const epoch = testEpoch();
const RULES: MetricsOptions = { countsRules: true };

/** Generated traffic, damaged in places, and conversations with the outside in between. */
const TRACE = [
  ...traffic({ profile: 'web', packets: 1200, flows: 30, seed: 7, badPermille: 20 }),
  ...conversations(0, 4, 20),
  ...traffic({ profile: 'dns', packets: 400, flows: 20, seed: 8 }),
];

function countTrace(options: EngineOptions & { readonly batch: number }): EngineMetrics {
  const metrics = new EngineMetrics(example.tables, RULES);
  run(TRACE, { ...options, metrics });
  return metrics;
}

const LONG = countTrace({ cache: false, batch: 256, backend: 'typescript' });

test('the long way alone: no packet hits the cache, and every packet meets a rule of table 0', () => {
  assert.equal(LONG.pathHits + LONG.pathMisses, 0);
  const { flows } = example.tables;
  const isFirst = (row: number): boolean =>
    flows.subtable.table[flows.rule.subtable[row]!] === 0 &&
    !ruleText(example, row).match.includes('in_port');
  const met = LONG.rulePackets.reduce((sum, packets, row) => sum + (isFirst(row) ? packets : 0), 0);
  assert.ok(met >= TRACE.length, `${met} of ${TRACE.length}`);
});

for (const batch of [1, 7, 4096])
  test(`rules count the same with the cache, batches of ${batch}`, () => {
    const short = countTrace({ batch, backend: 'typescript' });
    assert.deepEqual(short.rulePackets, LONG.rulePackets);
    assert.equal(short.pathHits + short.pathMisses, TRACE.length);
    assert.ok(short.pathHits > 0, 'some take the short way');
  });

test('rules count the same with the native short way', needsNative(), () => {
  assert.deepEqual(countTrace({ batch: 256, backend: 'native' }).rulePackets, LONG.rulePackets);
});

test('connections do not depend on cache and batch', () => {
  const short = countTrace({ batch: 64, backend: 'typescript' });
  assert.deepEqual(short.serviceConnections, LONG.serviceConnections);
  assert.deepEqual(short.endpointConnections, LONG.endpointConnections);
  assert.ok(LONG.serviceConnections.some((count) => count > 1));
});

const sent = (at: string, ...lines: readonly string[]): SentFrame[] =>
  lines.map((text) => ({ bytes: frameOf(text, sentMacs(at, text)), port: findPort(epoch, at), tsNs: 0 }));

const connectionCases: readonly {
  readonly why: string;
  readonly frames: readonly SentFrame[];
  readonly counted: Readonly<Record<string, number>>;
  readonly created: number;
}[] = [
  {
    why: 'on this node: a row of conntrack, a connection of the Service',
    frames: sent('a', 'a:1 > near:80 SYN'),
    counted: { 'web/near:http': 1 },
    created: 1,
  },
  {
    why: 'on another node conntrack has a row more, the Service has not',
    frames: sent('a', 'a:1 > far:80 SYN'),
    counted: { 'web/far:http': 1 },
    created: 2,
  },
  {
    why: 'a SYN again is no new connection, another port is',
    frames: sent('a', 'a:1 > far:80 SYN', 'a:1 > far:80 SYN', 'a:2 > far:80 SYN', 'a:1 > far:90 udp'),
    counted: { 'web/far:http': 2, 'web/far:u': 1 },
    created: 6,
  },
  {
    why: 'a pod that reaches itself',
    frames: sent('a', 'a:1 > own:80 SYN'),
    counted: { 'web/own:http': 1 },
    created: 1,
  },
  { why: 'no endpoint, no connection', frames: sent('a', 'a:1 > none:80 SYN'), counted: {}, created: 0 },
  { why: 'not by a Service', frames: sent('a', 'a:1 > b:8080 SYN'), counted: {}, created: 2 },
];

for (const { why, frames, counted, created } of connectionCases)
  test(`new connections: ${why}`, () => {
    const engine = new Engine(epoch);
    runFrames(engine, frames);
    const { services, endpoints } = epoch.tables;
    const names = [...services.name.subarray(0, services.rows)].map((id) => epoch.text(id));
    const { serviceConnections, endpointConnections, connectionsCreated } = engine.metrics;
    const found = names.flatMap((name, row) =>
      serviceConnections[row] === 0 ? [] : [[name, serviceConnections[row]]],
    );
    assert.deepEqual(Object.fromEntries(found), counted);
    assert.equal(connectionsCreated, created);
    const byEndpoint = new Float64Array(services.rows);
    for (let row = 0; row < endpoints.rows; row++)
      byEndpoint[endpoints.service[row]!]! += endpointConnections[row]!;
    assert.deepEqual(byEndpoint, serviceConnections.slice());
  });

test('connections held are those made and not met after their time', () => {
  const journey = new Journey(epoch);
  const live = (): number[] => [
    journey.engine.metrics.connectionsLive,
    journey.engine.metrics.connectionsCreated,
  ];
  journey.send('a', 'a:1 > c:9000 udp');
  assert.deepEqual(live(), [1, 1]);
  journey.wait(31);
  journey.send('a', 'a:1 > c:9000 udp');
  assert.deepEqual(live(), [1, 2]);
});

test('rules are counted and hops are told at the same time', () => {
  const metrics = new EngineMetrics(epoch.tables, RULES);
  const journey = new Journey(epoch, { metrics });
  const [first] = journey.send('a', 'a:1 > c:8080 SYN');
  const told = first!.trace!.hops.filter((hop) => hop.rule !== undefined).length;
  assert.equal(
    metrics.rulePackets.reduce((sum, packets) => sum + packets, 0),
    told,
  );
  assert.ok(told > 4);
});

test('an engine that goes back counts the rest again', () => {
  const metrics = new EngineMetrics(epoch.tables, RULES);
  const engine = new Engine(epoch, { metrics, backend: 'typescript' });
  const frames = (port: number): SentFrame[] =>
    sent('a', ...Array.from({ length: 9 }, () => `a:${port} > near:90 udp "query"`));
  runFrames(engine, frames(1), { batch: 2 });
  const state = engine.saveState();
  const rest = (): Float64Array => {
    runFrames(engine, [...frames(1), ...frames(2)], { batch: 2 });
    return metrics.cells.slice();
  };
  const once = rest();
  state.rewind();
  engine.restoreState(state);
  const twice = rest();
  assert.deepEqual(twice.subarray(8), once.subarray(8));
  assert.ok(metrics.rulePackets.some((packets) => packets === 27));
});

test('engines add up, over memory that others can read', () => {
  const size = metricsSize(epoch.tables, RULES);
  const parts = [1, 2].map((port) => {
    const buffer = new SharedArrayBuffer(size);
    const engine = new Engine(epoch, { metrics: new EngineMetrics(epoch.tables, { ...RULES, buffer }) });
    runFrames(engine, sent('a', `a:${port} > near:80 SYN`));
    return new EngineMetrics(epoch.tables, { ...RULES, buffer });
  });
  const sum = new EngineMetrics(epoch.tables, RULES);
  for (const part of parts) sum.add(part);
  assert.equal(sum.connectionsCreated, 2);
  assert.deepEqual(
    [...sum.rulePackets],
    [...parts[0]!.rulePackets].map((packets) => packets * 2),
  );
});
