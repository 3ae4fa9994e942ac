/** A trace ten times as long takes no more memory, and no packet of it is lost. `npm run soak`. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { CLI, ROOT, TWO_NODES } from './run-cli.js';

/** Says on stderr, when the process ends, how much memory it had at most, in KiB. */
const SAY_PEAK = 'data:text/javascript,process.on("exit",()=>console.error(process.resourceUsage().maxRSS))';

interface Summary {
  readonly ledger: { readonly in: number; readonly balanced: boolean };
}

/** Generate so many packets of established connections, and replay them as they come. */
async function longRun(packets: number, workers: number): Promise<{ readonly peak: number } & Summary> {
  const source = ['gen', '-c', TWO_NODES, '--profile', 'small', '--packets', String(packets), '-o', '-'];
  const sink = ['replay', '-c', TWO_NODES, '-', '--json', '--workers', String(workers)];
  const gen = spawn(process.execPath, [CLI, ...source], { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] });
  const replay = spawn(process.execPath, ['--import', SAY_PEAK, CLI, ...sink], { cwd: ROOT });
  gen.stdout.pipe(replay.stdin);
  const [out, err, [code]] = await Promise.all([
    text(replay.stdout),
    text(replay.stderr),
    once(replay, 'exit'),
  ]);
  assert.equal(code, 0, err);
  return { ...(JSON.parse(out) as Summary), peak: Number(err.trim().split('\n').at(-1)) };
}

for (const workers of [1, 2])
  test(`${workers} workers: ten million packets take the memory of one million`, async () => {
    const short = await longRun(1_000_000, workers);
    const long = await longRun(10_000_000, workers);
    assert.deepEqual([short.ledger.in, long.ledger.in], [1_000_000, 10_000_000]);
    assert.ok(short.ledger.balanced && long.ledger.balanced);
    console.log(`peak of ${workers} workers: ${short.peak} and ${long.peak} KiB`);
    assert.ok(long.peak < short.peak * 1.15, `${short.peak} KiB, then ${long.peak}`);
  });
