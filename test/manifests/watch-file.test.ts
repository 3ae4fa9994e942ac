/** Recorded watches: how events and their times are written, and what is said of those that are wrong. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadCluster } from '../../src/cluster.js';
import { parseTime, parseWatch, readWatchFiles } from '../../src/manifests/watch-file.js';
import { formatProblem, InputError, type Problem } from '../../src/verdict/input-error.js';
import { BASE, pod, slice } from '../support/watch.js';

function parse(text: string): { names: string[]; problems: string[] } {
  const problems: Problem[] = [];
  const names = parseWatch('w', text, problems).map(({ name }) => name);
  return { names, problems: problems.map(formatProblem) };
}

const event = (type: string, object: object, time: unknown = 1): object => ({ type, object, time });
const ADDED = event('ADDED', pod(1, true));
const DELETED = event('DELETED', {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p1', namespace: 'web' },
});

for (const [why, text] of [
  ['on one line each', `${JSON.stringify(ADDED)}\n${JSON.stringify(DELETED)}\n`],
  ['as kubectl indents them', `${JSON.stringify(ADDED, null, 4)}\n${JSON.stringify(DELETED, null, 4)}\n`],
  [
    'with empty lines, CRLF and no last line end',
    `\r\n${JSON.stringify(ADDED)}\r\n\r\n${JSON.stringify(DELETED)}`,
  ],
  [
    'with bookmarks between them',
    `${JSON.stringify(ADDED)}\n{"type":"BOOKMARK","object":{}}\n${JSON.stringify(DELETED)}\n`,
  ],
] as const)
  test(`events ${why}`, () => {
    assert.deepEqual(parse(text), { names: ['ADDED Pod web/p1', 'DELETED Pod web/p1'], problems: [] });
  });

for (const [value, wanted] of [
  ['2026-01-01T00:00:00Z', { unixNs: 1_767_225_600_000_000_000n }],
  ['2026-01-01T00:00:00.123456789Z', { unixNs: 1_767_225_600_123_456_789n }],
  ['2026-01-01t02:00:00.5+02:00', { unixNs: 1_767_225_600_500_000_000n }],
  ['2025-12-31T23:59:60Z', { unixNs: 1_767_225_600_000_000_000n }],
  [0, { afterNs: 0 }],
  [1.5, { afterNs: 1_500_000_000 }],
  [1_767_225_600.25, { unixNs: 1_767_225_600_250_000_000n }],
  ['2026-02-30T00:00:00Z', null],
  ['2026-01-01T24:00:00Z', null],
  ['2026-01-01', null],
  ['2026-01-01T00:00:00', null],
  ['1.5', null],
  [-1, null],
  [null, null],
  [undefined, null],
  [true, null],
] as const)
  test(`time ${JSON.stringify(value)}`, () => assert.deepEqual(parseTime(value), wanted));

for (const [why, object, wanted] of [
  ['no JSON', '{"type": "ADDED"', /^w:2: .*, would do: a watch event as JSON$/],
  ['no type', { object: pod(1, true), time: 1 }, /^w:2: type: nothing, would do: ADDED, MODIFIED, DELETED$/],
  ['a type of its own', event('ERROR', pod(1, true)), /^w:2: type: "ERROR", would do/],
  ['no object', { type: 'ADDED', time: 1 }, /^w:2: object: nothing, would do: a Kubernetes object$/],
  [
    'no time',
    { type: 'ADDED', object: pod(1, true) },
    /^w:2: Pod web\/p1: time: nothing, would do: RFC 3339/,
  ],
  [
    'no such day',
    event('ADDED', pod(1, true), '2026-02-30T00:00:00Z'),
    /time: "2026-02-30T00:00:00Z", would do/,
  ],
  ['no kind', event('ADDED', { apiVersion: 'v1' }), /^w:2: kind: nothing, would do: a kind/],
  [
    'a field that is wrong',
    event('ADDED', { ...pod(1, true), spec: { containers: 1 } }),
    /^w:2: Pod web\/p1: spec\.containers: /,
  ],
] as const)
  test(`told with its line: ${why}`, () => {
    const line = typeof object === 'string' ? object : JSON.stringify(object);
    const { names, problems } = parse(`${JSON.stringify(ADDED)}\n${line}\n${JSON.stringify(DELETED)}\n`);
    assert.equal(problems.length, 1, problems.join('\n'));
    assert.match(problems[0]!, wanted);
    assert.deepEqual(names, ['ADDED Pod web/p1', 'DELETED Pod web/p1'], 'the others are read all the same');
  });

test('a field of an event that is written on several lines is told with its own line', () => {
  const text = JSON.stringify(event('ADDED', { ...pod(1, true), spec: { nodeName: 5 } }), null, 2);
  const line = text.split('\n').findIndex((one) => one.includes('nodeName')) + 1;
  assert.match(parse(text).problems[0]!, new RegExp(`^w:${line}: Pod web/p1: spec.nodeName: 5`));
});

test('a file that is not there', async () => {
  await assert.rejects(readWatchFiles(['/nowhere/watch.jsonl']), InputError);
});

test('what does not fit to the cluster is told with its line, and a group of events is taken whole or not at all', async () => {
  const cluster = await loadCluster({ objects: [...BASE] });
  cluster.compile();
  const stray = { ...pod(1, true), spec: { nodeName: 'nowhere' } };
  const list = [slice('s9', 'by-slice', [{ n: 5, isReady: true }]), stray];
  const text = list.map((object) => `${JSON.stringify(event('ADDED', object))}\n`).join('');
  const before = cluster.model;
  const events = parseWatch('w', text, []).map((one) => one.event);
  assert.throws(
    () => cluster.apply(events),
    (error) => error instanceof InputError && /^w:2: Pod web\/p1: /.test(error.message),
  );
  assert.deepEqual(cluster.model, before);
  cluster.apply(events.slice(0, 1));
  assert.notDeepEqual(cluster.model, before);
});
