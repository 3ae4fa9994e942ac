/** The shipped examples run as their first lines say. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ROOT, runCli, TWO_NODES } from './run-cli.js';

const BUILT = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'examples');

function run(name: string, ...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(BUILT, name), ...args], {
    encoding: 'utf8',
    cwd: ROOT,
  });
  assert.equal(status, 0, stderr);
  return stdout;
}

test('embed: what the link does not lose is answered, and the timer of the ping fires', () => {
  const out = run('embed.js');
  const [, tried, answered, lost] = /^(\d+) connections tried, (\d+) answered, (\d+) frames lost/m.exec(out)!;
  assert.equal(tried, '20');
  assert.ok(Number(lost) > 0, 'the link loses something');
  assert.equal(Number(answered) + Number(lost), 20, 'each loss costs one answer');
  assert.match(out, /^3000\.000 ms {2}node1 {2}42 bytes rejected \(host-unreachable\)$/m);
});

test('replay: every packet of a capture ends somewhere', () => {
  const folder = mkdtempSync(join(tmpdir(), 'podplane-examples-'));
  try {
    const capture = join(folder, 'in.pcapng');
    const gen = runCli(['gen', '-c', TWO_NODES, '--packets', '500', '--flows', '20', '-o', capture]);
    assert.equal(gen.code, 0, gen.err);
    const out = run('replay.js', capture, join(folder, 'out.pcapng'));
    const counts = [...out.matchAll(/^(delivered|left|answered|dropped) +(\d+)$/gm)];
    const total = counts.reduce((sum, [, , count]) => sum + Number(count), 0);
    assert.ok(total >= 490, out);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('live-change: TCP hangs on to an endpoint that has gone, a policy cuts what is open', () => {
  assert.deepEqual(run('live-change.js').trimEnd().split('\n').slice(1), [
    'pod-3 is taken out of the Service: table set 2',
    '  the old connection   delivered pod:web/pod-3',
    '  a new one            delivered pod:web/pod-1',
    '  a new one            delivered pod:web/pod-1',
    '  a new one            delivered pod:web/pod-1',
    'a NetworkPolicy isolates the namespace: table set 3',
    '  the old connection   dropped policy-ingress',
    'the NetworkPolicy is deleted: table set 4',
    '  the old connection   delivered pod:web/pod-1',
  ]);
});

test('benchmark: tells floor and engine', () => {
  const out = run('benchmark.js', '5');
  assert.match(out, /^copy +\d+\.\d ns per packet$/m);
  assert.match(out, /^engine +\d+\.\d ns per packet, \d+\.\d\d Mpps$/m);
});
