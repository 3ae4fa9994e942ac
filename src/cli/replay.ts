/** `podplane replay`: carries captured packets through a cluster, compares, counts, and writes what came out. */
import { statSync } from 'node:fs';
import { Presets, SingleBar } from 'cli-progress';
import { type Command, Option } from 'commander';
import { readWatchFiles } from '../manifests/watch-file.js';
import { parsePlace } from '../replay/places.js';
import { type ReplayOptions, type ReplayResult, replay } from '../replay/replay.js';
import type { Epoch } from '../tables/epoch.js';
import { chosenKernels } from './backend.js';
import { changesOf } from './changes.js';
import { badArgument, EXIT, reportError } from './exit.js';
import { MetricsOutput } from './metrics.js';
import {
  type ClusterOptions,
  clusterCommand,
  failOnOption,
  loadNamedCluster,
  portNumber,
  seedNumber,
  wholeNumber,
} from './options.js';
import { paintFor } from './print/colour.js';
import { replayReport, replayText } from './print/replay-report.js';
import { podplaneVersion } from './version.js';

interface ReplayCommandOptions extends ClusterOptions {
  readonly output?: string;
  readonly hops?: boolean;
  readonly seed: number;
  readonly workers?: number;
  readonly lanes?: number;
  readonly lookahead: number;
  readonly pick: 'recorded' | 'model';
  readonly at: readonly string[];
  readonly drain: boolean;
  readonly respond?: boolean;
  readonly events: readonly string[];
  readonly cache: boolean;
  readonly stages?: boolean;
  readonly metrics?: string;
  readonly metricsEvery: number;
  readonly metricsPort?: number;
  readonly failOn?: readonly string[];
}

const WORKERS_MAX = 256;
const LANES_MAX = 4096;
const LOOK_AHEAD_MAX = 1 << 20;
/** Lines of a progress bar are drawn this often at most. */
const PROGRESS_MS = 100;

export function replayCommand(): Command {
  return clusterCommand('replay')
    .description('carry the packets of captures through a cluster')
    .argument('<trace...>', 'captures: pcap or pcapng, packed with gzip or not, - for stdin')
    .option('-o, --output <file>', 'capture of what came out: .pcapng or .pcap, both with .gz; - for stdout')
    .option('--hops', 'write every hop of every packet instead of where it ended')
    .option('--seed <n>', 'seed of the random choices', seedNumber, 1)
    .option(
      '--workers <n>',
      'threads; the result does not depend on them (default: 2 for a long trace, if there are cores)',
      wholeNumber(1, WORKERS_MAX),
    )
    .option(
      '--lanes <n>',
      'parts that the connections are split into; the result does (default: 8, or 1 with session affinity)',
      wholeNumber(1, LANES_MAX),
    )
    .addOption(
      new Option('--pick <how>', "a Service's endpoint: the one that the capture shows, or the rules' choice")
        .choices(['recorded', 'model'])
        .default('recorded'),
    )
    .option(
      '--at <file[#interface]=place>',
      'where packets enter: pod:web/pod-1, node1:eth0 or node1:tun0; may be repeated',
      (value: string, before: string[]) => [...before, value],
      [],
    )
    .option(
      '--lookahead <n>',
      'packets that are searched ahead for the recorded endpoint',
      wholeNumber(0, LOOK_AHEAD_MAX),
      65_536,
    )
    .option(
      '--events <file>',
      'watch events with times: the cluster changes as they say; may be repeated',
      (value: string, before: string[]) => [...before, value],
      [],
    )
    .option('--respond', 'pods answer SYN, echo and UDP by themselves')
    .option('--no-drain', 'leave packets that wait for a timer at the end as pending')
    .option('--no-cache', 'take the long way with every packet; slower, and the result is the same')
    .option('--stages', 'measure the time that each stage takes, with a sample of the packets')
    .option('--metrics <file>', 'write counts in the text format of Prometheus, at the end and now and then')
    .option('--metrics-every <seconds>', 'how often, while the run lasts', wholeNumber(1, 86_400), 15)
    .option(
      '--metrics-port <n>',
      'give the same out on 127.0.0.1 while the run lasts; 0 takes a free one',
      portNumber,
    )
    .addOption(failOnOption(['dropped', 'rejected', 'diff']))
    .addHelpText('after', `\nExamples:\n  ${EXAMPLES.join('\n  ')}`)
    .action(runReplay);
}

const EXAMPLES = [
  'podplane replay -c examples/two-nodes trace.pcapng -o out.pcapng',
  'podplane replay -c cluster.yaml node1.pcap node2.pcap --at node1.pcap=node1:eth0 --fail-on diff',
  'podplane replay -c cluster.yaml trace.pcapng --metrics podplane.prom --metrics-port 9100',
  'podplane replay -c cluster.yaml trace.pcapng --no-cache --stages',
  'podplane replay -c cluster.yaml trace.pcapng --events watch.jsonl',
];

async function runReplay(traces: readonly string[], options: ReplayCommandOptions): Promise<void> {
  if (traces.includes('-') && options.cluster?.includes('-'))
    throw badArgument('-', 'stdin is named as cluster and as trace', 'one of them from a file');
  if (isAmong(options.output, [...traces, ...options.events]))
    throw badArgument('-o', `${options.output} is also read`, 'another file');
  checkMetrics(traces, options);
  checkEvents(traces, options);
  const events = await readWatchFiles(options.events);
  const cluster = await loadNamedCluster(options);
  chosenKernels();
  const epoch = cluster.compile();
  const isCounting = options.metrics !== undefined || options.metricsPort !== undefined;
  const metrics = isCounting ? await openMetrics(options, epoch) : null;
  const progress = new Progress(traces);
  const replayOptions: ReplayOptions = {
    traces,
    ...(options.output === undefined ? {} : { output: options.output }),
    isByHop: options.hops === true,
    seed: options.seed,
    ...(options.workers === undefined ? {} : { workers: options.workers }),
    ...(options.lanes === undefined ? {} : { lanes: options.lanes }),
    lookAhead: options.lookahead,
    pick: options.pick,
    places: options.at.map((text) => parsePlace(text, epoch)),
    drain: options.drain,
    respond: options.respond === true,
    ...(options.events.length === 0 ? {} : { changes: changesOf(cluster, events) }),
    cache: options.cache,
    countsRules: isCounting,
    timesStages: options.stages === true,
    onProgress: (packets, bytes, soFar) => {
      progress.show(packets, bytes);
      return metrics?.update(soFar);
    },
  };
  let result: ReplayResult;
  try {
    result = await replay(epoch, replayOptions);
    metrics?.finish(result);
  } finally {
    progress.stop();
    await metrics?.close();
  }
  // The capture itself may be on stdout.
  const stream = options.output === '-' ? process.stderr : process.stdout;
  const report = replayReport(result);
  stream.write(
    options.json === true ? `${JSON.stringify(report, null, 2)}\n` : replayText(report, paintFor(stream)),
  );
  process.exitCode = exitCodeOf(result, options.failOn ?? []);
}

/** Is `path` one of the files that are named, by whatever name? */
function isAmong(path: string | undefined, files: readonly string[]): boolean {
  const own = fileOf(path);
  return own !== undefined && files.some((file) => fileOf(file) === own);
}

/** A file's own number; undefined when there is none, or no file at all: a device may be read and written. */
function fileOf(path: string | undefined): string | undefined {
  if (path === undefined || path === '-') return undefined;
  const facts = statSync(path, { throwIfNoEntry: false });
  return facts?.isFile() === true ? `${facts.dev} ${facts.ino}` : undefined;
}

function checkEvents(traces: readonly string[], { events, cluster }: ReplayCommandOptions): void {
  const stdin = [...traces, ...(cluster ?? []), ...events].filter((name) => name === '-');
  if (events.includes('-') && stdin.length > 1)
    throw badArgument('--events', 'stdin is named twice', 'one of them from a file');
}

function checkMetrics(traces: readonly string[], { metrics, output }: ReplayCommandOptions): void {
  if (metrics === '-') throw badArgument('--metrics', 'stdout has the summary', 'a file');
  if (metrics !== undefined && (isAmong(metrics, traces) || metrics === output))
    throw badArgument('--metrics', `${metrics} is also a capture of this run`, 'another file');
}

async function openMetrics(options: ReplayCommandOptions, epoch: Epoch): Promise<MetricsOutput> {
  const { metrics: file, metricsPort: port, metricsEvery: everySeconds } = options;
  const target = {
    everySeconds,
    ...(file === undefined ? {} : { file }),
    ...(port === undefined ? {} : { port }),
  };
  const output = await MetricsOutput.open(target, epoch, podplaneVersion());
  if (output.url !== '') process.stderr.write(`metrics: ${output.url}\n`);
  return output;
}

function exitCodeOf(result: ReplayResult, failOn: readonly string[]): number {
  if (result.failure !== null) return reportError(result.failure);
  if (!result.balanced) {
    process.stderr.write('podplane: internal error: the ledger does not balance\n');
    return EXIT.INTERNAL;
  }
  const { ledger, observations } = result;
  const counts: Readonly<Record<string, number>> = {
    dropped: ledger.dropped,
    rejected: ledger.rejected,
    diff: observations.different + observations.missing,
  };
  return failOn.some((name) => (counts[name] ?? 0) > 0) ? EXIT.FAIL_ON : EXIT.OK;
}

/** A bar on a terminal's stderr. Its end is known for files that are not packed. */
class Progress {
  readonly #bar: SingleBar | null;
  #shownMs = 0;

  constructor(traces: readonly string[]) {
    const total = traces.reduce((sum, path) => sum + sizeOf(path), 0);
    this.#bar = process.stderr.isTTY
      ? new SingleBar(
          { format: '{bar} {percentage}% {packets} packets', stream: process.stderr, clearOnComplete: true },
          Presets.shades_grey,
        )
      : null;
    this.#bar?.start(total, 0, { packets: '0' });
  }

  show(packets: number, bytes: number): void {
    if (this.#bar === null || performance.now() - this.#shownMs < PROGRESS_MS) return;
    this.#shownMs = performance.now();
    const read = Math.min(bytes + packets * RECORD_SIZE, this.#bar.getTotal());
    this.#bar.update(read, { packets: packets.toLocaleString('en-US') });
  }

  stop(): void {
    this.#bar?.stop();
  }
}

/** About what a capture's own records add to each packet. */
const RECORD_SIZE = 24;

function sizeOf(path: string): number {
  if (path === '-' || path.endsWith('.gz')) return 0;
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
