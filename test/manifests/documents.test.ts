/** How texts become objects: documents, Lists, JSON, the quirks that kubectl accepts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadManifests } from '../../src/manifests/load.js';
import { problemLines } from './support.js';

const names = async (text: string): Promise<string[]> => {
  const { cluster } = await loadManifests([{ text, name: 'in.yaml' }]);
  return cluster.namespaces.map((namespace) => namespace.name).filter((name) => name !== 'default');
};

const ns = (name: string): string => `apiVersion: v1\nkind: Namespace\nmetadata:\n  name: ${name}\n`;
const json = (name: string): string =>
  JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });

const LOADS: { why: string; text: string; gives: string[] }[] = [
  { why: 'one document', text: ns('a'), gives: ['a'] },
  { why: 'several', text: `${ns('a')}---\n${ns('b')}`, gives: ['a', 'b'] },
  { why: 'marks at start and end', text: `---\n${ns('a')}---\n`, gives: ['a'] },
  {
    why: 'empty and comment-only documents',
    text: `---\n---\n# none\n---\n${ns('a')}---\nnull\n`,
    gives: ['a'],
  },
  { why: 'a mark with a comment', text: `--- # one\n${ns('a')}--- # two\n${ns('b')}`, gives: ['a', 'b'] },
  { why: 'documents ended by dots', text: `${ns('a')}...\n---\n${ns('b')}...\n`, gives: ['a', 'b'] },
  { why: 'a directive before the mark', text: `%YAML 1.2\n---\n${ns('a')}`, gives: ['a'] },
  { why: 'CRLF', text: `${ns('a')}---\n${ns('b')}`.replaceAll('\n', '\r\n'), gives: ['a', 'b'] },
  { why: 'byte order mark', text: `\uFEFF${ns('a')}`, gives: ['a'] },
  { why: 'a tab before a comment', text: ns('a').replace('v1', 'v1\t# tab'), gives: ['a'] },
  { why: 'no line end at the end', text: ns('a').trimEnd(), gives: ['a'] },
  {
    why: 'a mark inside a block of text',
    text: `${ns('a')}  annotations:\n    note: |\n      ---\n      kind: no\n`,
    gives: ['a'],
  },
  {
    why: 'anchors, aliases and merge keys',
    text: `apiVersion: v1\nkind: List\nitems:\n- &first\n${ns('a').replace(/^/gm, '  ').trimEnd()}\n- <<: *first\n  metadata: { name: b }\n`,
    gives: ['a', 'b'],
  },
  { why: 'quoted numbers as text', text: `${ns('"1"')}  labels: { version: "2" }\n`, gives: ['1'] },
  { why: 'null is as good as absent', text: `${ns('a')}  labels:\nspec:\n`, gives: ['a'] },
  { why: 'a repeated key: the last wins', text: `${ns('a')}  name: b\n`, gives: ['b'] },
  { why: 'unknown fields', text: `${ns('a')}spec: { colour: blue }\n`, gives: ['a'] },
  { why: 'JSON', text: json('a'), gives: ['a'] },
  { why: 'JSON with tabs', text: JSON.stringify(JSON.parse(json('a')), null, '\t'), gives: ['a'] },
  { why: 'JSON values one after the other', text: `${json('a')}\n${json('b')}\n`, gives: ['a', 'b'] },
  { why: 'a JSON array', text: `[${json('a')},${json('b')}]`, gives: ['a', 'b'] },
  { why: 'JSON documents with marks', text: `${json('a')}\n---\n${json('b')}\n`, gives: ['a', 'b'] },
  { why: 'a flow mapping', text: '{apiVersion: v1, kind: Namespace, metadata: {name: a}}', gives: ['a'] },
  {
    why: 'a List in a List',
    text: `{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"List","items":[${json('a')}]}]}`,
    gives: ['a'],
  },
  {
    why: 'a typed list, whose items do not say their kind',
    text: 'apiVersion: v1\nkind: NamespaceList\nitems:\n- metadata: { name: a }\n- metadata: { name: b }\n',
    gives: ['a', 'b'],
  },
  { why: 'a list of nothing', text: 'apiVersion: v1\nkind: List\nitems: null\n', gives: [] },
  { why: 'nothing at all', text: '', gives: [] },
  {
    why: 'only the API server could know the name',
    text: ns('a').replace('name: a', 'generateName: a-'),
    gives: ['a-*'],
  },
];

for (const { why, text, gives } of LOADS) {
  test(`loads: ${why}`, async () => {
    const found = (await names(text)).map((name) => name.replace(/^a-[0-9a-f]{5}$/, 'a-*'));
    assert.deepEqual(found, gives);
  });
}

const REFUSED: { why: string; text: string; says: RegExp }[] = [
  { why: 'broken YAML', text: `${ns('a')}---\na: {b: [}\n`, says: /^in\.yaml:6: .*, would do: valid YAML$/ },
  { why: 'a tab as indentation', text: 'a: 1\n\tb: 2\n', says: /^in\.yaml:2: tab/ },
  {
    why: 'broken JSON',
    text: '{\n "kind": "Pod"\n "x": [}\n',
    says: /^in\.yaml:3: .*, would do: valid JSON$/,
  },
  { why: 'JSON that stops', text: '{\n "kind": "Pod"\n', says: /^in\.yaml:2: .*, would do: valid JSON$/ },
  { why: 'text alone', text: 'hello\n', says: /^in\.yaml:1: "hello", would do: a Kubernetes object/ },
  {
    why: 'no kind',
    text: 'apiVersion: v1\n',
    says: /^in\.yaml:1: kind: nothing, would do: a kind, such as Pod$/,
  },
  {
    why: 'no apiVersion',
    text: '\nkind: Pod\n',
    says: /^in\.yaml:2: Pod: apiVersion: nothing, would do: an API version/,
  },
  {
    why: 'no name',
    text: '# x\napiVersion: v1\nkind: Pod\nmetadata:\n  uid: x\n',
    says: /^in\.yaml:4: Pod: metadata\.name: nothing, would do: a name$/,
  },
  {
    why: 'no metadata',
    text: 'apiVersion: v1\nkind: Pod\n',
    says: /^in\.yaml:1: Pod: metadata: nothing, would do: a name$/,
  },
  {
    why: 'items that are no list',
    text: 'apiVersion: v1\nkind: List\nitems: 3\n',
    says: /^in\.yaml:3: List: items: 3 \(a number\), would do: a list/,
  },
];

for (const { why, text, says } of REFUSED) {
  test(`refuses: ${why}`, async () => {
    const lines = await problemLines(text);
    assert.equal(lines.length, 1, lines.join('\n'));
    assert.match(lines[0]!, says);
  });
}

test('a broken document hides no problem of its neighbours', async () => {
  const bad = 'apiVersion: v1\nkind: Namespace\nmetadata:\n  name: 7\n';
  const lines = await problemLines(`a: [}\n---\n${bad}---\nb: {]\n---\n${bad}`);
  assert.deepEqual(
    lines.map((line) => line.split(': ')[0]),
    ['in.yaml:1', 'in.yaml:8', 'in.yaml:6', 'in.yaml:13'],
  );
});

test('kinds that play no part are counted once each', async () => {
  const map = (name: string): string =>
    `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ${name}, namespace: x }\n`;
  const deployment = 'apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: d }\n';
  const { unused, cluster } = await loadManifests([
    { text: [map('a'), map('b'), deployment].join('---\n'), name: 'in.yaml' },
  ]);
  assert.deepEqual(unused, [
    { apiVersion: 'apps/v1', kind: 'Deployment', count: 1 },
    { apiVersion: 'v1', kind: 'ConfigMap', count: 2 },
  ]);
  assert.deepEqual(
    cluster.namespaces.map((namespace) => namespace.name),
    ['default', 'x'],
  );
});
