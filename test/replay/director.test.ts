/** What is expected of the lanes before a run is what they get in it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Chunk } from '../../src/replay/chunk.js';
import { Director } from '../../src/replay/director.js';
import { TraceMerge } from '../../src/replay/trace-merge.js';
import { twoNodes } from './traces.js';
import { trafficTrace } from './traffic-trace.js';

const epoch = await twoNodes();
const TRACE = await trafficTrace();
const LANES = 8;

async function open(lookAhead: number): Promise<{ readonly director: Director; readonly trace: TraceMerge }> {
  const trace = await TraceMerge.open([TRACE]);
  const options = { lanes: LANES, lookAhead, lookAheadSize: 32 << 20, pick: 'recorded', places: [] } as const;
  return { director: new Director(epoch, trace, options), trace };
}

/** Packets of each lane in the first `packets` of the trace. */
async function injected(director: Director, packets: number): Promise<number[]> {
  const chunk = new Chunk(packets, [[0, 1, 2, 3, 4, 5, 6, 7]]);
  await director.fill(chunk);
  return chunk.lanes.map(({ input }) => input.count);
}

test('a trace that is seen whole: the weights are the packets of each lane, and fill() gives them still', async () => {
  const { director, trace } = await open(10_000);
  const weights = [...(await director.laneWeights())];
  assert.ok(weights.filter((weight) => weight > 0).length > 2, weights.join());
  assert.deepEqual(await injected(director, 4000), weights);
  await trace.close();
});

test('a longer trace: the weights are of the part that is seen', async () => {
  const { director, trace } = await open(99);
  const weights = [...(await director.laneWeights())];
  assert.deepEqual(await injected(director, 100), weights);
  await trace.close();
});
