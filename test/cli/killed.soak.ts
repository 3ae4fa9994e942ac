/** A replay is killed from outside at random points, by signals that nothing can catch and by one that could be: the capture
 *  that it leaves is the beginning of the whole one. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { SeededRandom } from '../../src/io/generate-random.js';
import { readAll } from '../io/capture-bytes.js';
import { CLI, ROOT, runCli, TWO_NODES } from './run-cli.js';

const SIGNALS = ['SIGSEGV', 'SIGKILL', 'SIGABRT', 'SIGTERM'] as const;
const RUNS = 12;
const folder = mkdtempSync(join(tmpdir(), 'podplane-killed-'));
const trace = join(folder, 'web.pcapng');
const whole = join(folder, 'whole.pcapng');
const random = new SeededRandom(5);
let killed = 0;

test('the whole of it', () => {
  for (const args of [
    ['gen', '-c', TWO_NODES, '--packets', '60000', '-o', trace],
    ['replay', '-c', TWO_NODES, trace, '-o', whole],
  ]) {
    const { code, err } = runCli(args);
    assert.equal(code, 0, err);
  }
});

for (let run = 0; run < RUNS; run++)
  test(`run ${run + 1}: ${SIGNALS[run % SIGNALS.length]}`, async () => {
    const all = readFileSync(whole);
    const output = join(folder, `${run}.pcapng`);
    const goal = random.below(all.length);
    const args = ['replay', '-c', TWO_NODES, trace, '-o', output, '--workers', `${1 + (run % 3)}`];
    const child = spawn('sh', ['-c', 'ulimit -c 0; exec "$0" "$@"', process.execPath, CLI, ...args], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exit = once(child, 'exit');
    while (child.exitCode === null && sizeOf(output) < goal) await wait(1);
    child.kill(SIGNALS[run % SIGNALS.length]!);
    const [code, signal] = (await exit) as [number | null, string | null];
    const some = readFileSync(output);
    assert.ok(all.subarray(0, some.length).equals(some));
    if (signal === null) assert.deepEqual([code, some.length], [0, all.length]);
    else killed++;
    const { packets, error } = await readAll(output, 256);
    assert.ok(packets.length > 0 || goal < 1_048_576);
    assert.match(error?.message ?? 'cut short', /cut short/);
    rmSync(output);
  });

test('most died in the middle', () => assert.ok(killed > RUNS / 2, `${killed} of ${RUNS}`));

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;
