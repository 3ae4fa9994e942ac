/** `podplane resolve`: search list, real queries, and the way to what was found. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runCli, runJson, TWO_NODES } from './run-cli.js';

interface Way {
  readonly verdict: string;
  readonly dst: string;
  readonly dnat: string | null;
  readonly snat: string | null;
  readonly exit: string;
  readonly endpoint: string | null;
}

interface Report {
  readonly queries: readonly {
    readonly name: string;
    readonly rcode: string | null;
    readonly addresses: readonly string[];
    readonly ttl: number | null;
    readonly query: Way;
    readonly reply: Way | null;
  }[];
  readonly resolved: string;
  readonly addresses: readonly string[];
  readonly error: string | null;
  readonly connection?: Way;
}

const resolve = (from: string, name: string, ...more: string[]): Report =>
  runJson<Report>(['resolve', '-c', TWO_NODES, '--from', from, name, ...more]);

const NAMES: readonly {
  why: string;
  name: string;
  asked: readonly (readonly [name: string, rcode: string])[];
  addresses: readonly string[];
  error: string | null;
}[] = [
  {
    why: 'a name of the own namespace takes one query',
    name: 'jws-app',
    asked: [['jws-app.web.svc.cluster.local', 'NOERROR']],
    addresses: ['172.30.10.20'],
    error: null,
  },
  {
    why: 'name.namespace takes two',
    name: 'vault.isolated',
    asked: [
      ['vault.isolated.web.svc.cluster.local', 'NXDOMAIN'],
      ['vault.isolated.svc.cluster.local', 'NOERROR'],
    ],
    addresses: ['172.30.10.50'],
    error: null,
  },
  {
    why: 'a last dot takes the name as it is',
    name: 'jws-app.web.svc.cluster.local.',
    asked: [['jws-app.web.svc.cluster.local', 'NOERROR']],
    addresses: ['172.30.10.20'],
    error: null,
  },
  {
    why: 'what does not exist is asked for under the whole list',
    name: 'nope.cluster.local.',
    asked: [['nope.cluster.local', 'NXDOMAIN']],
    addresses: [],
    error: 'NoName',
  },
];
for (const { why, name, asked, addresses, error } of NAMES)
  test(`${why}: ${name}`, () => {
    const report = resolve('pod:web/pod-1', name);
    assert.deepEqual(
      report.queries.map((query) => [query.name, query.rcode]),
      asked,
    );
    assert.deepEqual(report.addresses, addresses);
    assert.equal(report.error, error);
  });

test('a query is translated to the DNS pod of its node, and its reply back', () => {
  for (const [from, server] of [
    ['pod:web/pod-1', 'pod:openshift-dns/dns-default-a'],
    ['pod:web/pod-3', 'pod:openshift-dns/dns-default-b'],
  ] as const) {
    const { query, reply, ttl } = resolve(from, 'jws-app').queries[0]!;
    assert.equal(query.dst, '172.30.0.10:53');
    assert.equal(query.exit, server);
    assert.match(query.dnat!, /:5353$/);
    assert.equal(reply!.snat, '172.30.0.10:53');
    assert.equal(reply!.exit, from);
    assert.equal(ttl, 5);
  }
});

test('--then connect goes on to the endpoint', () => {
  const { connection } = resolve('pod:web/pod-1', 'jws-app', '--then', 'connect:8080');
  assert.equal(connection!.dst, '172.30.10.20:8080');
  assert.equal(connection!.verdict, 'delivered');
  assert.match(connection!.endpoint!, /^pod:web\/pod-[13]$/);
});

test('the text shows resolv.conf, each query with its answer and ways, and the result', () => {
  const { out, code } = runCli(['resolve', '-c', TWO_NODES, '--from', 'pod-1', 'vault.isolated']);
  assert.equal(code, 0);
  assert.match(
    out,
    /search web\.svc\.cluster\.local svc\.cluster\.local cluster\.local, nameserver 172\.30\.0\.10, options ndots:5$/m,
  );
  assert.match(out, /^ {2}1 {2}vault\.isolated\.web\.svc\.cluster\.local A\? {2}NXDOMAIN$/m);
  assert.match(
    out,
    /query {2}10\.128\.0\.2:32768 > 172\.30\.0\.10:53 → 10\.128\.0\.4:5353 {2}node1: eth0 br0 tun0 netfilter tun0 br0 eth0$/m,
  );
  assert.match(out, /^ {2}✔ vault\.isolated\.svc\.cluster\.local {2}172\.30\.10\.50$/m);
});

const MISTAKES: readonly (readonly [args: string[], says: RegExp])[] = [
  [['--from', 'node1', 'x'], /--from: node:node1 is no pod/],
  [['--from', 'pod-1', '1.2.3.4'], /1\.2\.3\.4 is an address already/],
  [['--from', 'dns-default-a', 'x'], /has no nameserver \(dnsPolicy Default\)/],
  [['--from', 'pod-1', 'x', '--then', 'dance'], /connect:PORT is wanted/],
];
for (const [args, says] of MISTAKES)
  test(`resolve ${args.join(' ')} ends with 2`, () => {
    const { code, err } = runCli(['resolve', '-c', TWO_NODES, ...args]);
    assert.equal(code, 2);
    assert.match(err, says);
  });
