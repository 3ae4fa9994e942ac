/** The ways to run a replay that must not show in its result, all of them and a list in which every two of them meet. */
import assert from 'node:assert/strict';
import { type ReplayOptions, type ReplayResult, replay } from '../../src/replay/replay.js';
import type { Epoch } from '../../src/tables/epoch.js';
import { facts } from '../replay/traffic-trace.js';
import { needsNative } from '../support/native.js';

/** Both, where the addon is built. */
const BACKENDS =
  needsNative().skip === false ? (['typescript', 'native'] as const) : (['typescript'] as const);
const WORKERS = [1, 2, 4] as const;
const BATCHES = [1, 7, 256, 4096] as const;
const CACHE = [true, false] as const;

export type Settings = Required<Pick<ReplayOptions, 'backend' | 'workers' | 'chunkRows' | 'cache'>>;

export const ALL_SETTINGS: readonly Settings[] = BACKENDS.flatMap((backend) =>
  WORKERS.flatMap((workers) =>
    BATCHES.flatMap((chunkRows) => CACHE.map((cache) => ({ backend, workers, chunkRows, cache }))),
  ),
);

/** Each worker count with each batch size, back end and cache so that they meet too. */
export const PAIRED_SETTINGS: readonly Settings[] = WORKERS.flatMap((workers, w) =>
  BATCHES.map((chunkRows, b) => ({
    workers,
    chunkRows,
    backend: BACKENDS[(w + b) % BACKENDS.length]!,
    cache: CACHE[((b >> 1) + b + w + (w >> 1)) % 2]!,
  })),
);

/** The `count` settings of `list` that case `turn` runs: in turn, so that all have their share, and by steps that divide no
 *  list's length, so that one case has unlike ones. */
export const share = (list: readonly Settings[], turn: number, count: number): Settings[] =>
  Array.from({ length: count }, (_, i) => list[((turn * count + i) * 7) % list.length]!);

/** What everything is compared with. */
export const REFERENCE: Settings = { backend: 'typescript', workers: 1, chunkRows: 2048, cache: false };

export const settingsText = ({ backend, workers, chunkRows, cache }: Settings): string =>
  `${backend}, ${workers} workers, batches of ${chunkRows}, cache ${cache ? 'on' : 'off'}`;

/** A replay that is to be the same however it is run. */
export interface Case {
  readonly name: string;
  readonly epoch: Epoch;
  readonly options: ReplayOptions;
}

/** Run the case by each of the settings; all must give what the reference gives. Returns that. */
export async function assertSame(
  { name, epoch, options }: Case,
  settings: readonly Settings[],
): Promise<ReplayResult> {
  const reference = await replay(epoch, { ...options, ...REFERENCE });
  assert.equal(reference.balanced, true, name);
  for (const one of settings) {
    const result = await replay(epoch, { ...options, ...one });
    assert.equal(result.workers, Math.min(one.workers, result.lanes));
    assert.deepEqual(facts(result), facts(reference), `${name}: ${settingsText(one)}`);
    assert.equal(String(result.failure), String(reference.failure), name);
  }
  return reference;
}
