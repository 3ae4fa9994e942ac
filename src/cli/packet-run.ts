/** Sends packets one at a time through an engine and follows each to its end, timers included. */
import { Engine } from '../engine/engine.js';
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
/** Longer than any timer of the path: three ARP questions, a second apart, and their retries. */
const WAIT_MAX_NS = 60e9;

/** A packet and what it caused, in the order in which it happened. */
export interface SentPacket {
  readonly trace: PacketTrace;
  readonly caused: readonly PacketTrace[];
  /** How it ended; null when nothing was decided in time. */
  readonly end: PacketEnd | null;
}

export interface PacketEnd {
  /** Row of the port table, or -1. */
  readonly exit: number;
  /** The frame as it was there. */
  readonly bytes: Uint8Array;
  readonly tsNs: number;
}

export class PacketRun implements Disposable {
  readonly #engine: Engine;
  readonly #arena: Arena = createArena(ARENA_SIZE);
  readonly #input = createInput(this.#arena, 1);
  readonly #output = createOutput(64);
  #nowNs = 0;

  constructor(
    epoch: Epoch,
    options: {
      readonly seed?: number;
      readonly respond?: boolean;
      readonly backend?: 'typescript' | 'native';
    } = {},
  ) {
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
    const { traces, ends } = this.#process(port, build);
    const number = traces[0]!.packet;
    this.#follow(number, traces, ends);
    const own = traces.filter((one) => one.packet === number);
    // A packet that was held has a trace up to there and another from there on.
    const trace = { ...own.at(-1)!, hops: own.flatMap((one) => walkedHops(one)) };
    return { trace, caused: causedBy(number, traces), end: ends.get(number) ?? null };
  }

  [Symbol.dispose](): void {
    this.#engine[Symbol.dispose]();
  }

  #process(port: number, build: (arena: Arena) => BuiltFrame) {
    const input = this.#input;
    const output = this.#output;
    this.#arena.used = 0;
    const { offset, length } = build(this.#arena);
    input.offset[0] = offset;
    input.length[0] = length;
    input.tsNs[0] = this.#nowNs;
    input.port[0] = port;
    input.pick[0] = -1;
    input.count = 1;
    input.next = 0;
    output.count = 0;
    this.#engine.process(input, output);
    const ends: Ends = new Map();
    this.#collect(ends);
    return { traces: [...this.#engine.explain(0)], ends };
  }

  /** Fire timers until packet `number` has its verdict. */
  #follow(number: number, traces: PacketTrace[], ends: Ends): void {
    const deadline = this.#nowNs + WAIT_MAX_NS;
    while (!ends.has(number)) {
      const next = this.#engine.nextTimerNs();
      if (!(next <= deadline)) return;
      this.#nowNs = Math.max(this.#nowNs, next);
      this.#output.count = 0;
      this.#arena.used = 0;
      this.#engine.advance(next, this.#output, this.#arena);
      this.#collect(ends);
      traces.push(...this.#engine.explain(-1));
    }
  }

  #collect(ends: Ends): void {
    const { packet, exit, offset, length, tsNs, count } = this.#output;
    for (let i = 0; i < count; i++)
      ends.set(packet[i]!, {
        exit: exit[i]!,
        bytes: this.#arena.bytes.slice(offset[i]!, offset[i]! + length[i]!),
        tsNs: tsNs[i]!,
      });
  }
}

type Ends = Map<number, PacketEnd>;

/** The engine ends a trace with the frame as it was in the end; that is no hop. */
const walkedHops = (trace: PacketTrace): readonly Hop[] => trace.hops.slice(0, -1);

/** What packet `number` caused, and what that caused. */
function causedBy(number: number, traces: readonly PacketTrace[]): PacketTrace[] {
  const family = new Set([number]);
  const found: PacketTrace[] = [];
  for (const trace of traces)
    if (family.has(trace.parent)) {
      family.add(trace.packet);
      found.push({ ...trace, hops: walkedHops(trace) });
    }
  return found;
}
