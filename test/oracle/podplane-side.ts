/** The same frames through podplane: its hops, as sightings at the places where the witness captures. */

import { Engine } from '../../src/engine/engine.js';
import type { Hop, PacketTrace } from '../../src/engine/explain.js';
import { createArena, createInput, createOutput, HEADROOM } from '../../src/packet/batch.js';
import type { Epoch } from '../../src/tables/epoch.js';
import type { Injection, Sighting } from './witness.js';

/** What one step did in podplane. */
export interface PodplaneStep {
  readonly sightings: readonly PodplaneSighting[];
  readonly verdict: string;
  readonly reason: string;
  readonly traces: readonly PacketTrace[];
}

export interface PodplaneSighting extends Sighting {
  /** The packet is an answer or an error that a stack made. */
  readonly isGenerated: boolean;
  /** A pod's stack made it. */
  readonly isFromPod: boolean;
}

const STEP_NS = 50e6;

export class PodplaneSide {
  readonly #engine: Engine;
  readonly #podByMac = new Map<string, string>();
  #nowNs = 0;

  constructor(
    readonly epoch: Epoch,
    readonly respond: boolean,
  ) {
    this.#engine = new Engine(epoch, { explain: true, respond });
    const { pods } = epoch.tables;
    for (let row = 0; row < pods.rows; row++)
      this.#podByMac.set(`${pods.macHi[row]!}:${pods.macLo[row]!}`, `pod:${epoch.text(pods.name[row]!)}`);
  }

  /** Send one frame; `pick` is the endpoint row that a new Service connection shall take, or -1. */
  send(frame: Injection, pick: number): PodplaneStep {
    const arena = createArena(1 << 18);
    const input = createInput(arena, 1);
    const output = createOutput(64);
    const offset = HEADROOM + 2;
    this.#nowNs += STEP_NS;
    arena.bytes.set(frame.bytes, offset);
    arena.used = offset + frame.bytes.length;
    input.offset[0] = offset;
    input.length[0] = frame.bytes.length;
    input.tsNs[0] = this.#nowNs;
    input.port[0] = this.#portRow(frame.at);
    input.pick[0] = pick;
    input.count = 1;
    this.#engine.process(input, output);
    return this.#step(this.#engine.explain(0), frame.at);
  }

  /** Let packet time pass; what timers fire. */
  wait(seconds: number): PodplaneStep {
    this.#nowNs += seconds * 1e9;
    this.#engine.advance(this.#nowNs, createOutput(64), createArena(1 << 18));
    return this.#step(this.#engine.explain(-1), '');
  }

  #step(traces: readonly PacketTrace[], at: string): PodplaneStep {
    return {
      sightings: traces.flatMap((trace, i) => this.#sightings(trace, i === 0 ? at : '')),
      verdict: traces[0]?.verdict ?? '',
      reason: traces[0]?.reason ?? '',
      traces,
    };
  }

  #portRow(name: string): number {
    const { ports } = this.epoch.tables;
    for (let row = 0; row < ports.rows; row++) if (this.epoch.text(ports.name[row]!) === name) return row;
    throw new Error(`there is no port ${name}`);
  }

  /** Where a trace crosses a device at which the witness captures. */
  #sightings(trace: PacketTrace, injectedAt: string): PodplaneSighting[] {
    const found: PodplaneSighting[] = [];
    const isGenerated = trace.parent >= 0;
    const isFromPod = isGenerated && trace.hops[0]?.stage === 'pod-output';
    let from = '';
    for (const [i, hop] of trace.hops.entries()) {
      // A stage logs its arrival, br0 each rule, and the end repeats the last stage.
      if (hop.table !== undefined || hop.stage === trace.hops[i - 1]?.stage) continue;
      const place = this.#place(hop, from, trace, injectedAt);
      if (place !== null)
        found.push({ at: place[0], way: place[1], bytes: hop.bytes, isGenerated, isFromPod });
      from = hop.stage;
    }
    return found;
  }

  #place(
    hop: Hop,
    from: string,
    trace: PacketTrace,
    injectedAt: string,
  ): readonly [at: string, way: 'in' | 'out'] | null {
    switch (hop.stage) {
      case 'pod-output':
        // The sending socket does not see its own frame, so the witness has no such sighting.
        return injectedAt === '' ? [this.#podOf(hop.bytes, 6), 'out'] : null;
      case 'pod-input':
        return [trace.exit !== '' ? trace.exit : this.#podBehind(trace, hop), 'in'];
      case 'tun0-input':
        return [`${hop.node}:tun0`, 'in'];
      case 'vxlan-output':
        return [`${hop.node}:vxlan0`, 'out'];
      case 'nic-output':
        return [`${hop.node}:eth0`, 'out'];
      case 'nic-input':
        return [`${hop.node}:eth0`, 'in'];
      case 'bridge':
        if (from === 'vxlan-input') return [`${hop.node}:vxlan0`, 'in'];
        // A copy for a group begins in br0, as what tun0 answers does.
        return from === 'pod-output' || (from === '' && isGroup(hop.bytes))
          ? null
          : [`${hop.node}:tun0`, 'out'];
      default:
        return null;
    }
  }

  #podOf(bytes: Uint8Array, at: number): string {
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    return this.#podByMac.get(`${view.getUint16(at)}:${view.getUint32(at + 2)}`) ?? 'pod:?';
  }

  /** The pod that br0 chose for a frame that its stack then refused; a fragment's choice was the whole datagram's. */
  #podBehind(trace: PacketTrace, hop: Hop): string {
    const chosen = trace.hops.findLast(({ table }) => table === 70 || table === 40);
    const object = chosen?.rule?.object ?? '';
    return object.startsWith('Pod ') ? `pod:${object.slice(4)}` : this.#podOf(hop.bytes, 0);
  }
}

/** The group bit of the destination's MAC. */
const isGroup = (frame: Uint8Array): boolean => (frame[0]! & 1) !== 0;
