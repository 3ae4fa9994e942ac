/** `podplane gen`: seeded traffic of a cluster into a capture file. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { LoadedCluster } from '../cluster.js';
import { type CaptureWriter, createCapture } from '../io/capture-writer.js';
import { TrafficGenerator, type TrafficSink } from '../io/generate.js';
import { TRAFFIC_PROFILES, type TrafficProfileName } from '../io/generate-profiles.js';
import type { TrafficPod } from '../io/generate-topology.js';
import { badArgument } from './exit.js';
import { type ClusterOptions, clusterCommand, loadNamedCluster, seedNumber, wholeNumber } from './options.js';
import { trafficTopology } from './traffic-topology.js';

interface GenOptions extends ClusterOptions {
  readonly profile: TrafficProfileName;
  readonly packets: number;
  readonly flows: number;
  readonly zipf?: number;
  readonly seed: number;
  readonly rate: number;
  readonly bad: number;
  readonly output?: string;
}

/** Time of the first packet: 2026-01-01T00:00:00Z. Never the clock's, so that the same command gives the same file. */
const EPOCH_NS = BigInt(Date.UTC(2026, 0, 1)) * 1_000_000n;
const BURST = 2_048;
const PACKETS_MAX = 1e12;
const FLOWS_MAX = 1e7;

export function genCommand(): Command {
  return clusterCommand('gen')
    .description('write seeded traffic between the pods of a cluster')
    .addOption(
      new Option('--profile <name>', 'kind of traffic').choices(Object.keys(TRAFFIC_PROFILES)).default('web'),
    )
    .option('--packets <n>', 'packets in all', wholeNumber(0, PACKETS_MAX), 100_000)
    .option('--flows <n>', 'client and server pairs', wholeNumber(1, FLOWS_MAX), 1_000)
    .option(
      '--zipf <s>',
      'how much the first flows are preferred, 0 not at all (default: 1, synflood 0)',
      exponent,
    )
    .option('--seed <n>', 'the same seed gives the same file', seedNumber, 1)
    .option(
      '--rate <pps>',
      'packets per second at most; a flow waits for its answers',
      wholeNumber(1, 1e9),
      100_000,
    )
    .option('--bad <permille>', 'of 1,000 packets, how many are malformed', wholeNumber(0, 1_000), 0)
    .option('-o, --output <file>', 'capture to write: .pcapng or .pcap, both with .gz; - for stdout')
    .addHelpText('after', () => `\nProfiles:\n${profileLines()}\n\nExample:\n  ${EXAMPLE}`)
    .action(async (options: GenOptions) => {
      const cluster = await loadNamedCluster(options);
      const { output } = options;
      if (output === undefined)
        throw badArgument('-o', 'no file is named', '-o with a path, or - for stdout');
      const report = await generate(cluster, options, output);
      // The capture itself may be on stdout.
      const stream = output === '-' ? process.stderr : process.stdout;
      stream.write(options.json === true ? `${JSON.stringify(report, null, 2)}\n` : reportText(report));
    });
}

const EXAMPLE = 'podplane gen -c examples/two-nodes --profile web --packets 1000000 --seed 7 -o web.pcapng';

const profileLines = (): string =>
  Object.entries(TRAFFIC_PROFILES)
    .map(([name, { sentence }]) => `  ${name.padEnd(9)} ${sentence}`)
    .join('\n');

function exponent(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= 10))
    throw new InvalidArgumentError('A number from 0 to 10 is wanted.');
  return value;
}

interface GenReport {
  readonly file: string;
  readonly profile: TrafficProfileName;
  readonly seed: number;
  readonly packets: number;
  readonly bytes: number;
  readonly malformed: number;
  readonly connections: number;
  readonly interfaces: number;
  /** Of the traffic, not of the run. */
  readonly seconds: number;
}

async function generate(cluster: LoadedCluster, options: GenOptions, output: string): Promise<GenReport> {
  const { profile, packets, flows, zipf, seed, rate, bad } = options;
  const topology = trafficTopology(cluster.model, cluster.compile());
  const generator = new TrafficGenerator(topology, {
    profile,
    packets,
    flows,
    seed,
    rate,
    badPermille: bad,
    ...(zipf === undefined ? {} : { zipf }),
  });
  const writer = await createCapture(output, { epochNs: EPOCH_NS });
  const sink = new PodSink(writer, topology.pods);
  try {
    while (generator.run(sink, BURST) > 0) await writer.drain();
  } finally {
    await writer.close();
  }
  return {
    file: output,
    profile,
    seed,
    packets: generator.packets,
    bytes: generator.bytes,
    malformed: generator.damaged,
    connections: generator.connections,
    interfaces: sink.interfaces,
    seconds: generator.nowNs / 1e9,
  };
}

/** One interface for each pod that sends, named as its port is. */
class PodSink implements TrafficSink {
  interfaces = 0;
  readonly #writer: CaptureWriter;
  readonly #pods: readonly TrafficPod[];
  /** Interface of the pod, or -1 while it has sent nothing. */
  readonly #interface: Int32Array;

  constructor(writer: CaptureWriter, pods: readonly TrafficPod[]) {
    this.#writer = writer;
    this.#pods = pods;
    this.#interface = new Int32Array(pods.length).fill(-1);
  }

  packet(pod: number, tsNs: number, bytes: Uint8Array, offset: number, length: number): void {
    if (this.#interface[pod]! < 0) {
      this.#interface[pod] = this.#writer.addInterface({ name: this.#pods[pod]!.name });
      this.interfaces++;
    }
    this.#writer.write(this.#interface[pod]!, tsNs, bytes, offset, length);
  }
}

function reportText(report: GenReport): string {
  const { file, packets, bytes, malformed, connections, interfaces, seconds } = report;
  const count = (n: number): string => n.toLocaleString('en-US');
  const bad = malformed === 0 ? '' : `, ${count(malformed)} malformed`;
  return (
    `${file}: ${count(packets)} packets${bad}, ${count(bytes)} bytes, ${count(connections)} connections, ` +
    `${interfaces} pods, ${seconds.toFixed(3)} s\n`
  );
}
