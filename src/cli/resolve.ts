/** `podplane resolve`: a name as a pod's C library resolves it, query by query, and then the way to what it found. */
import { type Command, InvalidArgumentError } from 'commander';
import { formatIpv4, parseIpv4 } from '../addr/ipv4.js';
import type { LoadedCluster } from '../cluster.js';
import { Resolution } from '../resolver/resolution.js';
import { podResolvConf, type ResolvConf } from '../resolver/resolv-conf.js';
import { resolverSettings } from '../resolver/search.js';
import type { Epoch } from '../tables/epoch.js';
import { chosenKernels } from './backend.js';
import { askServer, type ExchangeReport } from './dns-exchange.js';
import { entryOf } from './entry.js';
import { badArgument } from './exit.js';
import { type ClusterOptions, clusterCommand, loadNamedCluster, seedNumber } from './options.js';
import { PacketRun } from './packet-run.js';
import { paintFor } from './print/colour.js';
import { writeJson, writeText } from './print/output.js';
import { resolveText } from './print/resolve-text.js';
import { type TraceReport, traceReport } from './print/trace-report.js';
import { type Reference, ReferenceBook, referenceName } from './reference.js';
import { buildFirst, FIRST_SPORT } from './send-packet.js';
import { targetOf } from './target.js';

interface ResolveOptions extends ClusterOptions {
  readonly from: string;
  readonly then?: number;
  readonly seed: number;
}

export interface ResolveReport {
  readonly from: string;
  readonly name: string;
  readonly resolvConf: ResolvConf;
  readonly queries: readonly ExchangeReport[];
  /** The candidate that was answered; '' when none was. */
  readonly resolved: string;
  readonly addresses: readonly string[];
  /** getaddrinfo's word for the failure; null when there is none. */
  readonly error: string | null;
  readonly connection?: TraceReport & { readonly caused: readonly TraceReport[] };
}

/** Time from one step to the next. */
const STEP_NS = 1e6;

export function resolveCommand(): Command {
  return clusterCommand('resolve')
    .description('resolve a name as a pod does, with real queries, and show their ways')
    .argument('<name>', 'the name that a program in the pod asks for')
    .requiredOption('--from <pod>', 'the pod that asks')
    .option('--then <action>', 'what to do with the address: connect:PORT', connectPort)
    .option('--seed <n>', 'seed of the random choices', seedNumber, 1)
    .addHelpText(
      'after',
      '\nExample:\n  podplane resolve -c examples/two-nodes --from pod:web/pod-1 jws-app --then connect:8080',
    )
    .action(async (name: string, options: ResolveOptions) => {
      const report = resolveName(await loadNamedCluster(options), name, options);
      if (options.json === true) writeJson(report);
      else writeText(resolveText(report, paintFor(process.stdout)));
    });
}

function resolveName(cluster: LoadedCluster, name: string, options: ResolveOptions): ResolveReport {
  chosenKernels();
  const { model } = cluster;
  const from = new ReferenceBook(model).find('--from', options.from);
  if (from.kind !== 'pod') throw badArgument('--from', `${referenceName(from)} is no pod`, 'a pod');
  if (parseIpv4(name) >= 0) throw badArgument('name', `${name} is an address already`, 'a name');
  const resolvConf = podResolvConf(from.pod, model.dns);
  if (resolvConf.nameservers.length === 0)
    throw badArgument(
      '--from',
      `${referenceName(from)} has no nameserver (dnsPolicy ${from.pod.dnsPolicy})`,
      'a pod with dnsPolicy ClusterFirst in a cluster with a DNS Service, or a dnsConfig',
    );
  const epoch = cluster.compile();
  using run = new PacketRun(epoch, { seed: options.seed, respond: true });
  const { queries, resolution } = ask(run, epoch, from, resolvConf, name);
  const { addresses, error, name: resolved } = resolution.result!;
  const report = {
    from: referenceName(from),
    name,
    resolvConf,
    queries,
    resolved,
    addresses: addresses.map(formatIpv4),
    error,
  };
  if (options.then === undefined || addresses.length === 0) return report;
  return { ...report, connection: connect(run, epoch, from, addresses[0]!, options.then) };
}

function ask(
  run: PacketRun,
  epoch: Epoch,
  from: Reference & { readonly kind: 'pod' },
  conf: ResolvConf,
  name: string,
): { readonly queries: readonly ExchangeReport[]; readonly resolution: Resolution } {
  const resolution = new Resolution(conf, name);
  const { timeoutMs } = resolverSettings(conf);
  const queries: ExchangeReport[] = [];
  for (let query = resolution.next(); query !== null; query = resolution.next()) {
    const number = queries.length;
    const { report, message } = askServer(run, epoch, from, query, FIRST_SPORT + number, number + 1);
    queries.push(report);
    resolution.answer(message);
    run.wait(message === null ? timeoutMs * 1e6 : STEP_NS);
  }
  return { queries, resolution };
}

function connect(
  run: PacketRun,
  epoch: Epoch,
  from: Reference & { readonly kind: 'pod' },
  address: number,
  port: number,
): TraceReport & { readonly caused: readonly TraceReport[] } {
  const target = targetOf('--then', { kind: 'address', address, port: String(port) }, 'tcp');
  const entry = entryOf('--from', epoch, from, address);
  const startNs = run.nowNs;
  const mtu = epoch.tables.config.mtu[0]!;
  const sent = run.send(entry.port, (arena) => buildFirst(arena, entry, target, FIRST_SPORT, mtu));
  return {
    ...traceReport(epoch, sent.packet, startNs),
    caused: sent.caused.map((packet) => traceReport(epoch, packet, startNs)),
  };
}

function connectPort(text: string): number {
  const port = Number(/^connect:(\d{1,5})$/.exec(text)?.[1] ?? Number.NaN);
  if (!(port > 0 && port < 65_536)) throw new InvalidArgumentError('connect:PORT is wanted, connect:8080.');
  return port;
}
