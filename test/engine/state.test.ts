/** Saving and restoring an engine: it goes on as if nothing had been between, in the same engine and in another. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Engine, type EngineOptions } from '../../src/engine/engine.js';
import { StateBuffer } from '../../src/layout/state-buffer.js';
import { createArena, createInput, createOutput, HEADROOM, ROWS_PER_PACKET } from '../../src/packet/batch.js';
import { Reason } from '../../src/verdict/reasons.js';
import { VERDICT_NAMES } from '../../src/verdict/verdict.js';
import { frame } from '../replay/traces.js';
import { epoch, type Sent, traffic } from '../twins/cache-trace.js';

const { ports } = epoch.tables;
const SHELL = ports.name.findIndex((name) => epoch.text(name) === 'pod:web/shell');
/** A ping to a Service is sent out for a neighbour that never answers: it waits three seconds. */
const PING: Sent = { port: SHELL, gapNs: 0, bytes: frame('shell > web ping') };

/** Send packets `first` to `end` of the trace, and fire what timers are left when `isLast`. A line an output row. */
function send(engine: Engine, trace: readonly Sent[], first: number, end: number, isLast = false): string[] {
  const rows: string[] = [];
  const output = createOutput(256 + ROWS_PER_PACKET);
  const arena = createArena(2 << 20);
  let tsNs = trace.slice(0, first).reduce((sum, { gapNs }) => sum + gapNs, 0);
  for (let i = first; i < end; i++) {
    const { port, gapNs, bytes } = trace[i]!;
    tsNs += gapNs;
    arena.used = HEADROOM + 2 + bytes.length;
    arena.bytes.set(bytes, HEADROOM + 2);
    const input = createInput(arena, 1);
    input.offset[0] = HEADROOM + 2;
    input.length[0] = bytes.length;
    input.tsNs[0] = tsNs;
    input.port[0] = port;
    input.count = 1;
    engine.process(input, output);
    keep();
  }
  while (isLast && engine.nextTimerNs() < Number.POSITIVE_INFINITY) {
    arena.used = 0;
    engine.advance(engine.nextTimerNs(), output, arena);
    keep();
  }
  return rows;

  function keep(): void {
    const { packet, parent, verdict, reason, exit, offset, length, service, endpoint } = output;
    for (let i = 0; i < output.count; i++) {
      const columns = [packet, parent, verdict, reason, exit, output.tsNs, service, endpoint];
      const bytes = Buffer.from(arena.bytes.subarray(offset[i]!, offset[i]! + length[i]!));
      rows.push(`${columns.map((column) => column[i]).join(' ')} ${bytes.toString('hex')}`);
    }
    output.count = 0;
  }
}

const TRACES: Readonly<Record<string, readonly Sent[]>> = {
  web: [PING, ...traffic({ profile: 'web', packets: 800, flows: 30, seed: 4, badPermille: 20 })],
  dns: [PING, ...traffic({ profile: 'dns', packets: 300, flows: 20, seed: 5 })],
};
const END = 300;

for (const [name, trace] of Object.entries(TRACES))
  for (const cut of [0, 1, 150, 299])
    for (const options of [{}, { cache: false }, { connectionsMax: 40 }] as readonly EngineOptions[])
      test(`${name}, saved after ${cut} packets, ${JSON.stringify(options)}`, () => {
        const engine = new Engine(epoch, options);
        send(engine, trace, 0, cut);
        const state = engine.saveState();
        const { pending } = engine.ledger;
        const expected = send(engine, trace, cut, END, true);
        const after = [{ ...engine.ledger }, engine.connections, [...engine.metrics.cells]];

        const other = new Engine(epoch, options);
        for (const restored of [engine, other]) {
          state.rewind();
          restored.restoreState(state);
          assert.equal(restored.ledger.pending, pending);
          assert.deepEqual(send(restored, trace, cut, END, true), expected);
        }
        assert.deepEqual(
          [{ ...other.ledger }, other.connections, [...other.metrics.cells].slice(4)],
          [after[0], after[1], (after[2] as number[]).slice(4)],
        );
        assert.equal(pending, cut === 0 ? 0 : 1);
      });

test('a state is written again into the same buffer', () => {
  const engine = new Engine(epoch);
  send(engine, TRACES['web']!, 0, 100);
  const state = engine.saveState();
  const { buffer, position } = state;
  state.rewind();
  engine.saveState(state);
  assert.equal(state.buffer, buffer);
  assert.equal(state.position, position);
});

test('a state of another seed is refused', () => {
  const state = new Engine(epoch, { seed: 1 }).saveState(new StateBuffer());
  state.rewind();
  assert.throws(() => new Engine(epoch, { seed: 2 }).restoreState(state), RangeError);
});

test('a refused packet is dropped with its bytes, counted, and leaves no connection', () => {
  const engine = new Engine(epoch);
  const arena = createArena(1 << 20);
  const bytes = frame('shell:40000 > pod-3:8080 SYN');
  arena.bytes.set(bytes, HEADROOM + 2);
  arena.used = HEADROOM + 2 + bytes.length;
  const input = createInput(arena, 1);
  input.offset[0] = HEADROOM + 2;
  input.length[0] = bytes.length;
  input.port[0] = SHELL;
  input.count = 1;
  const output = createOutput(ROWS_PER_PACKET);
  assert.equal(engine.refuse(input, output, Reason.WorkerQuarantine), 1);
  assert.deepEqual(
    [
      VERDICT_NAMES[output.verdict[0]!],
      output.reason[0],
      output.offset[0],
      output.length[0],
      output.origin[0],
    ],
    ['dropped', Reason.WorkerQuarantine, HEADROOM + 2, bytes.length, 0],
  );
  assert.deepEqual([input.next, engine.ledger.in, engine.ledger.dropped, engine.connections], [1, 1, 1, 0]);
});
