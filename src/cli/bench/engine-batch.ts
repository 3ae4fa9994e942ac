/** One batch on its way through an engine: slots of one arena, filled from stored frames. */
import type { Engine } from '../../engine/engine.js';
import {
  type Arena,
  createArena,
  createInput,
  createOutput,
  type InputBatch,
  type OutputBatch,
  ROWS_PER_PACKET,
} from '../../packet/batch.js';
import { REASONS, Reason } from '../../verdict/reasons.js';
import { Verdict } from '../../verdict/verdict.js';
import { SLOT, SLOT_PACKET } from './frames.js';
import { BATCH } from './workload.js';

/** A stored frame: two unused bytes, then up to 66 of the frame, so that it is copied by aligned words. */
export const STORED_WORDS = 17;
export const STORED_FRAME = 2;

const SLOT_WORDS = SLOT / 4;
const FIRST_WORD = (SLOT_PACKET - STORED_FRAME) / 4;
/** For what the engine makes itself. */
const SPARE = 65_536;

/** Slots of one arena and their input rows: the part of a batch that needs no engine. */
export class Slots {
  readonly arena: Arena = createArena(BATCH * SLOT + SPARE);
  readonly input: InputBatch = createInput(this.arena, BATCH);
  readonly #words = new Uint32Array(this.arena.bytes.buffer);
  #nowNs = 0;

  /** Packets are `stepNs` apart. */
  constructor(readonly stepNs: number) {}

  /** Copy stored frame `frame` of `store` into slot `i`, to enter at row `port` of the port table. */
  put(i: number, store: Uint32Array, frame: number, length: number, port: number): void {
    const { input } = this;
    const from = frame * STORED_WORDS;
    const to = i * SLOT_WORDS + FIRST_WORD;
    for (let w = 0; w < STORED_WORDS; w++) this.#words[to + w] = store[from + w]!;
    input.offset[i] = i * SLOT + SLOT_PACKET;
    input.length[i] = length;
    input.tsNs[i] = this.#nowNs;
    input.port[i] = port;
    this.#nowNs += this.stepNs;
  }

  /** The same for all slots, with the stored frames from `first` on, around the end of the store; frame k is lengths[k] bytes
   *  long and enters at ports[k]. Returns the next frame. */
  fill(store: Uint32Array, lengths: Uint8Array, ports: Uint32Array, first: number): number {
    const { offset, length, tsNs, port } = this.input;
    const words = this.#words;
    const { stepNs } = this;
    let nowNs = this.#nowNs;
    let next = first;
    for (let i = 0; i < BATCH; i++) {
      const from = next * STORED_WORDS;
      const to = i * SLOT_WORDS + FIRST_WORD;
      for (let w = 0; w < STORED_WORDS; w++) words[to + w] = store[from + w]!;
      offset[i] = i * SLOT + SLOT_PACKET;
      length[i] = lengths[next]!;
      tsNs[i] = nowNs;
      port[i] = ports[next]!;
      nowNs += stepNs;
      next = next + 1 === lengths.length ? 0 : next + 1;
    }
    this.#nowNs = nowNs;
    return next;
  }
}

export class EngineBatch extends Slots {
  readonly output: OutputBatch = createOutput(2 * BATCH + ROWS_PER_PACKET);

  constructor(
    readonly engine: Engine,
    stepNs: number,
  ) {
    super(stepNs);
  }

  /** Process the first `count` slots. Returns the number of output rows. */
  process(count: number): number {
    const { input, output, arena } = this;
    input.count = count;
    input.next = 0;
    output.count = 0;
    arena.used = BATCH * SLOT;
    return this.engine.process(input, output);
  }

  /** @throws Error unless the last process() took all packets and pods' sockets took all of them, or all were dropped for
   *  `reason`: what is measured must be what was meant. */
  check(what: string, reason: number = Reason.None): void {
    const { input, output } = this;
    if (input.next !== input.count) throw new Error(`${what}: ${input.next} of ${input.count} packets taken`);
    for (let row = 0; row < output.count; row++) {
      const isMeant =
        reason === Reason.None ? output.verdict[row] === Verdict.Delivered : output.reason[row] === reason;
      if (isMeant) continue;
      const { name } = REASONS[output.reason[row]!]!;
      throw new Error(`${what}: packet ${row} ended otherwise: ${name}`);
    }
  }
}
