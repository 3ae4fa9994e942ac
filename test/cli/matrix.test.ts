/** `podplane matrix`: all pairs agree with packets sent one by one, and two matrices with each other's difference. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { FirstFrames } from '../../src/cli/matrix/first-frames.js';
import { buildFirst, FIRST_SPORT } from '../../src/cli/send-packet.js';
import { PACKET_PROTOCOLS } from '../../src/cli/target.js';
import { createArena } from '../../src/packet/batch.js';
import { runCli, runJson, TWO_NODES } from './run-cli.js';

interface Matrix {
  readonly sources: readonly string[];
  readonly destinations: readonly string[];
  readonly rows: readonly string[];
  readonly counts: Readonly<Record<string, number>>;
  readonly reasons: Readonly<Record<string, number>>;
}

const matrix = (...args: readonly string[]): Matrix => runJson<Matrix>(['matrix', '-c', TWO_NODES, ...args]);

/** What a verdict of `podplane probe` is in a matrix. */
function letterOf(verdict: string, reason: string | null): string {
  if (verdict === 'delivered' || verdict === 'left') return '+';
  if (verdict === 'answered') return 'o';
  return reason !== null && /^(policy|tenant|egress)/.test(reason) ? 'x' : '?';
}

for (const [proto, port] of [
  ['tcp', '8080'],
  ['udp', '5353'],
  ['icmp', ''],
] as const) {
  test(`${proto} ${port}: every pair is what a packet sent alone meets`, () => {
    const { sources, destinations, rows } = matrix(
      ...(port === '' ? [] : ['--port', port]),
      ...['--proto', proto],
    );
    const pairs = sources.flatMap((from) =>
      destinations
        .filter((to) => to !== from)
        .map((to) => ({ from, to, proto, fresh: true, ...(port === '' ? {} : { port }) })),
    );
    const { out } = runCli(['probe', '-c', TWO_NODES], pairs.map((pair) => JSON.stringify(pair)).join('\n'));
    const alone = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { verdict: string; reason: string | null })
      .map(({ verdict, reason }) => letterOf(verdict, reason));
    const together = rows.flatMap((row) => [...row].filter((letter) => letter !== '-'));
    assert.equal(together.length, 56);
    assert.deepEqual(together, alone);
    assert.ok(together.includes('x') && together.includes(proto === 'icmp' ? '+' : 'o'));
  });
}

test('rows and columns may be named: namespaces, Services, nodes, addresses', () => {
  const found = matrix(
    ...['--port', '8080', '--from', 'ns:isolated', '--from', 'node:node1', '--from', 'ip:203.0.113.9'],
    ...['--to', 'svc:web/jws-app', '--to', 'svc:isolated/vault:8200', '--to', 'pod:isolated/vault-0'],
    ...['--to', 'ip:10.128.0.200', '--to', 'ip:192.0.2.1:443'],
  );
  assert.deepEqual(found.sources, ['pod:isolated/vault-0', 'node:node1', 'ip:203.0.113.9']);
  assert.deepEqual(
    found.rows.map((row, i) => `${found.sources[i]} ${row}`),
    [
      // Its Service leads to itself: a hairpin, and the gateway's address passes every policy.
      'pod:isolated/vault-0 ++-?+',
      // From another node than the pod's: NetID 0 is no namespace that a policy allows. Nobody answers for .200.
      'node:node1 +xx?+',
      // kube-proxy translates what comes in by the NIC, too; its masquerade does not make it a friend of the vault.
      'ip:203.0.113.9 +xx?+',
    ],
  );
  assert.equal(found.reasons['host-unreachable'], 2);
});

test('--against shows what a policy would change, and nothing else', () => {
  const folder = mkdtempSync(join(tmpdir(), 'podplane-matrix-'));
  try {
    writeFileSync(
      join(folder, 'policy.yaml'),
      [
        'apiVersion: networking.k8s.io/v1',
        'kind: NetworkPolicy',
        'metadata: { name: only-web, namespace: openshift-monitoring }',
        'spec: { podSelector: {}, ingress: [{ from: [{ namespaceSelector: { matchLabels: { name: web } } }] }] }',
      ].join('\n'),
    );
    const args = ['matrix', '-c', TWO_NODES, '--port', '9090', '--against', TWO_NODES, '--against', folder];
    const { changes, compared } = runJson<{
      changes: readonly { from: string; to: string; before: string; after: string }[];
      compared: number;
    }>(args);
    assert.equal(compared, 64);
    assert.deepEqual(
      [...new Set(changes.map(({ to }) => to))],
      ['pod:openshift-monitoring/prometheus-k8s-0'],
    );
    assert.ok(changes.every(({ before, after }) => before !== 'isolated' && after === 'isolated'));
    const csv = runCli([...args, '--csv'])
      .out.trim()
      .split('\n');
    assert.equal(csv[0], 'from,to,before,after,reasonBefore,reasonAfter');
    assert.equal(csv.length, 1 + changes.length);
    const { out } = runCli(args);
    assert.match(
      out,
      new RegExp(`${changes.length} of 64 pairs change: 0 arrive that did not, ${changes.length} `),
    );
    assert.match(runCli(args.slice(0, -2)).out, /^0 of 64 pairs change/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('CSV has a line for each pair', () => {
  const { out } = runCli(['matrix', '-c', TWO_NODES, '--port', '8080', '--csv']);
  const lines = out.trim().split('\n');
  assert.equal(lines.length, 57);
  assert.equal(lines[0], 'from,to,reach,reason');
  assert.ok(lines.includes('pod:web/shell,pod:isolated/vault-0,isolated,policy-ingress'));
});

test('by namespace: how many pairs arrive', () => {
  const { out } = runCli(['matrix', '-c', TWO_NODES, '--port', '8080', '--by', 'namespace']);
  assert.match(out, /^web +0\/4 +8\/8 +4\/4 +12\/12$/m);
});

for (const [args, wanted] of [
  [[], /--port: no port is named/],
  [['--port', '80', '--from', 'ns:wbe'], /--from: ns:wbe has no pods.*ns:web/],
  [['--port', '80', '--from', 'svc:web/jws-app'], /sends no packets/],
  [['--port', '80', '--csv', '--json'], /two forms/],
] as const)
  test(`matrix ${args.join(' ')} is refused with one clear sentence`, () => {
    const { code, err } = runCli(['matrix', '-c', TWO_NODES, ...args]);
    assert.equal(code, 2);
    assert.match(err, wanted);
  });

const word = fc.nat(0xffffffff);
const entries = fc.record({
  port: fc.constant(0),
  src: word,
  srcMacHi: fc.nat(0xffff),
  srcMacLo: word,
  dstMacHi: fc.nat(0xffff),
  dstMacLo: word,
});
const targets = fc.record({
  name: fc.constant(''),
  address: word,
  protocol: fc.constantFrom(...PACKET_PROTOCOLS),
  port: fc.constantFrom(80, 443, 65_535),
});

test('a frame changed from one destination to the next is the one that would have been built', () => {
  fc.assert(
    fc.property(
      entries,
      fc.array(fc.tuple(targets, word, fc.boolean()), { minLength: 1, maxLength: 20 }),
      (first, list) => {
        const frames = new FirstFrames(1450);
        const arena = createArena(1 << 14);
        for (const [target, dstMacLo, isOther] of list) {
          const entry = { ...first, dstMacLo, src: isOther ? first.src ^ 1 : first.src };
          const placed = frames.place(arena, entry, target);
          const built = buildFirst(arena, entry, target, FIRST_SPORT, 1450);
          const bytes = ({ offset, length }: { offset: number; length: number }): string =>
            Buffer.from(arena.bytes.subarray(offset, offset + length)).toString('hex');
          assert.equal(bytes(placed), bytes(built));
        }
      },
    ),
  );
});
