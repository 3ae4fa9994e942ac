import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { dumpPodNftables } from '../../src/dump/pod-nftables.js';
import { testEpoch } from '../support/cluster.js';
import { needs } from '../support/needs.js';

test('pods of OpenShift 4 have a table with three rules, hooked on output and forward', () => {
  const text = dumpPodNftables(testEpoch());
  assert.equal(text.match(/ reject$/gm)?.length, 3);
  assert.match(text, /type filter hook output priority filter; policy accept;\n\t\tgoto block\n/);
  assert.match(text, /type filter hook forward priority filter/);
});

test('other pods have none', () => {
  assert.equal(dumpPodNftables(testEpoch({ platform: 'ocp3' })), '');
});

test('nft reads it', needs('nft'), () => {
  const result = spawnSync('nft', ['-c', '-f', '-'], {
    input: dumpPodNftables(testEpoch()),
    encoding: 'utf8',
  });
  assert.equal(result.status, 0, result.stderr);
});
