/** What one packet may cause fits into the rows that the engine asks for, whatever pods answer to answers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Engine } from '../../src/engine/engine.js';
import { createArena, createInput, createOutput, HEADROOM, ROWS_PER_PACKET } from '../../src/packet/batch.js';
import { testEpoch } from '../support/cluster.js';
import { findPort, frameOf, Journey } from '../support/journey.js';
import { sentMacs } from '../support/macs.js';

const epoch = testEpoch();

for (const text of [
  's:40000 > b:9000 udp "data"',
  's:40000 > near:90 udp "data"',
  's:40000 > far:80 SYN',
  's:9000 > b:9000 udp "data"',
  's > b ping',
])
  test(`${text}: a client that listens on every port does not answer the answer`, () => {
    const outcomes = new Journey(epoch, { respond: true }).send('s', text);
    assert.equal(outcomes.length, 2, outcomes.map((one) => one.text).join(' | '));
  });

for (const mode of ['subnet', 'multitenant'] as const)
  test(`nor in ${mode} mode, where br0 commits no connection`, () => {
    const journey = new Journey(testEpoch({ mode }), { respond: true });
    assert.equal(journey.send('s', 's:9000 > b:9000 udp "data"').length, 2);
  });

function oneFrame(): ReturnType<typeof createInput> {
  const arena = createArena(1 << 16);
  const input = createInput(arena, 1);
  const frame = frameOf('a:40000 > c:8080 SYN', sentMacs('a', 'a > c'));
  arena.bytes.set(frame, HEADROOM);
  arena.used = HEADROOM + frame.length;
  input.offset[0] = HEADROOM;
  input.length[0] = frame.length;
  input.port[0] = findPort(epoch, 'a');
  input.count = 1;
  return input;
}

test('an output with too few free rows is left alone, and so is the packet', () => {
  const input = oneFrame();
  const output = createOutput(ROWS_PER_PACKET - 1);
  assert.equal(new Engine(epoch).process(input, output), 0);
  assert.equal(input.next, 0);
});

test('a full arena stops the run in front of the packet', () => {
  const input = oneFrame();
  input.arena.used = input.arena.bytes.length - 100;
  const output = createOutput(ROWS_PER_PACKET);
  const engine = new Engine(epoch);
  assert.equal(engine.process(input, output), 0);
  assert.equal(input.next, 0);
  input.arena.used = 200;
  assert.equal(engine.process(input, output), 1);
  assert.equal(engine.ledger.in, 1);
});

test('misuse is a RangeError: no such port, bytes outside the arena', () => {
  for (const port of [-1, epoch.tables.ports.rows]) {
    const input = oneFrame();
    input.port[0] = port;
    assert.throws(() => new Engine(epoch).process(input, createOutput(64)), RangeError);
  }
  const input = oneFrame();
  input.offset[0] = input.arena.bytes.length - 10;
  assert.throws(() => new Engine(epoch).process(input, createOutput(64)), RangeError);
});

test('explanations must be asked for', () => {
  assert.throws(() => new Engine(epoch).explain(0), /explain: true/);
});

test('a packet longer than IPv4 allows is refused by name', () => {
  const [end] = new Journey(epoch).sendBytes('a', new Uint8Array(65_550));
  assert.equal(end!.reason, 'tunnel-too-long');
});

test('the graph’s clock is the packets’: an old packet fires no timer', () => {
  const journey = new Journey(epoch);
  journey.send('a', 'a > web ping');
  assert.equal(journey.engine.nextTimerNs(), 3e9);
  journey.send('a', 'a:40000 > c:8080 SYN');
  assert.equal(journey.engine.ledger.pending, 1);
  assert.equal(journey.wait(4).length, 2);
});
