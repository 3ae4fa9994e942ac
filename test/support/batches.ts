/** Runs many frames through an engine in batches of a chosen size, and gathers every output row with its bytes. */
import assert from 'node:assert/strict';
import type { Engine } from '../../src/engine/engine.js';
import { createArena, createInput, createOutput, HEADROOM } from '../../src/packet/batch.js';

export interface SentFrame {
  readonly bytes: Uint8Array;
  /** Row of the port table. */
  readonly port: number;
  readonly tsNs: number;
}

export interface OutputRow {
  /** Index of the frame that caused it; -1 for what a timer caused. */
  readonly frame: number;
  readonly packet: number;
  readonly parent: number;
  readonly verdict: number;
  readonly reason: number;
  readonly exit: number;
  readonly tsNs: number;
  readonly endpoint: number;
  readonly service: number;
  readonly bytes: Uint8Array;
}

export interface RunOptions {
  /** Rows a batch; all in one when left out. */
  readonly batch?: number;
  /** Free bytes in front of each frame. */
  readonly headroom?: number;
  /** Output rows before it must be emptied. */
  readonly capacity?: number;
  /** Leave the timers that are set at the end, for what comes after. */
  readonly isGoingOn?: boolean;
}

/** Every row, in order; at the end all timers are fired. */
export function runFrames(
  engine: Engine,
  frames: readonly SentFrame[],
  options: RunOptions = {},
): OutputRow[] {
  const { batch = frames.length, headroom = HEADROOM, capacity = 1024, isGoingOn = false } = options;
  const rows: OutputRow[] = [];
  const output = createOutput(capacity);
  const drain = (arena: { readonly bytes: Uint8Array }, first: number): void => {
    for (let i = 0; i < output.count; i++) {
      const offset = output.offset[i]!;
      rows.push({
        frame: output.origin[i]! < 0 ? -1 : first + output.origin[i]!,
        packet: output.packet[i]!,
        parent: output.parent[i]!,
        verdict: output.verdict[i]!,
        reason: output.reason[i]!,
        exit: output.exit[i]!,
        tsNs: output.tsNs[i]!,
        endpoint: output.endpoint[i]!,
        service: output.service[i]!,
        bytes: arena.bytes.slice(offset, offset + output.length[i]!),
      });
    }
    output.count = 0;
  };
  for (let first = 0; first < frames.length; first += batch) {
    const some = frames.slice(first, first + batch);
    const size = some.reduce((sum, { bytes }) => sum + bytes.length + headroom + 8, 0);
    const longest = some.reduce((most, { bytes }) => Math.max(most, bytes.length), 0);
    const arena = createArena(size + 4 * longest + (4 << 20));
    const input = createInput(arena, some.length);
    input.headroom = headroom;
    for (const { bytes, port, tsNs } of some) {
      const i = input.count++;
      const at = arena.used + headroom;
      arena.bytes.set(bytes, at);
      input.offset[i] = at;
      input.length[i] = bytes.length;
      input.port[i] = port;
      input.tsNs[i] = tsNs;
      arena.used = at + bytes.length;
    }
    const { used } = arena;
    while (input.next < input.count) {
      const before = input.next;
      const appended = engine.process(input, output);
      if (input.next === before && appended === 0)
        throw new Error('no room for one packet in an empty output');
      drain(arena, first);
      arena.used = used;
    }
  }
  const arena = createArena(1 << 20);
  while (!isGoingOn && engine.nextTimerNs() < Number.POSITIVE_INFINITY) {
    engine.advance(engine.nextTimerNs(), output, arena);
    drain(arena, 0);
    arena.used = 0;
  }
  return rows;
}

/** Rows as text, one a line: equal text means equal rows and equal bytes. */
export const rowsText = (rows: readonly OutputRow[]): string[] =>
  rows.map(({ bytes, ...row }) => `${JSON.stringify(row)} ${Buffer.from(bytes).toString('hex')}`);

/** Fail at the first line that differs, with both sides; a whole run is too long to be read. */
export function assertSameRows(actual: readonly string[], expected: readonly string[]): void {
  const at = expected.findIndex((line, i) => line !== actual[i]);
  if (at >= 0) assert.equal(actual[at], expected[at], `row ${at} of ${expected.length}`);
  assert.equal(actual.length, expected.length, 'as many rows');
}
