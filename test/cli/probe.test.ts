/** `podplane probe`: an answer for each line, in order, whatever the line. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readProbe } from '../../src/cli/probe-line.js';
import { runCli, TWO_NODES } from './run-cli.js';

interface Answer {
  readonly id?: unknown;
  readonly line?: number;
  readonly error?: string;
  readonly verdict?: string;
  readonly reason?: string | null;
  readonly dnat?: string | null;
  readonly snat?: string | null;
  readonly endpoint?: string | null;
  readonly hops?: readonly { readonly node: string; readonly device: string; readonly table?: number }[];
}

function probe(...lines: readonly (string | object)[]): Answer[] {
  const input = lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join('');
  const { code, out, err } = runCli(['probe', '-c', TWO_NODES], input);
  assert.equal(code, 0, err);
  assert.equal(err, '');
  return out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Answer);
}

const SERVICE = { from: 'pod:web/pod-1', to: 'svc:web/jws-app:8080' };

test('lines are answered in order, and bad ones do not end the run', () => {
  const answers = probe(
    { id: 1, from: 'pod:web/pod-1', to: 'pod:web/pod-3', port: 8080 },
    'garbage',
    { id: 'two', from: 'pod-1' },
    '[1]',
    '',
    { id: { deep: true }, from: 'pod-9', to: 'pod-1' },
    { id: 5, from: 'pod-1', to: 'svc:isolated/vault' },
    { id: 6, from: 'pod-1', to: 'no-endpoints' },
    { id: 7, from: 'pod-1', to: 'ip:8.8.8.8', port: 53, proto: 'UDP' },
    { id: 8, from: 'pod-1', to: 'pod-3', port: 81 },
  );
  assert.deepEqual(
    answers.map(({ id, line, error, verdict }) => [id, line, verdict ?? error!.replace(/[:,].*/, '')]),
    [
      [1, undefined, 'delivered'],
      [undefined, 2, 'no JSON'],
      ['two', 3, 'to'],
      [undefined, 4, 'a JSON object is wanted'],
      [{ deep: true }, 6, 'from'],
      [5, undefined, 'dropped'],
      [6, undefined, 'rejected'],
      [7, undefined, 'left'],
      [8, undefined, 'answered'],
    ],
  );
});

test('an answer tells verdict, reason, translation, endpoint and hops', () => {
  const [answer] = probe({ ...SERVICE, id: 'a' });
  assert.equal(answer!.verdict, 'delivered');
  assert.equal(answer!.reason, null);
  assert.match(answer!.dnat!, /^10\.12[89]\.0\.2:8080$/);
  assert.match(answer!.endpoint!, /^pod:web\/pod-[13]$/);
  assert.deepEqual([answer!.hops![0]!.node, answer!.hops![0]!.device], ['node1', 'eth0']);
  assert.ok(answer!.hops!.some((hop) => hop.device === 'br0' && hop.table === 60));
});

test('the pod that is not ready is never chosen, the two others are', () => {
  const lines = Array.from({ length: 60 }, () => SERVICE);
  const chosen = new Set(probe(...lines).map((answer) => answer.endpoint));
  assert.deepEqual([...chosen].sort(), ['pod:web/pod-1', 'pod:web/pod-3']);
});

test('a connection lasts over lines; a fresh start forgets it', () => {
  const line = { ...SERVICE, sport: 45_000 };
  const answers = probe(line, line, { ...line, fresh: true }, line);
  assert.equal(new Set(answers.map((answer) => answer.endpoint)).size, 1);
  // The masqueraded port of a hairpin is kept with the connection.
  assert.equal(new Set(answers.map((answer) => answer.snat)).size, 1);
});

test('a fresh line has the same answer wherever it stands', () => {
  const fresh = { ...SERVICE, fresh: true };
  const answers = probe(fresh, SERVICE, SERVICE, SERVICE, fresh);
  assert.deepEqual(answers[0], answers[4]);
});

test('the same lines give the same bytes', () => {
  const lines = Array.from({ length: 20 }, (_, i) => `${JSON.stringify({ id: i, ...SERVICE })}\n`).join('');
  const once = runCli(['probe', '-c', TWO_NODES], lines).out;
  assert.equal(runCli(['probe', '-c', TWO_NODES], lines).out, once);
  assert.notEqual(runCli(['probe', '-c', TWO_NODES, '--seed', '2'], lines).out, once);
});

test('a cluster that cannot be read ends the run with 2', () => {
  const { code, out } = runCli(['probe', '-c', '/no/such'], '{}\n');
  assert.equal(code, 2);
  assert.equal(out, '');
});

const WRONG: readonly (readonly [line: string, says: RegExp])[] = [
  ['{"to":"a"}', /^from: missing/],
  ['{"from":1,"to":"a"}', /^from: 1, would do/],
  ['{"from":"a","to":""}', /^to: ""/],
  ['{"from":"a","to":"b","proto":"sctp"}', /^proto: "sctp", would do: tcp, udp or icmp/],
  ['{"from":"a","to":"b","port":70000}', /^port: 70000/],
  ['{"from":"a","to":"b","sport":"x"}', /^sport: "x"/],
  ['{"from":"a","to":"b","fresh":"yes"}', /^fresh: "yes", would do: true or false/],
];
for (const [line, says] of WRONG)
  test(`${line} is wrong`, () => {
    const read = readProbe(line);
    assert.ok('error' in read);
    assert.match(read.error, says);
  });
