/** Runs tables of packets in, packets out: one test a table, its rows in order through one cluster. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EngineOptions } from '../../src/engine/engine.js';
import type { Epoch } from '../../src/tables/epoch.js';
import { frameFaults } from './checksum.js';
import { portOf } from './cluster.js';
import { expectedFrame, hex } from './frames.js';
import { Journey, type Outcome } from './journey.js';

/** What became of one packet. */
export interface End {
  /** `delivered c`, `left nic1`, `answered c tcp-reset`, `dropped source-spoofed`, `rejected no-endpoints`. */
  readonly ends: string;
  /** The frame where it ended, as expectedFrame reads it; the bytes must be equal. */
  readonly frame?: string;
  /** Devices and tables, as pathOf writes them. */
  readonly path?: string;
}

export interface Case extends End {
  /** The rule that the row shows. */
  readonly why: string;
  /** Where it is sent: a pod, `nic1`, `tun2`. */
  readonly at: string;
  /** The packet as text, or the frame itself where no builder would write it. */
  readonly in: string | Uint8Array;
  /** MACs that the sender's own routing would not give. */
  readonly via?: string;
  /** Seconds of packet time before it. */
  readonly after?: number;
  /** `namespace/name:port`, and the pod that its endpoint is; empty for none. */
  readonly service?: string;
  readonly endpoint?: string;
  /** The packets that it causes, in order; none when left out. */
  readonly causes?: readonly End[];
}

export function cases(title: string, epoch: Epoch, rows: readonly Case[], options: EngineOptions = {}): void {
  test(title, () => {
    const journey = new Journey(epoch, options);
    for (const row of rows) {
      const label = typeof row.in === 'string' ? `${row.why}: ${row.in}` : row.why;
      if (row.after !== undefined) assert.deepEqual(journey.wait(row.after), [], `${label}: no timer`);
      const outcomes =
        typeof row.in === 'string'
          ? journey.send(row.at, row.in, row.via)
          : journey.sendBytes(row.at, row.in);
      const ends = [row, ...(row.causes ?? [])];
      assert.deepEqual(outcomes.map(endOf), ends.map(wantedEnd), label);
      outcomes.forEach((outcome, i) => {
        checkEnd(outcome, ends[i]!, `${label} [${i}]`);
        assert.equal(outcome.parent === -1, i === 0, `${label}: what is generated names its parent`);
      });
      if (row.service !== undefined) assert.equal(outcomes[0]!.service, row.service, label);
      if (row.endpoint !== undefined)
        assert.equal(outcomes[0]!.endpoint, row.endpoint && portOf(row.endpoint), label);
    }
  });
}

/** Compare frame and path; all that arrives has right checksums and lengths. */
export function checkEnd(outcome: Outcome, end: End, label: string): void {
  if (end.path !== undefined) assert.equal(outcome.path, end.path, label);
  if (outcome.verdict !== 'dropped')
    assert.deepEqual(frameFaults(outcome.bytes), [], `${label}: ${outcome.text}`);
  if (end.frame === undefined) return;
  const expected = expectedFrame(end.frame, outcome.bytes);
  assert.equal(hex(outcome.bytes), hex(expected), `${label}: is ${outcome.text}, not ${end.frame}`);
}

/** `verdict exit reason`, without what is empty. */
export function endOf(outcome: Outcome): string {
  const reason = outcome.reason === 'none' ? '' : outcome.reason;
  return [outcome.verdict, outcome.exit, reason].filter(Boolean).join(' ');
}

const wantedEnd = ({ ends }: End): string => {
  const [verdict, ...rest] = ends.split(' ');
  const isAtPort = verdict === 'delivered' || verdict === 'left' || verdict === 'answered';
  return isAtPort ? [verdict, portOf(rest[0]!), ...rest.slice(1)].join(' ') : ends;
};
