/** `podplane replay --events`: a watch beside the trace, what is said of it, and what is wrong with one. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { writeTrace } from '../replay/traces.js';
import { policy, type Timed, watchText, writeWatch } from '../replay/watch.js';
import { ROOT, runCli, runJson, TWO_NODES } from './run-cli.js';

interface Report {
  readonly verdicts: Readonly<Record<string, number>>;
  readonly reasons: Readonly<Record<string, number>>;
  readonly changes: {
    readonly taken: number;
    readonly later: number;
    readonly list: readonly { readonly name: string; readonly time: string; readonly packet: number }[];
  };
}

const base = ['replay', '-c', TWO_NODES];
const closed: Timed = { type: 'ADDED', object: policy('web', 'closed'), time: 0.001 };
const trace = (): Promise<string> =>
  writeTrace([
    ['pod:web/shell', 'shell:40000 > pod-3:8080 SYN'],
    ['pod:web/shell', 'shell:40001 > pod-3:8080 SYN'],
    ['pod:web/shell', 'shell:40002 > pod-3:8080 SYN'],
  ]);

test('the example: a policy is deleted in the middle of the trace', () => {
  const events = join(ROOT, 'examples', 'policy-deleted.jsonl');
  const { changes, reasons } = runJson<Report>([
    ...base,
    join(TWO_NODES, 'trace.pcapng.gz'),
    '--events',
    events,
  ]);
  assert.deepEqual(
    changes.list.map(({ name, time }) => [name, time]),
    [
      ['ADDED NetworkPolicy web/deny-all', '2026-01-01T00:00:00.000000000Z'],
      ['ADDED NetworkPolicy web/from-anywhere', '2026-01-01T00:00:00.000000000Z'],
      ['DELETED NetworkPolicy web/from-anywhere', '2026-01-01T00:00:00.100000000Z'],
    ],
  );
  assert.ok(reasons['policy-ingress']! > 3000, 'what goes to the namespace is cut in the second half');
});

test('events of several files are taken by time', async () => {
  const path = await trace();
  const [one, two] = [
    writeWatch(`${path}.1`, [closed]),
    writeWatch(`${path}.2`, [{ ...closed, type: 'DELETED', time: 0.002 }]),
  ];
  const { verdicts, changes } = runJson<Report>([...base, path, '--events', two!, '--events', one!]);
  assert.deepEqual(verdicts, { delivered: 2, dropped: 1 });
  assert.deepEqual(
    changes.list.map(({ packet }) => packet),
    [2, 3],
  );
});

test('the text has the changes, and stdin may be the watch', async () => {
  const late: Timed = { ...closed, time: '2027-01-01T00:00:00Z' };
  const { code, out } = runCli([...base, await trace(), '--events', '-'], watchText([closed, late]));
  assert.equal(code, 0);
  assert.match(out, /ADDED NetworkPolicy web\/closed +2026-01-01T00:00:00\.001000000Z +2\n/);
  assert.match(out, /1 after the last packet, not made\n/);
});

test('all that is wrong with a watch is told before anything is written', async () => {
  const path = await trace();
  const events = `${path}.jsonl`;
  const output = `${path}.out.pcapng`;
  writeFileSync(
    events,
    `${watchText([closed])}{"type":"ADDED"}\n${watchText([{ ...closed, time: 'soon' }])}`,
  );
  const { code, err } = runCli([...base, path, '--events', events, '-o', output]);
  assert.equal(code, 2);
  assert.match(err, /jsonl:2: object: nothing/);
  assert.match(err, /jsonl:2: time: nothing/);
  assert.match(err, /jsonl:3: NetworkPolicy web\/closed: time: "soon", would do: RFC 3339/);
  const stray = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'x' },
    spec: { nodeName: 'nowhere' },
    status: { podIP: '10.128.0.77' },
  };
  writeWatch(events, [closed, { type: 'ADDED', object: stray, time: 0.002 }]);
  const unfit = runCli([...base, path, '--events', events, '-o', output]);
  assert.equal(unfit.code, 2);
  assert.match(unfit.err, /jsonl:2: Pod default\/x: spec\.nodeName: unknown node "nowhere"/);
  const clash = { ...stray, spec: { nodeName: 'node1' }, status: { podIP: '10.128.0.2' } };
  writeWatch(events, [{ type: 'ADDED', object: clash, time: 0.002 }]);
  assert.match(
    runCli([...base, path, '--events', events]).err,
    /10\.128\.0\.2, the address of Pod [^\n]*ADDED Pod default\/x|jsonl:1: Pod default\/x/,
  );
  assert.equal(runCli(['check', '-c', output]).code, 2, 'no capture is there');
});

test('stdin is named once', async () => {
  const { code, err } = runCli([...base, '-', '--events', '-']);
  assert.equal(code, 2);
  assert.match(err, /stdin is named twice/);
});
