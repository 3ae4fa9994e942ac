/** From Services and endpoints to the zone's names. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatIpv4 } from '../../src/addr/ipv4.js';
import { buildDns } from '../../src/compile/dns.js';
import { freezeTables, type TableBuilder } from '../../src/layout/builder.js';
import { openTables } from '../../src/layout/epoch-buffer.js';
import { DNS_ORDER, DnsKind, type DnsTables, lookupDnsName, openDns } from '../../src/tables/dns-table.js';
import { encodeDnsName, readDnsName } from '../../src/wire/dns-name.js';
import { cluster, endpoint, service } from './dns-cluster.js';

function compiled(...services: Parameters<typeof cluster>[0]): DnsTables {
  return open(freeze(buildDns(cluster(services))));
}
const freeze = (builders: readonly unknown[]): SharedArrayBuffer =>
  freezeTables(builders as readonly TableBuilder<never>[], 1);
const open = (buffer: SharedArrayBuffer): DnsTables => openDns(openTables(buffer).open, 0);

/** What the tables hold for a name: addresses, `-> target`, `no data`, or `no name`. */
function answer(tables: DnsTables, name: string): string {
  const bytes = encodeDnsName(name)!;
  const row = lookupDnsName(tables.names, tables.bytes.octet, bytes, 0, bytes.length);
  if (row < 0) return 'no name';
  const first = tables.names.first[row]!;
  const count = tables.names.count[row]!;
  if (tables.names.kind[row] === DnsKind.Empty) return 'no data';
  if (tables.names.kind[row] === DnsKind.Addresses)
    return [...tables.addresses.address.subarray(first, first + count)].map(formatIpv4).join(' ');
  const octets = tables.bytes.octet.slice(first, first + count);
  return `-> ${readDnsName(new DataView(octets.buffer), 0, 0, count)}`;
}

const ready = endpoint('10.128.0.2');
const other = endpoint('10.129.0.2');
const notReady = endpoint('10.128.0.3', { isReady: false });
const named = endpoint('10.128.0.9', { hostname: 'DB-0' });
const twin = endpoint('10.128.0.8', { hostname: 'db-0' });

const ZONE_CASES = [
  { why: 'ClusterIP', ask: 'app.web.svc', out: '172.30.10.20' },
  { why: 'any case', ask: 'APP.Web.sVc', out: '172.30.10.20' },
  { why: 'ClusterIP without endpoints exists', ask: 'idle.web.svc', out: '172.30.10.99' },
  { why: 'ready endpoint of a ClusterIP Service', ask: '10-128-0-2.app.web.svc', out: '10.128.0.2' },
  { why: 'endpoint that is not ready', ask: '10-128-0-3.app.web.svc', out: 'no name' },
  {
    why: 'headless: ready endpoints of all ports, once each',
    ask: 'pods.web.svc',
    out: '10.128.0.2 10.129.0.2',
  },
  { why: 'headless with publishNotReady', ask: 'early.web.svc', out: '10.128.0.2 10.128.0.3' },
  { why: 'headless without ready endpoints', ask: 'none.web.svc', out: 'no name' },
  { why: 'hostname, shared by two endpoints', ask: 'db-0.db.web.svc', out: '10.128.0.8 10.128.0.9' },
  { why: 'an endpoint with a hostname has no dashed name', ask: '10-128-0-9.db.web.svc', out: 'no name' },
  { why: 'Service that has only an IPv6 ClusterIP', ask: 'six.web.svc', out: 'no data' },
  { why: 'ExternalName', ask: 'ext.web.svc', out: '-> db.example.com' },
  { why: 'ExternalName with a last dot', ask: 'dot.web.svc', out: '-> db.example.com' },
  { why: 'ExternalName that spells an address', ask: 'addr.web.svc', out: 'no name' },
  { why: 'other namespace', ask: 'app.idle.svc', out: 'no name' },
  { why: 'unknown Service', ask: 'nothing.web.svc', out: 'no name' },
  { why: 'namespace', ask: 'web.svc', out: 'no data' },
  { why: 'namespace of pods', ask: 'web.pod', out: 'no data' },
  { why: 'unknown namespace', ask: 'nothing.svc', out: 'no name' },
  { why: 'svc', ask: 'svc', out: 'no data' },
  { why: 'pod', ask: 'pod', out: 'no data' },
  { why: 'the name server', ask: 'ns.dns', out: '172.30.0.10' },
  { why: 'without its last label', ask: 'dns', out: 'no name' },
];

const tables = compiled(
  service('app', { clusterIp: '172.30.10.20', endpoints: [[ready, notReady]] }),
  service('idle', { clusterIp: '172.30.10.99', endpoints: [[]] }),
  service('pods', {
    isHeadless: true,
    endpoints: [
      [ready, notReady],
      [other, ready],
    ],
  }),
  service('early', { isHeadless: true, publishNotReady: true, endpoints: [[ready, notReady]] }),
  service('none', { isHeadless: true, endpoints: [[notReady]] }),
  service('db', { isHeadless: true, endpoints: [[twin, named]] }),
  service('six', { endpoints: [[ready]] }),
  service('ext', { type: 'ExternalName', externalName: 'db.example.com' }),
  service('dot', { type: 'ExternalName', externalName: 'db.example.com.' }),
  service('addr', { type: 'ExternalName', externalName: '192.0.2.1' }),
);

for (const { why, ask, out } of ZONE_CASES) {
  test(`${why}: ${ask} has ${out}`, () => assert.equal(answer(tables, `${ask}.cluster.local`), out));
}

test('the zone itself exists, names outside do not', () => {
  assert.equal(answer(tables, 'cluster.local'), 'no data');
  assert.equal(answer(tables, 'local'), 'no name');
  assert.equal(answer(tables, 'app.web.svc.cluster.example'), 'no name');
});

test('the zone row has TTL 5 and the serial that was given', () => {
  const zone = open(freeze(buildDns(cluster([]), 2024))).zone;
  assert.deepEqual([zone.rows, zone.ttl[0], zone.serial[0], zone.nameSize[0]], [1, 5, 2024, 15]);
});

test('builders come in the declared order, and the same cluster gives the same bytes', () => {
  const builders = buildDns(cluster([service('app', { clusterIp: '172.30.10.20', endpoints: [[ready]] })]));
  assert.deepEqual(
    builders.map((builder) => builder.layout.magic),
    DNS_ORDER.map((table) => table.magic),
  );
  const again = buildDns(cluster([service('app', { clusterIp: '172.30.10.20', endpoints: [[ready]] })]));
  assert.deepEqual(new Uint8Array(freeze(builders)), new Uint8Array(freeze(again)));
});

test('five thousand Services are all found, at a load of at most one half', () => {
  const many = Array.from({ length: 5000 }, (_, i) =>
    service(`s${i}`, { clusterIp: formatIpv4(0xac1e0000 + i), endpoints: [[]] }),
  );
  const large = compiled(...many);
  many.forEach((one, i) => {
    assert.equal(answer(large, `${one.name}.web.svc.cluster.local`), formatIpv4(0xac1e0000 + i));
  });
  assert.ok(large.names.kind.filter((kind) => kind !== DnsKind.Unused).length * 2 <= large.names.capacity);
});

test('a domain so long that no query can name a Service leaves the Service out', () => {
  const domain = `${'a'.repeat(63)}.`.repeat(4).slice(0, -3);
  const long = open(freeze(buildDns(cluster([service('app', { clusterIp: '172.30.0.1' })], domain))));
  assert.equal(long.names.kind.filter((kind) => kind === DnsKind.Addresses).length, 0);
});
