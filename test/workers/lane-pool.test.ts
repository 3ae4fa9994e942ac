/** The pool: workers walk what they are given; one that fails is replaced, and what it failed on left out. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Reason } from '../../src/verdict/reasons.js';
import { entryOf } from '../../src/workers/epoch-shelf.js';
import { createLanePool } from '../../src/workers/lane-pool.js';
import type { SentSettings } from '../../src/workers/lane-runner.js';
import { createParcel, type LaneRows, type Parcel } from '../../src/workers/parcel.js';
import { frame, twoNodes } from '../replay/traces.js';

const epoch = await twoNodes();
const settings: SentSettings = {
  seed: 1,
  epochNs: 0n,
  respond: false,
  backend: 'typescript',
  checkpointSize: 4 << 20,
  isExplained: false,
};
const SHELL = Array.from({ length: epoch.tables.ports.rows }, (_, row) => row).find(
  (row) => epoch.text(epoch.tables.ports.name[row]!) === 'pod:web/shell',
)!;
const NO_PORT = 9999;

/** Give the lane one packet that enters at row `port`. */
function put({ arena }: Parcel, rows: LaneRows, port: number): void {
  const bytes = frame('shell:40000 > pod-3:8080 SYN');
  arena.bytes.set(bytes, 66);
  arena.used = 66 + bytes.length;
  rows.input.offset[0] = 66;
  rows.input.length[0] = bytes.length;
  rows.input.port[0] = port;
  rows.input.pick[0] = -1;
  rows.sequence[0] = 5;
  rows.input.count = 1;
  rows.input.next = 0;
  rows.output.count = 0;
}

const told = (outcomes: readonly (object | Error)[]): string[] =>
  outcomes.map((outcome) => (outcome instanceof Error ? 'failed' : 'walked'));

for (const workers of [1, 2])
  test(`${workers} of ${workers} workers walk, a packet kills the first, and all go on without it`, async () => {
    const parcels = Array.from({ length: workers }, (_, lane) => createParcel([lane], 4, 4 << 20));
    const pool = createLanePool(entryOf(epoch), settings, [parcels]);
    const all = Array.from({ length: workers }, () => 'walked');
    const fill = (port: number): void =>
      parcels.forEach((parcel, lane) => {
        put(parcel, parcel.lanes[0]!, lane === 0 ? port : SHELL);
      });
    try {
      fill(SHELL);
      assert.deepEqual(told(await pool.run(0)), all);
      for (const { lanes } of parcels) {
        assert.equal(lanes[0]!.output.count, 1);
        assert.deepEqual([lanes[0]!.place[0], lanes[0]!.output.root[0]], [5, 5]);
      }
      fill(NO_PORT);
      assert.deepEqual(told(await pool.run(0)), all);
      const { output } = parcels[0]!.lanes[0]!;
      assert.deepEqual([output.count, output.reason[0]], [1, Reason.WorkerQuarantine]);
      assert.deepEqual([pool.recovered, pool.quarantined], [2, 1]);
      fill(SHELL);
      assert.deepEqual(told(await pool.run(0)), all);
    } finally {
      await pool.close();
    }
  });

test('a slot is not given twice before its answer', async () => {
  const pool = createLanePool(entryOf(epoch), settings, [
    [0, 1].map((lane) => createParcel([lane], 4, 4 << 20)),
  ]);
  try {
    const first = pool.run(0);
    await assert.rejects(async () => pool.run(0), RangeError);
    assert.deepEqual(told(await first), ['walked', 'walked']);
  } finally {
    await pool.close();
  }
});

test('who sleeps until all is done finds the output before the answer', async () => {
  const parcels = [0, 1].map((lane) => createParcel([lane], 4, 4 << 20));
  const pool = createLanePool(entryOf(epoch), settings, [parcels]);
  try {
    for (const parcel of parcels) put(parcel, parcel.lanes[0]!, SHELL);
    // The threads start while this one waits for their first answer.
    await pool.run(0);
    for (const parcel of parcels) {
      put(parcel, parcel.lanes[0]!, SHELL);
      parcel.lanes[0]!.place.fill(-1);
    }
    const answer = pool.run(0);
    assert.equal(pool.sleep(60_000), true);
    assert.deepEqual(
      parcels.map(({ lanes }) => lanes[0]!.place[0]),
      [5, 5],
    );
    assert.deepEqual(told(await answer), ['walked', 'walked']);
  } finally {
    await pool.close();
  }
});
