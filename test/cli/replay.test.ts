/** `podplane replay` as a command: exit codes, the JSON's shape, damaged and odd captures, the written capture. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, relative } from 'node:path';
import { test } from 'node:test';
import { frame, writeTrace } from '../replay/traces.js';
import { needs } from '../support/needs.js';
import { ROOT, runCli, runJson, TWO_NODES } from './run-cli.js';

const CONVERSATION = [
  ['pod:web/shell', 'shell:40000 > web:8080 SYN'],
  ['pod:web/pod-3', 'pod-3:8080 > shell:40000 SYNACK'],
  ['pod:web/shell', 'shell:40000 > web:8080 ACK'],
] as const;
const NO_ENDPOINTS = ['pod:web/shell', frame('shell:40000 > 172.30.10.99:80 SYN')] as const;
const base = ['replay', '-c', TWO_NODES];

interface Report {
  readonly packets: number;
  readonly bytes: number;
  readonly verdicts: Readonly<Record<string, number>>;
  readonly reasons: Readonly<Record<string, number>>;
  readonly connections: number;
  readonly packetsPerSecond: number;
  readonly fingerprint: string;
  readonly readdressed: number;
  readonly services: readonly {
    readonly name: string;
    readonly endpoints: readonly { readonly name: string }[];
  }[];
  readonly interfaces: readonly { readonly linkType: string }[];
  readonly ledger: Readonly<Record<string, number | boolean>>;
}

test('--json has every part of the summary', async () => {
  const report = runJson<Report>([...base, await writeTrace([...CONVERSATION, NO_ENDPOINTS])]);
  assert.equal(report.packets, 4);
  assert.deepEqual(report.verdicts, { delivered: 4, rejected: 1 });
  assert.deepEqual(report.reasons, { 'no-endpoints': 1 });
  assert.match(report.fingerprint, /^[0-9a-f]{32}$/);
  assert.ok(report.bytes > 0 && report.connections > 0 && report.packetsPerSecond > 0);
  assert.deepEqual(
    report.services.map(({ name, endpoints }) => [name, ...endpoints.map((endpoint) => endpoint.name)]),
    [['web/jws-app:8080-tcp', 'pod:web/pod-3'], ['web/no-endpoints']],
  );
  assert.equal(report.interfaces[0]?.linkType, 'ETHERNET');
  const { in: inputs, generated, delivered, rejected, balanced, lost } = report.ledger;
  assert.deepEqual([inputs, generated, delivered, rejected, balanced, lost], [4, 1, 4, 1, true, 0]);
});

test('the text names reasons with their sentence, and the fingerprint', async () => {
  const { code, out } = runCli([...base, await writeTrace([...CONVERSATION, NO_ENDPOINTS])]);
  assert.equal(code, 0);
  assert.match(out, /no-endpoints +1 +\d+ +The Service has no endpoints/);
  assert.match(out, /fingerprint +[0-9a-f]{32}\n/);
  assert.match(out, /ledger +4 in \+ 1 generated = 4 delivered \+ 1 rejected\n/);
});

test('quirks of the SDN are counted by the rule that they add or leave out', async () => {
  const policy = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { namespace: 'openshift-dns', name: 'dns' },
    spec: {
      podSelector: {},
      ingress: [
        { from: [{ namespaceSelector: {} }], ports: [{ port: 'dns', protocol: 'UDP' }] },
        { ports: [{ port: 9000, endPort: 9154 }] },
      ],
    },
  };
  const trace = await writeTrace([
    ['pod:web/shell', frame('shell:40000 > 10.128.0.4:5353 udp "q"')],
    ['pod:web/shell', frame('shell:40001 > 10.128.0.4:0 SYN')],
    ['pod:web/shell', frame('shell:40001 > 10.128.0.4:9154 SYN')],
  ]);
  const run = (mode: string): object[] =>
    runJson<{ quirks: { quirk: string; rule: string; verdict: string; packets: number }[] }>(
      [...base, '-c', '-', '--policy', mode, trace],
      JSON.stringify(policy),
    ).quirks.map(({ quirk, rule, verdict, packets }) => ({ quirk, rule, verdict, packets }));
  assert.deepEqual(run('api'), []);
  const rule = 'NetworkPolicy openshift-dns/dns ingress';
  assert.deepEqual(run('sdn'), [
    { quirk: 'named-port', rule: `${rule}[0].ports[0]`, verdict: 'denied', packets: 1 },
    { quirk: 'end-port-zero', rule: `${rule}[1].ports[0]`, verdict: 'let through', packets: 1 },
  ]);
});

const exitCases: readonly { why: string; args: string[]; code: number; err?: RegExp }[] = [
  { why: 'nothing of --fail-on happened', args: ['--fail-on', 'dropped,diff'], code: 0 },
  { why: '--fail-on rejected happened', args: ['--fail-on', 'dropped,rejected'], code: 3 },
  { why: '--fail-on knows no such thing', args: ['--fail-on', 'boredom'], code: 2, err: /boredom/ },
  { why: '--at names no port', args: ['--at', 'a.pcap=node9:eth0'], code: 2, err: /--at: "node9:eth0"/ },
  {
    why: 'a trace that is not there',
    args: ['/nonexistent/a.pcap'],
    code: 2,
    err: /a\.pcap: cannot be read/,
  },
  { why: 'a second stdin', args: ['-c', '-', '-'], code: 2, err: /stdin/ },
];
for (const { why, args, code, err } of exitCases)
  test(`exit ${code}: ${why}`, async () => {
    const trace = await writeTrace([...CONVERSATION, NO_ENDPOINTS]);
    const run = runCli([...base, trace, ...args]);
    assert.equal(run.code, code, run.err);
    if (err !== undefined) assert.match(run.err, err);
    assert.doesNotMatch(run.err, /^ +at /m);
  });

test('a file is not written while it is read, whatever its name is, and what has no ending is not written', async () => {
  const trace = await writeTrace(CONVERSATION);
  const before = readFileSync(trace);
  symlinkSync(trace, `${trace}.link.pcapng`);
  for (const [args, says] of [
    [['-o', trace], /-o: .* is also read/],
    [['-o', `${dirname(trace)}/./${basename(trace)}.link.pcapng`], /-o: .* is also read/],
    [['-o', relative(ROOT, trace)], /-o: .* is also read/],
    [['--metrics', `${trace}.link.pcapng`], /--metrics: .* is also a capture/],
    [['-o', `${trace}.txt`], /\.txt: this ending stands for no format, would do: \.pcapng or \.pcap/],
  ] as const) {
    const { code, err } = runCli([...base, trace, ...args]);
    assert.equal(code, 2);
    assert.match(err, says);
  }
  assert.deepEqual(readFileSync(trace), before);
  assert.equal(existsSync(`${trace}.txt`), false);
});

test('a damaged capture: what came before is carried and written, then one error', async () => {
  const path = await writeTrace(CONVERSATION);
  writeFileSync(path, readFileSync(path).subarray(0, -10));
  const output = `${path}.out.pcapng`;
  const { code, out, err } = runCli([...base, path, '-o', output, '--json']);
  assert.equal(code, 2);
  assert.match(err, /^podplane: .*cut short after.*\n$/);
  assert.deepEqual((JSON.parse(out) as Report).verdicts, { delivered: 2 });
  assert.ok(readFileSync(output).length > 300);
});

test('several captures are one by time, and copies between them are known', async () => {
  const client = await writeTrace([['eth0', 'shell:40000 > web:8080 SYN id=5']], 'client.pcapng', 0);
  const server = await writeTrace([['eth0', 'shell:40000 > pod-3:8080 SYN id=5']], 'server.pcapng', 1);
  const report = runJson<Report & { observations: { matched: number } }>([...base, server, client]);
  assert.equal(report.observations.matched, 1);
  assert.equal(report.ledger['in'], 1);
});

test('--pick model re-addresses the recorded server to the chosen endpoint', async () => {
  const seen = Array.from({ length: 40 }, (_, i) => [
    ['pod:web/shell', `shell:${41_000 + i} > web:8080 SYN`] as const,
    ['pod:web/pod-3', `pod-3:8080 > shell:${41_000 + i} SYNACK`] as const,
  ]).flat();
  const report = runJson<Report>([...base, '--pick', 'model', await writeTrace(seen)]);
  assert.deepEqual(report.verdicts, { delivered: 80 });
  assert.ok(report.readdressed > 5 && report.readdressed < 35, `${report.readdressed} of 40 chosen anew`);
});

for (const hops of [false, true])
  test(`tshark reads the capture ${hops ? 'of all hops' : 'of all exits'}`, needs('tshark'), async () => {
    const path = await writeTrace([...CONVERSATION, NO_ENDPOINTS]);
    const output = `${path}.out.pcapng`;
    const { code, err } = runCli([...base, path, '-o', output, ...(hops ? ['--hops'] : [])]);
    assert.equal(code, 0, err);
    const fields = ['frame.interface_name', 'frame.comment', 'ip.checksum.status', 'tcp.checksum.status'];
    const checks = ['ip', 'tcp', 'udp'].flatMap((name) => ['-o', `${name}.check_checksum:TRUE`]);
    const { stdout } = spawnSync(
      'tshark',
      ['-r', output, ...checks, '-T', 'fields', ...fields.flatMap((field) => ['-e', field])],
      { encoding: 'utf8' },
    );
    const rows = stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split('\t'));
    for (const [, , ip, tcp] of rows) {
      assert.doesNotMatch(ip ?? '', /0/);
      assert.doesNotMatch(tcp ?? '', /0/);
    }
    const told = rows.map(([name, comment]) => `${name}: ${comment}`);
    if (hops) assert.ok(told.includes('node1:netfilter: packet 1: prerouting'), told.join('\n'));
    else assert.equal(told[0], 'pod:web/pod-3: delivered');
    if (!hops)
      assert.ok(
        told.some((line) => line === 'pod:web/shell: caused by packet 4: delivered'),
        told.join('\n'),
      );
  });
