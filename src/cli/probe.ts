/** `podplane probe`: questions in, one a line; answers out, one a line, in the same order. */
import { createInterface } from 'node:readline';
import type { Command } from 'commander';
import type { LoadedCluster } from '../cluster.js';
import type { Epoch } from '../tables/epoch.js';
import { InputError } from '../verdict/input-error.js';
import { chosenKernels } from './backend.js';
import { entryOf } from './entry.js';
import { type ClusterOptions, clusterCommand, loadNamedCluster, seedNumber } from './options.js';
import { PacketRun } from './packet-run.js';
import { type HopReport, traceReport } from './print/trace-report.js';
import { readProbe } from './probe-line.js';
import { ReferenceBook } from './reference.js';
import { buildFirst, FIRST_SPORT } from './send-packet.js';
import { targetOf } from './target.js';

interface ProbeOptions extends ClusterOptions {
  readonly seed: number;
  readonly respond?: boolean;
}

/** Time that passes from one line to the next: nothing here depends on how fast lines come. */
const LINE_NS = 1e6;
/** Ephemeral ports, used in turn (net.ipv4.ip_local_port_range). */
const SPORT_COUNT = 28_232;

export function probeCommand(): Command {
  return clusterCommand('probe')
    .description('answer questions of the form {"from","to"}, one JSON object a line, in order')
    .option('--seed <n>', 'seed of the random choices', seedNumber, 1)
    .option('--respond', 'pods answer SYN, echo and UDP')
    .addHelpText(
      'after',
      [
        '',
        'A line: {"id","from","to","proto","port","sport","fresh"}; only from and to are needed.',
        'Connections last from line to line; "fresh":true starts from an empty state.',
        'A line that cannot be understood is answered by {"id","line","error"}.',
        'The answer is JSON with and without --json.',
        '',
        'Example:',
        '  echo \'{"id":1,"from":"pod-1","to":"jws-app.web:8080"}\' | podplane probe -c examples/two-nodes',
      ].join('\n'),
    )
    .action(async (options: ProbeOptions) => {
      const cluster = await loadNamedCluster(options);
      chosenKernels();
      using prober = new Prober(cluster, options);
      let number = 0;
      for await (const line of createInterface({
        input: process.stdin,
        crlfDelay: Number.POSITIVE_INFINITY,
      })) {
        number++;
        if (line.trim() === '') continue;
        const answer = `${JSON.stringify(prober.answer(line, number))}\n`;
        // A reader that is slower than we are must not make the queue grow.
        if (!process.stdout.write(answer))
          await new Promise((resolve) => process.stdout.once('drain', resolve));
      }
    });
}

class Prober implements Disposable {
  readonly #epoch: Epoch;
  readonly #book: ReferenceBook;
  readonly #options: ProbeOptions;
  #run: PacketRun;
  #sent = 0;

  constructor(cluster: LoadedCluster, options: ProbeOptions) {
    this.#epoch = cluster.compile();
    this.#book = new ReferenceBook(cluster.model);
    this.#options = options;
    this.#run = this.#start();
  }

  /** What the line is answered with. */
  answer(line: string, number: number): object {
    const probe = readProbe(line);
    const id = probe.id === undefined ? {} : { id: probe.id };
    if ('error' in probe) return { ...id, line: number, error: probe.error };
    try {
      const from = this.#book.find('from', probe.from);
      const reference = this.#book.find('to', probe.to);
      const target = targetOf(
        'to',
        probe.port === '' ? reference : { ...reference, port: probe.port },
        probe.proto,
      );
      const entry = entryOf('from', this.#epoch, from, target.address);
      if (probe.fresh) this.#restart();
      const sport = probe.sport ?? FIRST_SPORT + (this.#sent % SPORT_COUNT);
      const mtu = this.#epoch.tables.config.mtu[0]!;
      const startNs = this.#run.nowNs;
      const sent = this.#run.send(entry.port, (arena) => buildFirst(arena, entry, target, sport, mtu));
      this.#run.wait(LINE_NS);
      this.#sent++;
      const report = traceReport(this.#epoch, sent.packet, startNs);
      const { verdict, reason, dnat, snat, endpoint, service, exit } = report;
      const { allowedBy, denial } = report;
      return {
        ...id,
        ...{ verdict, reason, dnat, snat, endpoint, service, exit },
        ...(allowedBy === undefined ? {} : { allowedBy }),
        ...(denial === undefined ? {} : { denial }),
        hops: report.hops.map(shortHop),
      };
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      return { ...id, line: number, error: error.message };
    }
  }

  [Symbol.dispose](): void {
    this.#run[Symbol.dispose]();
  }

  #restart(): void {
    this.#run[Symbol.dispose]();
    this.#run = this.#start();
    this.#sent = 0;
  }

  #start(): PacketRun {
    return new PacketRun(this.#epoch, { seed: this.#options.seed, respond: this.#options.respond === true });
  }
}

/** Where the packet was and whose rule it met; `podplane trace` tells the rest. */
const shortHop = ({ node, device, stage, table, rule }: HopReport): object => ({
  node,
  device,
  stage,
  ...(table === undefined ? {} : { table }),
  ...(rule === undefined || rule.object === '' ? {} : { object: rule.object }),
});
