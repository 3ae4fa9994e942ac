/** Fragments in a trace: all of a datagram go to the lane of its connection, whichever comes first, and the result depends
 *  on neither workers nor chunks. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ReplayOptions, replay } from '../../src/replay/replay.js';
import { fragmentsOf } from '../support/fragments.js';
import { frame, type Seen, twoNodes, writeTrace } from './traces.js';
import { facts } from './traffic-trace.js';

const epoch = await twoNodes();
const ORDERS = [
  [0, 1, 2],
  [2, 1, 0],
  [1, 0, 2],
  [2, 0, 1],
];
const FLOWS = 24;

/** Each flow asks a Service in one piece, and sends the rest of its question in three, in another order each. */
const seen: Seen[] = [];
for (let flow = 0; flow < FLOWS; flow++) {
  const ends = `shell:${4000 + flow} > web:8080`;
  seen.push(['veth', frame(`${ends} SYN seq=1`)]);
  const data = frame(`${ends} ACK "${'question '.repeat(40)}" seq=2 id=${flow + 1} fragment=0`);
  const pieces = fragmentsOf(data, [120, 240]);
  for (const i of ORDERS[flow % ORDERS.length]!) seen.push(['veth', pieces[i]!]);
}
seen.push(['veth', fragmentsOf(frame('shell > prometheus ping "lost" id=900 fragment=0'), [8])[0]!]);
const TRACE = await writeTrace(seen);
const base: ReplayOptions = { traces: [TRACE], backend: 'typescript' };

const counts = (result: Awaited<ReturnType<typeof replay>>): readonly [string, number][] =>
  result.reasons.map(({ name, packets }) => [name, packets]);

test('in any number of lanes each datagram becomes whole, and only what is lost runs out of time', async () => {
  const one = await replay(epoch, { ...base, lanes: 1 });
  const many = await replay(epoch, { ...base, lanes: 16 });
  assert.equal(one.balanced && many.balanced, true);
  assert.equal(one.ledger.merged, FLOWS * 2);
  assert.deepEqual(many.ledger, one.ledger);
  assert.deepEqual(counts(many), counts(one));
  assert.equal(counts(one).find(([name]) => name === 'fragment-timeout')![1], 1);
  assert.equal(many.connections, one.connections);
});

test('workers, chunks and batches do not show', async () => {
  const reference = facts(await replay(epoch, base));
  for (const options of [{ workers: 2, chunkRows: 10 }, { chunkRows: 1 }, { chunkRows: 7 }, { cache: false }])
    assert.deepEqual(facts(await replay(epoch, { ...base, ...options })), reference);
});

test('fragments seen on the way are not compared one by one, and not carried twice', async () => {
  const both = seen.flatMap(([on, bytes]): Seen[] => [
    [on, bytes],
    ['tap', bytes],
  ]);
  const once = await replay(epoch, base);
  const twice = await replay(epoch, { ...base, traces: [await writeTrace(both)] });
  assert.deepEqual(twice.ledger, once.ledger);
  assert.equal(twice.observations.different, 0, twice.differences.join('\n'));
  assert.equal(twice.observations.uncompared, FLOWS * 3 + 1);
});
