/** `podplane replay` when workers die: the exit code, and what text and JSON say of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FAULT_VARIABLE } from '../../src/workers/faults.js';
import { writeTrace } from '../replay/traces.js';
import { runCli, TWO_NODES } from './run-cli.js';

const trace = await writeTrace([
  ['pod:web/shell', 'shell:40000 > pod-3:8080 SYN'],
  ['pod:web/pod-3', 'pod-3:8080 > shell:40000 SYNACK'],
  ['pod:web/shell', 'shell:40000 > pod-3:8080 ACK'],
]);
const args = ['replay', '-c', TWO_NODES, trace, '--workers', '2'];

interface Report {
  readonly recovered: number;
  readonly quarantined: number;
  readonly fingerprint: string;
  readonly reasons: Readonly<Record<string, number>>;
  readonly ledger: { readonly in: number; readonly balanced: boolean };
}

function report(kills: string): Report {
  const { code, out, err } = runCli([...args, '--json'], '', { [FAULT_VARIABLE]: kills });
  assert.deepEqual([code, err], [0, '']);
  return JSON.parse(out) as Report;
}

test('a worker that died is told of, and changes nothing else', () => {
  const undisturbed = report('');
  const killed = report('packet:1');
  assert.deepEqual([undisturbed.recovered, killed.recovered, killed.quarantined], [0, 1, 0]);
  assert.equal(killed.fingerprint, undisturbed.fingerprint);
  assert.deepEqual(killed.ledger, undisturbed.ledger);
});

test('a packet in quarantine is a drop under its own reason', () => {
  const { quarantined, reasons, ledger } = report('packet:1x9');
  assert.deepEqual([quarantined, reasons['worker-quarantine'], ledger.in, ledger.balanced], [1, 1, 3, true]);
});

for (const { why, kills, line } of [
  { why: 'no worker died', kills: '', line: '' },
  { why: 'one died', kills: 'packet:1', line: '1 worker died and was replaced; nothing was lost' },
  {
    why: 'a packet killed',
    kills: 'packet:1x9',
    line: '2 workers died and were replaced; a packet that kills is dropped as worker-quarantine',
  },
])
  test(`the text when ${why}`, () => {
    const { code, out } = runCli(args, '', { [FAULT_VARIABLE]: kills });
    assert.equal(code, 0);
    assert.equal(/^recovered +(.*)$/m.exec(out)?.[1] ?? '', line);
  });
