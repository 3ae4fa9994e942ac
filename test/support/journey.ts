/** Sends packets written as text through an engine and tells what became of each: verdict, path, bytes.
 *
 *  A path names each node, then its devices in order, with br0's tables in brackets:
 *  `node1: eth0 br0[0 0 20 27 30 31 90] vxlan0 eth0 | node2: eth0 vxlan0 br0[0 0 10 30 31 70 80] eth0` */
import assert from 'node:assert/strict';
import { Engine, type EngineOptions } from '../../src/engine/engine.js';
import type { PacketTrace } from '../../src/engine/explain.js';
import {
  type Arena,
  createArena,
  createInput,
  createOutput,
  HEADROOM,
  type OutputBatch,
} from '../../src/packet/batch.js';
import { isBalanced } from '../../src/packet/ledger.js';
import type { Epoch } from '../../src/tables/epoch.js';
import { REASONS } from '../../src/verdict/reasons.js';
import { VERDICT_NAMES } from '../../src/verdict/verdict.js';
import { NAMES, portOf } from './cluster.js';
import { type Macs, macsOf, sentMacs } from './macs.js';
import { describePacket, packetBytes } from './packets.js';

/** One output row in words. */
export interface Outcome {
  readonly verdict: string;
  readonly reason: string;
  /** Port name, or empty. */
  readonly exit: string;
  readonly bytes: Uint8Array;
  /** The packet as a line of text. */
  readonly text: string;
  readonly packet: number;
  readonly parent: number;
  readonly tsNs: number;
  readonly endpoint: string;
  readonly service: string;
  /** Empty while the packet waits for a timer. */
  readonly path: string;
  readonly trace: PacketTrace | undefined;
}

export class Journey {
  readonly engine: Engine;
  #nowNs = 0;

  readonly #explains: boolean;

  constructor(epoch: Epoch, options: EngineOptions = {}) {
    this.#explains = options.explain ?? true;
    this.engine = new Engine(epoch, { ...options, explain: this.#explains });
  }

  get epoch(): Epoch {
    return this.engine.epoch;
  }

  get nowNs(): number {
    return this.#nowNs;
  }

  /** Let packet time pass, firing what falls due; returns the rows of the timers. */
  wait(seconds: number): Outcome[] {
    this.#nowNs += seconds * 1e9;
    const arena = createArena(1 << 20);
    const output = createOutput(256);
    this.engine.advance(this.#nowNs, output, arena);
    return this.#outcomes(output, arena, -1);
  }

  /** Send `text` at `at` (a pod's name, `nic1`, `tun2`); MACs as the sender's routing gives them, or `via`. */
  send(at: string, text: string, via?: string): Outcome[] {
    return this.sendBytes(at, frameOf(text, via === undefined ? sentMacs(at, text) : macsOf(via)));
  }

  /** Send a frame as it is. The first outcome is its own, unless it waits; then come those that it caused. */
  sendBytes(at: string, bytes: Uint8Array, pick = -1): Outcome[] {
    // A fragment may make a long datagram whole.
    const spare = this.engine.ledger.pending > 0 ? 1 << 20 : 1 << 16;
    const arena = createArena(bytes.length * 8 + spare);
    const input = createInput(arena, 1);
    const offset = HEADROOM + 2;
    arena.bytes.set(bytes, offset);
    arena.used = offset + bytes.length;
    input.offset[0] = offset;
    input.length[0] = bytes.length;
    input.tsNs[0] = this.#nowNs;
    input.port[0] = findPort(this.epoch, at);
    input.pick[0] = pick;
    input.count = 1;
    const output = createOutput(512);
    this.engine.process(input, output);
    assert.equal(input.next, 1, 'the packet is taken');
    const { ledger } = this.engine;
    assert.ok(isBalanced(ledger), JSON.stringify(ledger));
    return this.#outcomes(output, arena, 0);
  }

  #outcomes(output: OutputBatch, arena: Arena, origin: number): Outcome[] {
    const traces = this.#explains ? this.engine.explain(origin) : [];
    return Array.from({ length: output.count }, (_, i) => {
      const offset = output.offset[i]!;
      const bytes = arena.bytes.slice(offset, offset + output.length[i]!);
      const trace = traces.find((one) => one.packet === output.packet[i]);
      const { tables } = this.epoch;
      return {
        verdict: VERDICT_NAMES[output.verdict[i]!]!,
        reason: REASONS[output.reason[i]!]!.name,
        exit: output.exit[i]! < 0 ? '' : this.epoch.text(tables.ports.name[output.exit[i]!]!),
        bytes,
        text: describePacket(bytes, NAMES),
        packet: output.packet[i]!,
        parent: output.parent[i]!,
        tsNs: output.tsNs[i]!,
        endpoint: output.endpoint[i]! < 0 ? '' : this.epoch.text(tables.endpoints.name[output.endpoint[i]!]!),
        service: output.service[i]! < 0 ? '' : this.epoch.text(tables.services.name[output.service[i]!]!),
        path: trace === undefined ? '' : pathOf(trace),
        trace,
      };
    });
  }
}

/** The frame that `text` describes, with these MACs. */
export const frameOf = (text: string, macs: Macs = {}): Uint8Array =>
  packetBytes(text, { names: NAMES, ...macs });

/** Row of the port that `name` (of NAMES, or a port's own name) stands for. */
export function findPort(epoch: Epoch, name: string): number {
  const { ports } = epoch.tables;
  const wanted = portOf(name);
  for (let row = 0; row < ports.rows; row++) if (epoch.text(ports.name[row]!) === wanted) return row;
  throw new Error(`there is no port ${wanted}`);
}

/** The nodes, devices and tables of a trace, as the first lines of this file have them. */
export function pathOf(trace: PacketTrace): string {
  const nodes: { name: string; devices: { name: string; stage: string; tables: number[] }[] }[] = [];
  for (const hop of trace.hops) {
    if (nodes.at(-1)?.name !== hop.node) nodes.push({ name: hop.node, devices: [] });
    const { devices } = nodes.at(-1)!;
    if (devices.at(-1)?.name !== hop.device) devices.push({ name: hop.device, stage: hop.stage, tables: [] });
    if (hop.table !== undefined) devices.at(-1)!.tables.push(hop.table);
  }
  return nodes
    .map(({ name, devices }) => {
      const words = devices.map((one) =>
        one.tables.length > 0 ? `${one.name}[${one.tables.join(' ')}]` : one.name,
      );
      return `${name}: ${words.join(' ')}`;
    })
    .join(' | ');
}
