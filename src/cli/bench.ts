/** `podplane bench`: what a packet costs, in ratio to a memory floor of the same run. */
import { cpus } from 'node:os';
import type { Command } from 'commander';
import { loadCluster } from '../cluster.js';
import { type BackendName, loadKernels } from '../kernels/backend.js';
import { type BenchCase, benchCases, caseName } from './bench/cases.js';
import { benchObjects } from './bench/cluster.js';
import { type BenchResult, runRounds } from './bench/rounds.js';
import { type ClusterOptions, clusterCommand, loadNamedCluster, wholeNumber } from './options.js';
import { paintFor } from './print/colour.js';
import { writeJson, writeText } from './print/output.js';
import { textTable } from './print/table.js';

interface BenchOptions extends ClusterOptions {
  readonly quick?: boolean;
  readonly rounds?: number;
  readonly time?: number;
  readonly only?: string;
}

/** Of a terminal's line. */
const CLEAR = '\r\u001b[K';

const FULL = { rounds: 3, timeMs: 700 } as const;
const QUICK = { rounds: 1, timeMs: 200 } as const;

export function benchCommand(): Command {
  return clusterCommand('bench')
    .description('measure what a packet costs')
    .option('--quick', 'one path, 1,000 connections, one round')
    .option('--rounds <n>', 'rounds over all cases (default: 3, quick 1)', wholeNumber(1, 1_000))
    .option(
      '--time <ms>',
      'measuring time of each case and round (default: 700, quick 200)',
      wholeNumber(10, 600_000),
    )
    .option('--only <text>', 'cases whose name has this in it, and their floor')
    .addHelpText(
      'after',
      '\nWithout -c a cluster of two nodes, 80 pods and 100 Services is measured.' +
        '\n\nExamples:\n  podplane bench --quick\n  podplane bench --only established --json',
    )
    .action(async (options: BenchOptions) => {
      const report = await bench(options);
      if (options.json === true) writeJson(report);
      else writeText(reportText(report));
    });
}

export interface BenchReport {
  readonly machine: { readonly cpu: string; readonly cores: number; readonly node: string };
  readonly rounds: number;
  readonly results: readonly BenchResult[];
}

/** Run what the options ask for. Each case is told of on stderr when its rounds are over, and on a terminal what is going on. */
export async function bench(options: BenchOptions): Promise<BenchReport> {
  const isQuick = options.quick === true;
  const { rounds, timeMs } = isQuick ? QUICK : FULL;
  const cluster =
    options.cluster === undefined ? await loadCluster(benchObjects()) : await loadNamedCluster(options);
  const wanted = options.only ?? '';
  const cases = benchCases(backends(), isQuick).filter(
    (benchCase) =>
      benchCase.kind === 'floor' || benchCase.kind === 'fill' || caseName(benchCase).includes(wanted),
  );
  const plan = {
    cluster,
    cases,
    rounds: options.rounds ?? rounds,
    timeMs: options.time ?? timeMs,
    onStart: process.stderr.isTTY ? showProgress : () => {},
    onResult: showResult,
  };
  const results = await runRounds(plan);
  if (process.stderr.isTTY) process.stderr.write(CLEAR);
  const processors = cpus();
  return {
    machine: { cpu: processors[0]?.model ?? '', cores: processors.length, node: process.version },
    rounds: plan.rounds,
    results,
  };
}

function backends(): BackendName[] {
  return loadKernels('auto').name === 'native' ? ['typescript', 'native'] : ['typescript'];
}

function showProgress(what: string, benchCase: BenchCase): void {
  const { connections, backend } = benchCase;
  process.stderr.write(`${CLEAR}${what}: ${caseName(benchCase)}, ${connections}, ${backend}`);
}

function showResult({ name, connections, backend, nsPerPacket, ratio }: BenchResult): void {
  const what = `${name.padEnd(22)}${connections.toLocaleString('en-US').padStart(11)}  ${backend.padEnd(10)}`;
  const line = `${what}${nsPerPacket.toFixed(nsPerPacket < 100 ? 1 : 0).padStart(8)} ns  x ${ratio.toFixed(1)}`;
  process.stderr.write(`${process.stderr.isTTY ? CLEAR : ''}${line}\n`);
}

export function reportText({ machine, rounds, results }: BenchReport): string {
  const right = 'right';
  const table = textTable(
    [
      { head: 'CASE' },
      { head: 'CONNECTIONS', align: right },
      { head: 'BACK END' },
      { head: 'NS/PACKET', align: right },
      { head: 'BEST', align: right },
      { head: 'WORST', align: right },
      { head: 'MPPS', align: right },
      { head: 'x FLOOR', align: right },
      { head: 'x TS FLOOR', align: right },
    ],
    results.map((result) => [
      result.name,
      result.connections.toLocaleString('en-US'),
      result.backend,
      ...[result.nsPerPacket, result.bestNs, result.worstNs].map((ns) => ns.toFixed(ns < 100 ? 1 : 0)),
      result.millionsPerSecond.toFixed(2),
      result.ratio.toFixed(1),
      result.ratioTypescript.toFixed(1),
    ]),
    paintFor(process.stdout),
  );
  const { cpu, cores, node } = machine;
  return `${table}\n${cpu}, ${cores} cores, Node ${node}; median of ${rounds} rounds, one process a case\n`;
}
