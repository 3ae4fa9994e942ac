/** `podplane bench`: which cases it runs, and the shape of what it says; never how fast. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { type BenchCase, benchCases, caseName } from '../../src/cli/bench/cases.js';
import { benchObjects } from '../../src/cli/bench/cluster.js';
import { benchRoutes } from '../../src/cli/bench/routes.js';
import type { BenchReport } from '../../src/cli/bench.js';
import { trafficTopology } from '../../src/cli/traffic-topology.js';
import { loadCluster } from '../../src/cluster.js';
import { ROOT, runCli, runJson, TWO_NODES } from './run-cli.js';

test('every case has a floor of as many connections in its back end', () => {
  const cases = benchCases(['typescript', 'native'], false);
  const of = ({ connections, backend }: BenchCase): string => `${connections} ${backend}`;
  const floors = cases.filter(({ kind }) => kind === 'floor').map(of);
  assert.ok(cases.every((one) => floors.includes(of(one))));
  const names = new Set(cases.map((one) => `${caseName(one)} ${one.connections} ${one.backend}`));
  assert.equal(names.size, cases.length);
});

for (const [name, input] of [
  ['the cluster of its own', benchObjects()],
  ['examples/two-nodes', TWO_NODES],
] as const)
  test(`${name} has routes of each path, and a client is never its own server`, async () => {
    const cluster = await loadCluster(input);
    const topology = trafficTopology(cluster.model, cluster.compile());
    const nodeOf = (address: number): number =>
      topology.pods.find((pod) => pod.address === address)?.node ?? -1;
    for (const path of ['same-node', 'other-node', 'service'] as const) {
      const routes = benchRoutes(topology, path);
      assert.ok(routes.length > 0, path);
      for (const { client, dst } of routes) {
        const pod = topology.pods[client]!;
        assert.notEqual(pod.address, dst);
        if (path !== 'service') assert.equal(nodeOf(dst) === pod.node, path === 'same-node');
        else assert.equal(nodeOf(dst), -1);
      }
    }
  });

test('--json has machine, cases and their ratio to the floor', () => {
  const report = runJson<BenchReport>(['bench', '-c', TWO_NODES, '--quick', '--time', '10', '--rounds', '2']);
  assert.equal(report.rounds, 2);
  assert.deepEqual(
    new Set(report.results.map(({ kind }) => kind)),
    new Set(['fill', 'floor', 'kernels', 'established', 'new']),
  );
  const native = report.results.some(({ backend }) => backend === 'native');
  for (const { kind, backend, nsPerPacket, bestNs, worstNs, ratio, ratioTypescript } of report.results) {
    assert.ok(bestNs > 0 && bestNs <= nsPerPacket && nsPerPacket <= worstNs);
    if (kind !== 'floor') continue;
    if (backend === 'native' || !native) assert.equal(ratio, 1);
    if (backend === 'typescript') assert.equal(ratioTypescript, 1);
  }
});

for (const file of ['all', 'established', 'generate', 'kernels', 'live-change', 'new', 'policies', 'scaling'])
  test(`bench/${file} says what it takes, and refuses what it does not`, () => {
    const run = (argument: string) =>
      spawnSync(process.execPath, [join(ROOT, `dist/bench/${file}.js`), argument], { encoding: 'utf8' });
    const [help, wrong] = [run('--help'), run('--no-such-thing')];
    assert.deepEqual([help.status, help.stderr], [0, '']);
    assert.match(help.stdout, /^Usage: /);
    assert.notEqual(wrong.status, 0);
    assert.match(wrong.stderr, /^error: unknown option/);
    assert.doesNotMatch(wrong.stderr, /^ +at /m);
  });

test('the table names each case, its back end and its floor', () => {
  const { out } = runCli(['bench', '--quick', '--time', '10', '--only', 'kernels']);
  assert.match(out, /^CASE .*x FLOOR +x TS FLOOR\n/);
  assert.match(out, /\nfloor .* 1\.0\n/);
  assert.match(out, /\nkernels .*typescript/);
  assert.doesNotMatch(out, /established/);
});
