/** Sends packets one at a time through an engine and follows each to its end, timers included. */
import { Engine, type EngineOptions } from '../engine/engine.js';
import type { Hop, PacketTrace } from '../engine/explain.js';
import {
  type Arena,
  createArena,
  createInput,
  createOutput,
  FRAME_MAX,
  HEADROOM,
  ROWS_PER_PACKET,
} from '../packet/batch.js';
import type { BuiltFrame } from '../packet/build.js';
import type { Epoch } from '../tables/epoch.js';

const ARENA_SIZE = (FRAME_MAX + 2 * HEADROOM) * (ROWS_PER_PACKET + 1);
/** Longer than any timer of the path: three ARP questions, a second apart. */
const WAIT_MAX_NS = 60e9;

/** A packet followed to its end. */
export interface FollowedPacket {
  readonly trace: PacketTrace;
  /** The frame as it was in the end. */
  readonly bytes: Uint8Array;
  /** When it ended. */
  readonly tsNs: number;
}

/** A packet and what it caused, in the order in which it happened. */
export interface SentPacket {
  readonly packet: FollowedPacket;
  readonly caused: readonly FollowedPacket[];
  /** Row of the port table where it ended, or -1. */
  readonly exit: number;
}

export class PacketRun implements Disposable {
  readonly #engine: Engine;
  readonly #arena: Arena = createArena(ARENA_SIZE);
  readonly #input = createInput(this.#arena, 1);
  readonly #output = createOutput(64);
  /** Port at which each packet of the send in hand ended, by the packet's number. */
  readonly #exits = new Map<number, number>();
  #nowNs = 0;

  constructor(epoch: Epoch, options: Pick<EngineOptions, 'seed' | 'respond' | 'connectionsMax'> = {}) {
    this.#engine = new Engine(epoch, { ...options, explain: true });
  }

  /** Time of the run, ns. */
  get nowNs(): number {
    return this.#nowNs;
  }

  /** Let `ns` pass. Timers that fall due fire before the next packet. */
  wait(ns: number): void {
    this.#nowNs += ns;
  }

  /** Send what `build` puts into the arena by port row `port`, and wait for its end as long as the path may hold it. */
  send(port: number, build: (arena: Arena) => BuiltFrame): SentPacket {
    const traces = this.#process(port, build);
    const number = traces[0]!.packet;
    this.#follow(number, traces);
    const packet = follow(traces.filter((trace) => trace.packet === number));
    return { packet, caused: causedBy(number, traces), exit: this.#exits.get(number) ?? -1 };
  }

  [Symbol.dispose](): void {
    this.#engine[Symbol.dispose]();
  }

  #process(port: number, build: (arena: Arena) => BuiltFrame): PacketTrace[] {
    const input = this.#input;
    this.#reset();
    const { offset, length } = build(this.#arena);
    input.offset[0] = offset;
    input.length[0] = length;
    input.tsNs[0] = this.#nowNs;
    input.port[0] = port;
    input.count = 1;
    input.next = 0;
    this.#exits.clear();
    const traces: PacketTrace[] = [];
    while (input.next < input.count) {
      this.#engine.process(input, this.#output);
      this.#keepExits();
      traces.push(...this.#engine.explain(0));
      // Of a packet with many copies some may be left.
      if (input.next < input.count) this.#reset();
    }
    return traces;
  }

  /** Fire timers until packet `number` has its verdict. */
  #follow(number: number, traces: PacketTrace[]): void {
    const deadline = this.#nowNs + WAIT_MAX_NS;
    while (!this.#exits.has(number)) {
      const next = this.#engine.nextTimerNs();
      if (!(next <= deadline)) return;
      this.#nowNs = Math.max(this.#nowNs, next);
      this.#reset();
      this.#engine.advance(next, this.#output, this.#arena);
      this.#keepExits();
      traces.push(...this.#engine.explain(-1));
    }
  }

  #reset(): void {
    this.#output.count = 0;
    this.#arena.used = 0;
  }

  #keepExits(): void {
    const { packet, exit, count } = this.#output;
    for (let i = 0; i < count; i++) this.#exits.set(packet[i]!, exit[i]!);
  }
}

/** A packet that was held has a trace up to there and another from there on. */
function follow(parts: readonly PacketTrace[]): FollowedPacket {
  const last = parts.at(-1)!;
  const { bytes, tsNs } = last.hops.at(-1)!;
  return { trace: { ...last, hops: parts.flatMap(walkedHops) }, bytes, tsNs };
}

/** The engine ends a trace with the frame as it was in the end; that is no hop. */
const walkedHops = (trace: PacketTrace): readonly Hop[] => trace.hops.slice(0, -1);

/** What packet `number` caused, and what that caused. */
function causedBy(number: number, traces: readonly PacketTrace[]): FollowedPacket[] {
  const parts = new Map<number, PacketTrace[]>();
  const family = new Set([number]);
  for (const trace of traces) {
    if (!family.has(trace.parent)) continue;
    family.add(trace.packet);
    parts.set(trace.packet, [...(parts.get(trace.packet) ?? []), trace]);
  }
  return [...parts.values()].map(follow);
}
