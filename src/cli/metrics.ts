/** Gives out a run's counts while it lasts and at its end: to a file, and to whoever asks on a port of this machine. */
import { realpathSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { RunCounts } from '../replay/replay.js';
import type { Epoch } from '../tables/epoch.js';
import { NONE } from '../tables/nodes.js';
import { badArgument } from './exit.js';
import { PROMETHEUS_TYPE, prometheusText } from './print/prometheus.js';
import {
  ENDPOINTS_MAX,
  type MetricNames,
  NODES_MAX,
  replayMetrics,
  SERVICES_MAX,
} from './print/replay-metrics.js';

export interface MetricsTarget {
  readonly file?: string;
  /** 0 takes a free one. */
  readonly port?: number;
  /** Seconds of wall clock between two writes of the file. */
  readonly everySeconds: number;
}

/** The loop is let go this often, or nobody could ask. */
const ASK_MS = 50;

export class MetricsOutput {
  readonly #target: MetricsTarget;
  readonly #names: MetricNames;
  readonly #version: string;
  readonly #server: Server | null;
  #soFar: (() => RunCounts) | null = null;
  #writtenMs = performance.now();
  #askedMs = performance.now();

  /** Begin: the file is there, empty, and the port is open.
   *  @throws InputError when the file cannot be written or the port not be had. */
  static async open(target: MetricsTarget, epoch: Epoch, version: string): Promise<MetricsOutput> {
    const output = new MetricsOutput(target, epoch, version);
    output.#write('');
    if (target.port !== undefined) await output.#listen(target.port);
    return output;
  }

  private constructor(target: MetricsTarget, epoch: Epoch, version: string) {
    this.#target = target;
    this.#names = metricNames(epoch);
    this.#version = version;
    this.#server =
      target.port === undefined
        ? null
        : createServer((request, response) => {
            if (request.url !== '/metrics') {
              response.writeHead(404, { 'content-type': 'text/plain' }).end('ask for /metrics\n');
              return;
            }
            response.writeHead(200, { 'content-type': PROMETHEUS_TYPE }).end(this.#text());
          });
  }

  /** Where the counts can be asked for, or empty. */
  get url(): string {
    return this.#server === null
      ? ''
      : `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/metrics`;
  }

  /** The run has come on. What is returned is to be waited for: questions are answered meanwhile. */
  update(soFar: () => RunCounts): Promise<void> | undefined {
    this.#soFar = soFar;
    const nowMs = performance.now();
    if (nowMs - this.#writtenMs >= this.#target.everySeconds * 1000) {
      this.#write(this.#text());
      this.#writtenMs = nowMs;
    }
    if (this.#server === null || nowMs - this.#askedMs < ASK_MS) return undefined;
    this.#askedMs = nowMs;
    return new Promise((resolve) => setImmediate(resolve));
  }

  /** The run is over. */
  finish(counts: RunCounts): void {
    this.#soFar = () => counts;
    this.#write(this.#text());
  }

  async close(): Promise<void> {
    const server = this.#server;
    if (server === null) return;
    await new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    });
  }

  #text(): string {
    if (this.#soFar === null) return '';
    return prometheusText(replayMetrics(this.#soFar(), this.#names, this.#version));
  }

  #write(text: string): void {
    const { file } = this.#target;
    if (file === undefined) return;
    try {
      writeWhole(file, text);
    } catch (error) {
      throw badArgument(
        '--metrics',
        `${file} cannot be written: ${(error as Error).message}`,
        'another path',
      );
    }
  }

  async #listen(port: number): Promise<void> {
    const server = this.#server!;
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) =>
        reject(
          badArgument('--metrics-port', `port ${port} cannot be had: ${error.message}`, 'another, or 0'),
        ),
      );
      server.listen(port, '127.0.0.1', resolve);
    });
  }
}

/** A reader never sees half a file. What is no file, as a pipe, is written to. */
function writeWhole(path: string, text: string): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found !== undefined && !found.isFile()) {
    writeFileSync(path, text);
    return;
  }
  const file = found === undefined ? path : realpathSync(path);
  const beside = `${file}.${process.pid}.new`;
  writeFileSync(beside, text);
  renameSync(beside, file);
}

/** The first of each kind, in order of name; nodes in the order of the tables. */
export function metricNames(epoch: Epoch): MetricNames {
  const { services, endpoints, nodes } = epoch.tables;
  const serviceOf = (row: number): string => epoch.text(services.name[row]!);
  const rows = (count: number): number[] => Array.from({ length: count }, (_, row) => row);
  const used = rows(services.rows).filter((row) => services.portProto[row] !== 0);
  const named = firstOf(used.map(serviceOf), SERVICES_MAX);
  return {
    services: named,
    endpoints: firstOf(
      rows(endpoints.rows)
        .filter((row) => endpoints.service[row] !== NONE)
        .map((row) => [serviceOf(endpoints.service[row]!), epoch.text(endpoints.name[row]!)] as const)
        .filter(([service]) => named.has(service))
        .map((pair) => pair.join(' ')),
      ENDPOINTS_MAX,
    ),
    nodes: new Set(rows(Math.min(nodes.rows, NODES_MAX)).map((row) => epoch.text(nodes.name[row]!))),
  };
}

const firstOf = (names: readonly string[], count: number): Set<string> =>
  new Set([...new Set(names)].sort().slice(0, count));
