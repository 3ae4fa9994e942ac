/** Sends a trace through an engine of given back end, cache and batch size, and writes down all that comes out. */
import { Engine, type EngineOptions } from '../../src/engine/engine.js';
import { createArena, createInput, createOutput, HEADROOM, ROWS_PER_PACKET } from '../../src/packet/batch.js';
import type { Ledger } from '../../src/packet/ledger.js';
import type { Epoch } from '../../src/tables/epoch.js';
import { epoch, type Sent } from './cache-trace.js';

export interface RunOptions extends EngineOptions {
  readonly batch: number;
  /** Where the frames lie, beside the usual place at which their IPv4 header is aligned. */
  readonly shift?: number;
  /** Called before the packet of that number goes in; a batch ends there. */
  readonly before?: ReadonlyMap<number, (engine: Engine) => void>;
  /** The table set to begin with; that of the traffic unless said otherwise. */
  readonly start?: Epoch;
  /** Write Services and endpoints by their names: in another table set they have other rows. */
  readonly names?: boolean;
}

export interface RunResult {
  /** One line an output row: its columns and its bytes. */
  readonly rows: readonly string[];
  readonly ledger: Ledger;
  readonly connections: number;
}

const SPARE = 1 << 20;

export function run(trace: readonly Sent[], options: RunOptions): RunResult {
  const { batch, shift = 0, before, start = epoch, names = false } = options;
  const engine = new Engine(start, options);
  const stops = [...(before?.keys() ?? []), trace.length];
  const output = createOutput(4 * batch + 2 * ROWS_PER_PACKET);
  const rows: string[] = [];
  const arena = createArena(roomFor(trace, batch));
  const input = createInput(arena, batch);
  let nowNs = 0;
  for (let first = 0, end = 0; first < trace.length; first = end) {
    before?.get(first)?.(engine);
    end = Math.min(first + batch, ...stops.filter((stop) => stop > first));
    const part = trace.slice(first, end);
    arena.used = 0;
    input.next = 0;
    for (const [i, { port, gapNs, bytes }] of part.entries()) {
      nowNs += gapNs;
      const at = ((arena.used + HEADROOM + 3) & ~3) + 2 + shift;
      arena.bytes.set(bytes, at);
      arena.used = at + bytes.length;
      input.offset[i] = at;
      input.length[i] = bytes.length;
      input.tsNs[i] = nowNs;
      input.port[i] = port;
    }
    input.count = part.length;
    const { used } = arena;
    while (input.next < input.count) {
      engine.process(input, output);
      keep(first, arena.bytes);
      arena.used = used;
    }
  }
  arena.used = 0;
  for (let dueNs = engine.nextTimerNs(); Number.isFinite(dueNs); dueNs = engine.nextTimerNs()) {
    engine.advance(dueNs, output, arena);
    keep(0, arena.bytes);
    arena.used = 0;
  }
  return { rows, ledger: { ...engine.ledger }, connections: engine.connections };

  function keep(first: number, bytes: Uint8Array): void {
    const { origin, packet, parent, verdict, reason, exit, offset, length, tsNs, endpoint, service } = output;
    for (let i = 0; i < output.count; i++) {
      const source = origin[i]! < 0 ? -1 : origin[i]! + first;
      const from = offset[i]!;
      const hex = Buffer.from(bytes.buffer, from, length[i]!).toString('latin1');
      const columns = [packet, parent, verdict, reason, exit, tsNs].map((column) => column[i]);
      const servers = names ? namesOf(endpoint[i]!, service[i]!) : `${endpoint[i]} ${service[i]}`;
      rows.push(`${source} ${columns.join(' ')} ${servers} ${hex}`);
    }
    output.count = 0;
  }

  function namesOf(endpoint: number, service: number): string {
    const { endpoints, services } = engine.epoch.tables;
    const name = (row: number, column: Uint32Array): string =>
      row < 0 ? '-' : engine.epoch.text(column[row]!);
    return `${name(endpoint, endpoints.name)} ${name(service, services.name)}`;
  }
}

/** Bytes for the largest batch, and for what the engine makes. */
function roomFor(trace: readonly Sent[], batch: number): number {
  let most = 0;
  for (let first = 0; first < trace.length; first += batch) {
    const part = trace.slice(first, first + batch);
    most = Math.max(
      most,
      part.reduce((sum, { bytes }) => sum + bytes.length + 2 * HEADROOM, 0),
    );
  }
  return most + SPARE;
}
