/** `podplane gen`: files that the reader and other programs take, the same every time. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createColumns } from '../../src/io/capture-columns.js';
import { openCapture } from '../../src/io/capture-reader.js';
import { createArena } from '../../src/packet/batch.js';
import { needs } from '../support/needs.js';
import { runCli, runJson, TWO_NODES } from './run-cli.js';

const folder = mkdtempSync(join(tmpdir(), 'podplane-gen-'));
after(() => rmSync(folder, { recursive: true }));

interface Report {
  readonly packets: number;
  readonly bytes: number;
  readonly connections: number;
  readonly interfaces: number;
  readonly malformed: number;
}

const gen = (file: string, ...args: string[]): Report =>
  runJson<Report>(['gen', '-c', TWO_NODES, '-o', join(folder, file), ...args]);

for (const name of ['a.pcapng', 'b.pcap', 'c.pcapng.gz', 'd.pcap.gz'])
  test(`${name} reads back as many packets as were said`, async () => {
    const report = gen(name, '--packets', '3000');
    const reader = await openCapture(join(folder, name));
    const columns = createColumns(createArena(1 << 20), 512);
    let packets = 0;
    let bytes = 0;
    while ((await reader.read(columns)) > 0) {
      packets += columns.count;
      for (let i = 0; i < columns.count; i++) bytes += columns.length[i]!;
    }
    assert.equal(reader.firstEpochNs, BigInt(Date.UTC(2026, 0, 1)) * 1_000_000n);
    assert.deepEqual([packets, bytes], [report.packets, report.bytes]);
    assert.equal(packets, 3_000);
    if (name === 'a.pcapng') {
      assert.equal(reader.interfaces.length, report.interfaces);
      assert.ok(reader.interfaces.some((one) => one.name === 'pod:web/pod-1'));
    }
  });

test('the same command writes the same file', () => {
  gen('first.pcapng', '--packets', '2000', '--seed', '7');
  gen('second.pcapng', '--packets', '2000', '--seed', '7');
  gen('third.pcapng', '--packets', '2000', '--seed', '8');
  const [first, second, third] = ['first', 'second', 'third'].map((name) =>
    readFileSync(join(folder, `${name}.pcapng`)),
  );
  assert.ok(first!.equals(second!));
  assert.ok(!first!.equals(third!));
});

for (const profile of ['web', 'dns', 'imix', 'small', 'synflood'])
  test(`tshark finds nothing wrong with ${profile}`, needs('tshark'), () => {
    gen(`${profile}.pcapng`, '--profile', profile, '--packets', '4000');
    const checks = ['ip', 'tcp', 'udp'].flatMap((name) => ['-o', `${name}.check_checksum:TRUE`]);
    const { stdout } = spawnSync(
      'tshark',
      [
        '-r',
        join(folder, `${profile}.pcapng`),
        ...checks,
        '-Y',
        '_ws.expert.severity >= warn',
        '-T',
        'fields',
        '-e',
        '_ws.expert.message',
      ],
      { encoding: 'utf8' },
    );
    assert.equal(stdout, '');
  });

test('--bad mixes malformed packets in', () => {
  const { malformed } = gen('bad.pcapng', '--packets', '5000', '--bad', '50');
  assert.ok(malformed > 150 && malformed < 350, `${malformed}`);
});

test('a capture on stdout is nothing but the capture', () => {
  const run = runCli(['gen', '-c', TWO_NODES, '--packets', '10', '-o', '-']);
  assert.equal(run.code, 0);
  assert.match(run.err, /10 packets/);
  assert.ok(run.out.startsWith('\n\r\r\n'));
});

const ENDINGS: readonly { why: string; args: string[]; says: RegExp }[] = [
  { why: 'no file', args: [], says: /-o: no file is named/ },
  { why: 'an unknown profile', args: ['--profile', 'x'], says: /web, dns, imix, small, synflood/ },
  { why: 'a negative exponent', args: ['--zipf=-1'], says: /from 0 to 10/ },
  { why: 'no flows', args: ['--flows', '0'], says: /from 1 to/ },
  {
    why: 'an ending that is no format',
    args: ['-o', '/no/such/x.txt'],
    says: /x\.txt: this ending .*\.pcapng/,
  },
  { why: 'a folder that is not there', args: ['-o', '/no/such/x.pcap'], says: /cannot be written/ },
  {
    why: 'more flows than ports',
    args: ['--profile', 'dns', '--flows', '9000000', '-o', '-'],
    says: /source ports for \d+ of 9000000/,
  },
];
for (const { why, args, says } of ENDINGS)
  test(`${why} ends with 2 and says so`, () => {
    const run = runCli(['gen', '-c', TWO_NODES, ...args]);
    assert.equal(run.code, 2);
    assert.match(run.err, says);
    assert.doesNotMatch(run.err, /\n\s+at /);
  });
