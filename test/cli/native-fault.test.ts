/** A fault that takes the whole process down, as one in native code does: what was written by then is whole, and the exit
 *  says so. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { constants, gunzipSync } from 'node:zlib';
import { FAULT_VARIABLE } from '../../src/workers/faults.js';
import { readAll } from '../io/capture-bytes.js';
import { CLI, ROOT, runCli, TWO_NODES } from './run-cli.js';

const folder = mkdtempSync(join(tmpdir(), 'podplane-fault-'));
const trace = join(folder, 'web.pcapng');
/** About 15 MB. */
const PACKETS = 24_000;
const KILLER = 22_000;
/** On the disk whatever the machine was about: 11,000 packets were given out for sure, three blocks may have been on their way. */
const LEAST = 3_000_000;

const gen = runCli(['gen', '-c', TWO_NODES, '--packets', `${PACKETS}`, '--flows', '50', '-o', trace]);
assert.equal(gen.code, 0, gen.err);

/** A replay to `output`, which leaves no core file where it dies. */
const replay = (output: string, workers: number, kill: string) =>
  spawnSync(
    'sh',
    [
      ...['-c', 'ulimit -c 0; exec "$0" "$@"', process.execPath, CLI, 'replay', '-c', TWO_NODES, trace],
      ...['-o', output, '--workers', `${workers}`],
    ],
    { cwd: ROOT, encoding: 'utf8', env: { ...process.env, [FAULT_VARIABLE]: kill } },
  );

/** As far as it goes. */
const unpacked = (path: string): Buffer =>
  path.endsWith('.gz')
    ? gunzipSync(readFileSync(path), { finishFlush: constants.Z_SYNC_FLUSH })
    : readFileSync(path);

for (const { workers, ending } of [
  { workers: 1, ending: 'pcapng' },
  { workers: 2, ending: 'pcapng' },
  { workers: 1, ending: 'pcap' },
  { workers: 1, ending: 'pcapng.gz' },
])
  test(`${workers} workers, .${ending}: the file is the beginning of what it would have been`, async () => {
    const [whole, cut] = [join(folder, `whole.${ending}`), join(folder, `cut-${workers}.${ending}`)];
    assert.equal(replay(whole, 1, '').status, 0);
    const { status, signal, stdout } = replay(cut, workers, `packet:${KILLER}@native`);
    assert.deepEqual([status, signal, stdout], [null, 'SIGSEGV', '']);
    const [all, some] = [unpacked(whole), unpacked(cut)];
    assert.ok(some.length > LEAST && some.length < all.length, `${some.length} of ${all.length} bytes`);
    assert.ok(all.subarray(0, some.length).equals(some));
    const { packets, error } = await readAll(cut);
    assert.ok(packets.length > 1000 && packets.length < PACKETS, `${packets.length} packets`);
    // The system itself may have been in the middle of a block.
    assert.match(error?.message ?? 'cut short', /cut short|unexpected end of file/);
  });
