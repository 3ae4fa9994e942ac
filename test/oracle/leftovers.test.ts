/** A witness leaves nothing on the machine: not when it ends, and not beyond the next run when it was killed. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { testEpoch } from '../support/cluster.js';
import { needs } from '../support/needs.js';
import { openBench } from './judge.js';
import { daemonsOf, runFolder, spacesOf, sweep } from './leftovers.js';
import { Witness } from './witness.js';

const TOOLS = ['ovs-vswitchd', 'ovs-ofctl', 'iptables-restore', 'ip', 'tc', 'bridge', 'python3', 'root'];
const HOLDER = join(dirname(fileURLToPath(import.meta.url)), 'hold-witness.js');

test('a run that ends takes everything down', needs(...TOOLS), async () => {
  let daemons: readonly number[] = [];
  {
    await using witness = await Witness.start('namespaces');
    await openBench(witness, testEpoch());
    daemons = daemonsOf(process.pid);
    assert.equal(daemons.length, 4);
    assert.ok(spacesOf(process.pid).length >= 10);
  }
  assert.deepEqual(spacesOf(process.pid), []);
  assert.equal(existsSync(runFolder()), false);
  assert.deepEqual(
    daemons.filter((pid) => existsSync(`/proc/${pid}/exe`)),
    [],
  );
});

test('what a killed run leaves is gone when the next one begins', needs(...TOOLS), async () => {
  // A group of its own, so that the agent dies with it and cannot clean up.
  const holder = spawn(process.execPath, [HOLDER], { detached: true, stdio: ['pipe', 'pipe', 'inherit'] });
  const pid = holder.pid!;
  try {
    const [said] = await once(holder.stdout, 'data');
    assert.equal(String(said), 'built\n');
  } finally {
    process.kill(-pid, 'SIGKILL');
  }
  await once(holder, 'close');
  const daemons = daemonsOf(pid);
  assert.equal(daemons.length, 4);
  assert.ok(spacesOf(pid).length >= 10);
  assert.ok(sweep().includes(pid));
  assert.deepEqual(spacesOf(pid), []);
  assert.deepEqual(daemonsOf(pid), []);
  assert.equal(existsSync(runFolder(pid)), false);
  assert.deepEqual(sweep().includes(pid), false);
});
