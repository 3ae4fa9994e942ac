/** `podplane replay --metrics`, `--metrics-port`, `--stages` and `--no-cache`: what is given out is what --json says. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { MetricsOutput, metricNames } from '../../src/cli/metrics.js';
import { prometheusText } from '../../src/cli/print/prometheus.js';
import { OTHER, replayMetrics } from '../../src/cli/print/replay-metrics.js';
import type { ServiceCount } from '../../src/replay/counts.js';
import { type RunCounts, replay } from '../../src/replay/replay.js';
import { frame, twoNodes, writeTrace } from '../replay/traces.js';
import { parsePrometheus, sumOf } from './prometheus-parser.js';
import { CLI, ROOT, runCli, runJson, TWO_NODES } from './run-cli.js';

interface Report {
  readonly fingerprint: string;
  readonly verdicts: Readonly<Record<string, number>>;
  readonly verdictBytes: Readonly<Record<string, number>>;
  readonly reasons: Readonly<Record<string, number>>;
  readonly services: readonly ServiceCount[];
  readonly nodePairs: readonly { readonly packets: number; readonly bytes: number }[];
  readonly connections: number;
  readonly connectionsLive: number;
  readonly pathCache: { readonly hits: number; readonly misses: number };
  readonly rules?: readonly { readonly table: number; readonly packets: number }[];
  readonly stages?: readonly { readonly stage: string; readonly packets: number; readonly share: number }[];
  readonly ledger: Readonly<Record<string, number>>;
}

const folder = mkdtempSync(join(tmpdir(), 'podplane-metrics-'));
const TRACE = join(folder, 'trace.pcapng');
const gen = runCli([
  ...['gen', '-c', TWO_NODES, '-o', TRACE],
  ...['--packets', '3000', '--flows', '40', '--seed', '4'],
]);
assert.equal(gen.code, 0, gen.err);
const base = ['replay', '-c', TWO_NODES, TRACE];

function measured(name: string, ...args: readonly string[]) {
  const file = join(folder, name);
  const report = runJson<Report>([...base, '--metrics', file, ...args]);
  return { report, families: parsePrometheus(readFileSync(file, 'utf8')), text: readFileSync(file, 'utf8') };
}

const ONE = measured('one.prom');

test('the sums of the file are those of --json', () => {
  const { report, families } = ONE;
  const sum = (name: string): number => sumOf(families.get(`podplane_${name}`));
  const total = (counts: Readonly<Record<string, number>>): number =>
    Object.values(counts).reduce((all, count) => all + count, 0);
  assert.equal(sum('packets_total'), total(report.verdicts));
  assert.equal(sum('bytes_total'), total(report.verdictBytes));
  assert.equal(sum('drops_total'), report.verdicts['dropped']);
  assert.equal(sum('rejections_total'), report.verdicts['rejected']);
  assert.equal(sum('drops_total') + sum('rejections_total') + sum('answers_total'), total(report.reasons));
  for (const unit of ['packets', 'bytes', 'connections'] as const) {
    const services = report.services.reduce((all, service) => all + service[unit], 0);
    const endpoints = report.services.flatMap((service) => service.endpoints);
    assert.equal(sum(`service_${unit}_total`), services, unit);
    assert.equal(
      sum(`endpoint_${unit}_total`),
      endpoints.reduce((all, endpoint) => all + endpoint[unit], 0),
      unit,
    );
  }
  assert.ok(sum('service_connections_total') > 10);
  assert.equal(
    sum('node_pair_packets_total'),
    report.nodePairs.reduce((all, pair) => all + pair.packets, 0),
  );
  assert.equal(
    sum('rule_packets_total'),
    report.rules!.reduce((all, rule) => all + rule.packets, 0),
  );
  assert.equal(sum('connections_created_total'), report.connections);
  assert.equal(sum('connections'), report.connectionsLive);
  assert.equal(sum('path_cache_hits_total'), report.pathCache.hits);
});

test('every packet is known to the cache or not', () => {
  const { pathCache, ledger } = ONE.report;
  assert.equal(pathCache.hits + pathCache.misses, ledger['in']);
  assert.ok(pathCache.hits > 0);
});

test('the ledger balances in the file', () => {
  const ledger = ONE.families.get('podplane_ledger')!.samples;
  const terms = (names: string): number =>
    names.split(' ').reduce((all, name) => all + ledger.get(`term=${name}`)!, 0);
  assert.equal(
    terms('in generated copies'),
    terms('delivered left answered rejected dropped merged pending'),
  );
  assert.equal(ledger.size, 10);
});

test('two workers count what one counts', () => {
  const { families } = measured('two.prom', '--workers', '2');
  const isUpToTheRun = (name: string): boolean => /info|path_cache/.test(name);
  const counts = (all: typeof families) => [...all].filter(([name]) => !isUpToTheRun(name));
  assert.deepEqual(counts(families), counts(ONE.families));
});

test('a worker that dies and is replaced: every packet is counted once', () => {
  const file = join(folder, 'killed.prom');
  const env = { PODPLANE_TEST_KILL: 'packet:700,packet:2100' };
  const { code, err } = runCli([...base, '--workers', '2', '--metrics', file], '', env);
  assert.equal(code, 0, err);
  const families = parsePrometheus(readFileSync(file, 'utf8'));
  assert.equal(sumOf(families.get('podplane_recovered_workers_total')), 2);
  const isUpToTheRun = (name: string): boolean => /info|path_cache|recovered/.test(name);
  const counts = (all: typeof families) => [...all].filter(([name]) => !isUpToTheRun(name));
  assert.deepEqual(counts(families), counts(ONE.families));
});

test('--no-cache: the same result, no hits, the same counts of rules', () => {
  const { report } = measured('long.prom', '--no-cache');
  assert.equal(report.fingerprint, ONE.report.fingerprint);
  assert.deepEqual(report.pathCache, { hits: 0, misses: 0 });
  assert.deepEqual(report.rules, ONE.report.rules);
  assert.deepEqual(report.services, ONE.report.services);
});

test('--stages tells every stage, in text, JSON and the file, and changes no byte', () => {
  const { report, families } = measured('stages.prom', '--stages', '--no-cache');
  assert.equal(report.fingerprint, ONE.report.fingerprint);
  const stages = new Map(report.stages!.map((stage) => [stage.stage, stage.packets]));
  assert.equal(stages.get('five-tuple'), report.ledger['in']);
  assert.ok(stages.get('bridge')! > stages.get('pod-output')!);
  const shares = report.stages!.reduce((sum, { share }) => sum + share, 0);
  assert.ok(Math.abs(shares - 1) < 1e-9, `${shares}`);
  assert.equal(
    families.get('podplane_stage_packets_total')!.samples.get('stage=bridge'),
    stages.get('bridge'),
  );
  const { out } = runCli([...base, '--stages']);
  assert.match(out, /^STAGE +DEVICE +PACKETS +MEASURED +MEDIAN NS +MEAN NS +SHARE$/m);
  assert.match(out, /^bridge +br0 +[\d,]+ +[\d,]+ +[\d.]+ +[\d.]+ +[\d.]+%$/m);
});

test('without being asked, nothing is counted that costs', () => {
  const report = runJson<Report>(base);
  assert.equal(report.rules, undefined);
  assert.equal(report.stages, undefined);
});

test('the file is written whole: nothing is left beside it, a link keeps leading to it', () => {
  const target = join(folder, 'target.prom');
  writeFileSync(target, 'old');
  symlinkSync(target, join(folder, 'link.prom'));
  measured('link.prom');
  assert.match(readFileSync(target, 'utf8'), /^# HELP podplane_info/);
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.endsWith('.new')),
    [],
  );
});

test('a folder is not replaced by the file', () => {
  const place = mkdtempSync(join(folder, 'place-'));
  assert.equal(runCli([...base, '--metrics', place]).code, 2);
  assert.ok(statSync(place).isDirectory());
});

const badCases: readonly { why: string; args: string[]; err: RegExp }[] = [
  {
    why: 'a folder that is not there',
    args: ['--metrics', '/nonexistent/a.prom'],
    err: /--metrics: .*ENOENT/,
  },
  { why: 'the capture that is read', args: ['--metrics', TRACE], err: /--metrics: .*also a capture/ },
  { why: 'stdout', args: ['--metrics', '-'], err: /--metrics: stdout/ },
  { why: 'no port', args: ['--metrics-port', '70000'], err: /65535/ },
  { why: 'never', args: ['--metrics-every', '0'], err: /1 to 86400/ },
];
for (const { why, args, err } of badCases)
  test(`exit 2: ${why}`, () => {
    const run = runCli([...base, ...args]);
    assert.equal(run.code, 2, run.err);
    assert.match(run.err, err);
  });

test('exit 2: a port that another has', async () => {
  const other = createServer();
  other.listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  const child = spawn(process.execPath, [CLI, ...base, '--metrics-port', `${port}`], { cwd: ROOT });
  const err: Buffer[] = [];
  child.stderr.on('data', (part: Buffer) => err.push(part));
  const [code] = (await once(child, 'close')) as [number];
  other.close();
  assert.equal(code, 2);
  assert.match(Buffer.concat(err).toString(), /--metrics-port: port \d+ cannot be had/);
});

test('--metrics-port answers while the run lasts, here of a trace whose end has not come', async () => {
  const args = ['replay', '-c', TWO_NODES, '-', '--metrics-port', '0', '--json'];
  const child = spawn(process.execPath, [CLI, ...args], { cwd: ROOT });
  const out: Buffer[] = [];
  child.stdout.on('data', (part: Buffer) => out.push(part));
  const bytes = readFileSync(TRACE);
  child.stdin.write(bytes.subarray(0, bytes.length / 2));
  const [line] = (await once(child.stderr, 'data')) as [Buffer];
  const [, url] = /^metrics: (http:\/\/127\.0\.0\.1:\d+\/metrics)\n$/.exec(line.toString())!;
  const answer = await fetch(url!);
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  await answer.text();
  assert.equal((await fetch(url!.replace('/metrics', '/'))).status, 404);
  child.stdin.end(bytes.subarray(bytes.length / 2));
  const [code] = (await once(child, 'close')) as [number];
  assert.equal(code, 0);
  assert.equal((JSON.parse(Buffer.concat(out).toString()) as Report).fingerprint, ONE.report.fingerprint);
  await assert.rejects(fetch(url!), 'the port is closed after the run');
});

const epoch = await twoNodes();

test('what a port gives in the middle of a run is what has happened by then', async () => {
  const output = await MetricsOutput.open({ port: 0, everySeconds: 3600 }, epoch, '0.0.0');
  const line = 'shell:40000 > pod-3:8080 SYN';
  const seen = Array.from(
    { length: 6 },
    (_, i) => ['eth0', frame(line.replace('40000', `${40_000 + i}`))] as const,
  );
  const told: number[] = [];
  try {
    assert.equal(await (await fetch(output.url)).text(), '', 'nothing is known before the first packets');
    await replay(epoch, {
      traces: [await writeTrace(seen)],
      chunkRows: 2,
      countsRules: true,
      onProgress: async (packets, _bytes, soFar) => {
        await output.update(soFar);
        const families = parsePrometheus(await (await fetch(output.url)).text());
        assert.equal(sumOf(families.get('podplane_packets_total')), packets);
        told.push(sumOf(families.get('podplane_connections_created_total')));
      },
    });
  } finally {
    await output.close();
  }
  assert.deepEqual(told, [4, 8, 12]);
});

test('label values are escaped as the format says', () => {
  const text = prometheusText([
    {
      name: 'x_total',
      help: 'a \\ and a\nline',
      type: 'counter',
      samples: [[{ a: 'quote " back \\ line \n end', b: '' }, 1]],
    },
    { name: 'empty', help: '', type: 'gauge', samples: [] },
  ]);
  assert.equal(
    text,
    '# HELP x_total a \\\\ and a\\nline\n# TYPE x_total counter\nx_total{a="quote \\" back \\\\ line \\n end",b=""} 1\n',
  );
  assert.equal(parsePrometheus(text).get('x_total')!.samples.get('a=quote " back \\ line \n end b='), 1);
});

/** A run with traffic of `count` Services of an endpoint each, between as many nodes, by as many rules of table 80. */
function largeRun(count: number): RunCounts {
  const numbers = Array.from({ length: count }, (_, i) => i);
  const name = (i: number): string => `ns/s${String(i).padStart(5, '0')}`;
  const each = { packets: 1, bytes: 10, connections: 2 };
  return {
    packets: count,
    bytes: 10 * count,
    verdicts: [],
    reasons: [],
    quirks: [],
    outcomes: [],
    services: numbers.map((i) => ({ name: name(i), ...each, endpoints: [{ name: `pod:${i}`, ...each }] })),
    nodePairs: numbers.map((i) => ({ from: `node${i}`, to: `node${count - 1 - i}`, packets: 1, bytes: 10 })),
    connections: 0,
    connectionsLive: 0,
    pathCache: { hits: 0, misses: 0 },
    rules: numbers.map((i) => ({
      node: '',
      table: 80,
      priority: 150,
      match: `reg1=${i}`,
      object: '',
      rank: i,
      packets: 1,
    })),
    stages: null,
    ledger: {
      ...{ in: 0, generated: 0, copies: 0, delivered: 0, left: 0 },
      ...{ answered: 0, rejected: 0, dropped: 0, merged: 0, pending: 0 },
    },
    changes: null,
    lost: 0,
    recovered: 0,
    quarantined: 0,
    lanes: 1,
    splitState: '',
    workers: 1,
    backend: 'typescript',
  };
}

test('labels are bounded: what is beyond is added up, and nothing is lost', () => {
  const run = largeRun(1500);
  const names = {
    services: new Set(run.services.slice(0, 1000).map(({ name }) => name)),
    endpoints: new Set(
      run.services.slice(0, 1000).map(({ name, endpoints }) => `${name} ${endpoints[0]!.name}`),
    ),
    nodes: new Set(Array.from({ length: 32 }, (_, i) => `node${i}`)),
  };
  const families = parsePrometheus(prometheusText(replayMetrics(run, names, '0.0.0')));
  const samples = (name: string) => families.get(`podplane_${name}`)!.samples;
  assert.equal(samples('service_packets_total').size, 1001);
  assert.equal(samples('service_packets_total').get(`service=${OTHER}`), 500);
  assert.equal(samples('service_connections_total').get(`service=${OTHER}`), 1000);
  assert.equal(samples('endpoint_bytes_total').get(`service=${OTHER} endpoint=${OTHER}`), 5000);
  assert.equal(samples('rule_packets_total').size, 201);
  assert.ok(samples('node_pair_packets_total').size <= 33 * 33);
  for (const name of ['service_packets', 'endpoint_packets', 'node_pair_packets', 'rule_packets'])
    assert.equal(sumOf(families.get(`podplane_${name}_total`)), 1500, name);
});

test('which Services have names of their own is up to the cluster alone', () => {
  const names = metricNames(epoch);
  const { services, endpoints } = epoch.tables;
  for (let row = 0; row < services.rows; row++)
    assert.ok(names.services.has(epoch.text(services.name[row]!)));
  assert.ok(names.endpoints.size > 0 && names.endpoints.size <= endpoints.rows);
  assert.deepEqual([...names.nodes], ['node1', 'node2']);
});
