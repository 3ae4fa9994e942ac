/** The command line as a whole: exit codes, error texts, help, and the commands that only show. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { REASONS } from '../../src/verdict/reasons.js';
import { CLI, ROOT, runCli, runJson, TWO_NODES } from './run-cli.js';

const BAD_POD = `apiVersion: v1
kind: Node
metadata: { name: node1 }
status: { addresses: [{ type: InternalIP, address: 192.168.1.101 }] }
---
apiVersion: v1
kind: Pod
metadata: { name: lost, namespace: web }
spec: { nodeName: node9 }
status: { phase: Running, podIP: 10.128.0.2 }
`;

const ENDINGS: readonly { why: string; args: string[]; input?: string; code: number; says: RegExp }[] = [
  { why: 'an unknown command', args: ['chek'], code: 2, says: /Did you mean check\?/ },
  { why: 'an unknown option', args: ['check', '--no-such'], code: 2, says: /unknown option/ },
  { why: 'no cluster', args: ['check'], code: 2, says: /-c: no cluster is named/ },
  {
    why: 'a path that is not there',
    args: ['check', '-c', '/no/such'],
    code: 2,
    says: /\/no\/such: no such file/,
  },
  { why: 'an unknown platform', args: ['check', '--platform', 'x'], code: 2, says: /ocp4, ocp3, kubernetes/ },
  {
    why: 'YAML that is none',
    args: ['check', '-c', '-'],
    input: 'a: [',
    code: 2,
    says: /^podplane: -:\d+: /,
  },
  {
    why: 'a pod on an unknown node, with file, line, object and field',
    args: ['check', '-c', '-'],
    input: BAD_POD,
    code: 2,
    says: /^podplane: -:9: Pod web\/lost: spec\.nodeName: /,
  },
];

for (const { why, args, input, code, says } of ENDINGS)
  test(`${why} ends with ${code} and says so, without a stack`, () => {
    const run = runCli(args, input);
    assert.equal(run.code, code, run.err);
    assert.match(run.err, says);
    assert.doesNotMatch(run.err, /\n\s+at /);
    assert.equal(run.out, '');
  });

test('PODPLANE_DEBUG=1 shows where an error comes from', () => {
  assert.match(runCli(['check', '-c', '/no/such'], '', { PODPLANE_DEBUG: '1' }).err, /\n\s+at /);
});

test('every command has help with an example', () => {
  const { out, code } = runCli(['--help']);
  assert.equal(code, 0);
  const names = [...out.matchAll(/^ {2}(\w+)(?: \[options\])/gm)].map((match) => match[1]!);
  assert.ok(names.includes('check') && names.includes('version'), out);
  for (const name of names) {
    const help = runCli([name, '--help']);
    assert.equal(help.code, 0, name);
    assert.match(help.out, /Examples?:\n +.*podplane/, name);
    assert.match(help.out, /--json/, name);
  }
});

test('a reader that goes away ends the run quietly', async () => {
  const child = spawn(process.execPath, [CLI, 'reasons', '--json'], { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.destroy();
  let err = '';
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString();
  });
  const [code] = (await once(child, 'close')) as [number | null];
  assert.equal(code, 0);
  assert.equal(err, '');
});

test('check shows nodes, Services with ready endpoints, and policies as tables', () => {
  const { out } = runCli(['check', '-c', TWO_NODES]);
  assert.match(out, /^node1 +192\.168\.1\.101 +10\.128\.0\.0\/23 +10\.128\.0\.1 +4 +3$/m);
  assert.match(out, /^web\/jws-app +NodePort +172\.30\.10\.20 +8080\/TCP +8080-tcp +30080 +2 of 3$/m);
  assert.match(out, /^web\/no-endpoints .* 0 of 0$/m);
  assert.match(out, /^isolated\/deny-all +ingress/m);
});

test('check reads stdin and several paths as one cluster', () => {
  const files = ['cluster.yaml', 'web.yaml'].map((name) => join(TWO_NODES, name));
  const report = runJson<{ pods: { name: string }[]; services: { name: string }[] }>(
    ['check', '-c', files[0]!, '-c', '-'],
    readFileSync(files[1]!, 'utf8'),
  );
  assert.ok(report.pods.some((pod) => pod.name === 'web/pod-1'));
  assert.ok(report.services.some((service) => service.name === 'default/kubernetes'));
});

test('check names kinds that play no part, once, with their number', () => {
  const map = (name: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ${name} }\n---\n`;
  const report = runJson<{ unused: unknown[] }>(['check', '-c', TWO_NODES, '-c', '-'], map('a') + map('b'));
  assert.deepEqual(report.unused, [{ apiVersion: 'v1', kind: 'ConfigMap', count: 2 }]);
});

test('reasons lists every reason, as text, JSON and Markdown', () => {
  const names = REASONS.slice(1).map((reason) => reason.name);
  const rows = runJson<{ number: number; name: string; sentence: string; layer: string }[]>(['reasons']);
  assert.deepEqual(
    rows.map((row) => row.name),
    names,
  );
  assert.ok(rows.every((row) => row.sentence !== '' && row.layer !== '' && row.number > 0));
  const text = runCli(['reasons']).out;
  const page = runCli(['reasons', '--markdown']).out;
  for (const name of names) {
    assert.ok(text.includes(`\n${name} `), name);
    assert.ok(page.includes(`| \`${name}\` |`), name);
  }
});

test('version tells version, back end and reason', () => {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  const run = runCli(['version'], '', { PODPLANE_BACKEND: 'typescript' });
  assert.match(run.out, new RegExp(`^podplane ${version}$`, 'm'));
  assert.match(run.out, /^back end typescript: asked for$/m);
  assert.equal(runCli(['version'], '', { PODPLANE_BACKEND: 'abacus' }).code, 2);
  assert.equal(runCli(['--version']).out, `${version}\n`);
});
