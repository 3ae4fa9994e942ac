/** Asks the engine who reaches whom: for each pair the first packet of a connection of its own, on the whole path. */
import { Engine } from '../../engine/engine.js';
import {
  type Arena,
  createArena,
  createInput,
  createOutput,
  type InputBatch,
  type OutputBatch,
  ROWS_PER_PACKET,
} from '../../packet/batch.js';
import type { BuiltFrame } from '../../packet/build.js';
import type { Epoch } from '../../tables/epoch.js';
import { Reason } from '../../verdict/reasons.js';
import { Verdict } from '../../verdict/verdict.js';
import { entryOf } from '../entry.js';
import { type PacketProtocol, targetOf } from '../target.js';
import type { End } from './ends.js';
import { FirstFrames } from './first-frames.js';

/** What becomes of the first packet. */
export const REACH = { SELF: 0, OPEN: 1, CLOSED: 2, ISOLATED: 3, LOST: 4 } as const;
export const REACH_NAMES = ['self', 'open', 'closed', 'isolated', 'lost'] as const;

/** What isolation decides; everything else that ends a packet is another matter. */
const ISOLATES: ReadonlySet<number> = new Set([
  Reason.PolicyIngress,
  Reason.PolicyEgress,
  Reason.TenantIsolated,
  Reason.EgressFirewall,
]);

const BATCH = 1024;
/** A first packet has at most so many bytes with the room around it: an echo is the longest. */
const SLOT = 256;
const SPARE = 1 << 18;
/** Between batches, so that the connections of the last one have died: none is left of SYN_SENT after 120 s, and
 *  conntrack's table stays small. */
const STEP_NS = 600e9;
/** Longer than the three ARP questions that a packet may wait for. */
const WAIT_NS = 60e9;

export interface ReachMatrix {
  readonly sources: readonly End[];
  readonly destinations: readonly End[];
  /** REACH of each pair, row after row. */
  readonly reach: Uint8Array;
  /** Reason of each pair: 0 where the packet was taken. */
  readonly reason: Uint16Array;
}

/** Send from each source to port `port` of each destination; a destination that names its own port keeps that.
 *  @throws InputError when a source cannot send, or a destination has no such port. */
export function reachMatrix(
  epoch: Epoch,
  sources: readonly End[],
  destinations: readonly End[],
  question: { readonly protocol: PacketProtocol; readonly port: number; readonly seed: number },
): ReachMatrix {
  using run = new ReachRun(epoch, question.seed);
  const size = sources.length * destinations.length;
  const matrix = { sources, destinations, reach: new Uint8Array(size), reason: new Uint16Array(size) };
  const { protocol, port } = question;
  const asked = protocol === 'icmp' || port === 0 ? '' : String(port);
  const targets = destinations.map(({ reference }) =>
    targetOf('--to', reference.port === '' ? { ...reference, port: asked } : reference, protocol),
  );
  const frames = new FirstFrames(epoch.tables.config.mtu[0]!);
  let pair = 0;
  for (const { reference } of sources)
    for (const target of targets) {
      const entry = entryOf('--from', epoch, reference, target.address);
      if (entry.src !== target.address) {
        if (run.isFull) run.flush(matrix);
        run.add(pair, entry.port, frames.place(run.arena, entry, target));
      }
      pair++;
    }
  run.flush(matrix);
  return matrix;
}

class ReachRun implements Disposable {
  readonly #engine: Engine;
  readonly arena: Arena = createArena(BATCH * SLOT + SPARE);
  readonly #input: InputBatch = createInput(this.arena, BATCH);
  readonly #output: OutputBatch = createOutput(BATCH * 2 + ROWS_PER_PACKET);
  /** Pair of each packet of the batch. */
  readonly #pairs = new Uint32Array(BATCH);
  readonly #isKnown = new Uint8Array(BATCH);
  #nowNs = 0;

  constructor(epoch: Epoch, seed: number) {
    this.#engine = new Engine(epoch, { seed, cache: false });
  }

  get isFull(): boolean {
    return this.#input.count === BATCH;
  }

  /** The frame lies in the arena. */
  add(pair: number, port: number, { offset, length }: BuiltFrame): void {
    const input = this.#input;
    const row = input.count++;
    input.offset[row] = offset;
    input.length[row] = length;
    input.tsNs[row] = this.#nowNs;
    input.port[row] = port;
    this.#pairs[row] = pair;
  }

  /** Walk what was added and note what became of it. */
  flush(matrix: ReachMatrix): void {
    const input = this.#input;
    const used = this.arena.used;
    this.#isKnown.fill(0);
    input.next = 0;
    while (input.next < input.count) {
      this.#empty(used);
      this.#engine.process(input, this.#output);
      this.#note(matrix);
    }
    this.#noteWaiting(matrix, used);
    this.#nowNs += STEP_NS;
    this.arena.used = 0;
    input.count = 0;
  }

  [Symbol.dispose](): void {
    this.#engine[Symbol.dispose]();
  }

  #empty(used: number): void {
    this.#output.count = 0;
    this.arena.used = used;
  }

  #note(matrix: ReachMatrix): void {
    const { count, origin, parent } = this.#output;
    for (let row = 0; row < count; row++) {
      if (parent[row]! >= 0 || origin[row]! < 0) continue;
      this.#isKnown[origin[row]!] = 1;
      this.#set(matrix, this.#pairs[origin[row]!]!, row);
    }
  }

  /** Packets that wait for a neighbour end by a timer, in the order in which they came. */
  #noteWaiting(matrix: ReachMatrix, used: number): void {
    const waiting: number[] = [];
    for (let row = 0; row < this.#input.count; row++) if (this.#isKnown[row] === 0) waiting.push(row);
    if (waiting.length === 0) return;
    const ended: { packet: number; reach: number; reason: number }[] = [];
    const until = this.#nowNs + WAIT_NS;
    while (this.#engine.nextTimerNs() <= until) {
      this.#empty(used);
      this.#engine.advance(until, this.#output, this.arena);
      const { count, packet, parent, verdict, reason } = this.#output;
      for (let row = 0; row < count; row++)
        if (parent[row]! < 0)
          ended.push({
            packet: packet[row]!,
            reach: reachOf(verdict[row]!, reason[row]!),
            reason: reason[row]!,
          });
    }
    ended.sort((a, b) => a.packet - b.packet);
    if (ended.length !== waiting.length)
      throw new Error(`${waiting.length} packets waited, ${ended.length} ended`);
    waiting.forEach((row, i) => {
      matrix.reach[this.#pairs[row]!] = ended[i]!.reach;
      matrix.reason[this.#pairs[row]!] = ended[i]!.reason;
    });
  }

  #set(matrix: ReachMatrix, pair: number, row: number): void {
    const { verdict, reason } = this.#output;
    matrix.reach[pair] = reachOf(verdict[row]!, reason[row]!);
    matrix.reason[pair] = reason[row]!;
  }
}

/** An answer of the destination's own stack shows that the packet came there: a closed port, or an echo's reply. */
function reachOf(verdict: number, reason: number): number {
  if (verdict === Verdict.Delivered || verdict === Verdict.Left) return REACH.OPEN;
  if (verdict === Verdict.Answered)
    return reason === Reason.TcpReset || reason === Reason.PortUnreachable ? REACH.CLOSED : REACH.OPEN;
  return ISOLATES.has(reason) ? REACH.ISOLATED : REACH.LOST;
}
