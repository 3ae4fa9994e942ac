/** A resolution from the first query to the result: what is asked after which reply, and how it ends. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Resolution, type ResolverReply } from '../../src/resolver/resolution.js';
import { DNS_TYPE } from '../../src/wire/dns.js';
import { encodeJudged } from '../wire/dns-packet.js';

const CONF = {
  nameservers: ['172.30.0.10'],
  searches: ['web.svc.z', 'svc.z', 'z'],
  options: [{ name: 'ndots', value: '5' }],
};
const REPLIES: Record<string, ResolverReply | null> = {
  found: { rcode: 0, addresses: [0x0a000001] },
  alias: { rcode: 0, addresses: [], hasBareAlias: true },
  nodata: { rcode: 0, addresses: [] },
  formerr: { rcode: 1, addresses: [] },
  servfail: { rcode: 2, addresses: [] },
  nxdomain: { rcode: 3, addresses: [] },
  refused: { rcode: 5, addresses: [] },
  silence: null,
};

/** Answer by `zone` (default nxdomain): the queries in order, then the result. */
function run(
  name: string,
  zone: Record<string, string>,
  conf = CONF,
  types = [DNS_TYPE.A] as number[],
): string[] {
  const resolution = new Resolution(conf, name, types);
  const steps: string[] = [];
  for (let query = resolution.next(); query !== null; query = resolution.next()) {
    assert.equal(resolution.result, null);
    steps.push(
      `${query.name}${query.type === DNS_TYPE.AAAA ? '/6' : ''}${conf === CONF ? '' : `@${query.nameserver}`}`,
    );
    const reply = REPLIES[zone[query.name] ?? 'nxdomain'];
    resolution.answer(query.type === DNS_TYPE.AAAA && reply?.rcode === 0 ? REPLIES['nodata']! : reply!);
  }
  const { result } = resolution;
  assert.ok(result !== null);
  steps.push(result.error ?? `= ${result.name}`);
  assert.equal(result.addresses.length > 0, result.error === null);
  return steps;
}

for (const { why, name, zone, out } of [
  {
    why: 'the first answer ends it',
    name: 'app',
    zone: { 'app.web.svc.z': 'found' },
    out: 'app.web.svc.z, = app.web.svc.z',
  },
  {
    why: 'NXDOMAIN goes on',
    name: 'app.db',
    zone: { 'app.db.svc.z': 'found' },
    out: 'app.db.web.svc.z, app.db.svc.z, = app.db.svc.z',
  },
  {
    why: 'no data goes on, and is remembered',
    name: 'app',
    zone: { 'app.web.svc.z': 'nodata' },
    out: 'app.web.svc.z, app.svc.z, app.z, app, NoData',
  },
  { why: 'nothing anywhere', name: 'app', zone: {}, out: 'app.web.svc.z, app.svc.z, app.z, app, NoName' },
  {
    why: 'SERVFAIL is asked again, then noted',
    name: 'app',
    zone: { 'app.svc.z': 'servfail' },
    out: 'app.web.svc.z, app.svc.z, app.svc.z, app.z, app, Again',
  },
  {
    why: 'no data comes before SERVFAIL',
    name: 'app',
    zone: { 'app.web.svc.z': 'nodata', 'app.z': 'servfail' },
    out: 'app.web.svc.z, app.svc.z, app.z, app.z, app, NoData',
  },
  {
    why: 'an outside name offline',
    name: 'example.com',
    zone: { 'example.com': 'servfail' },
    out: 'example.com.web.svc.z, example.com.svc.z, example.com.z, example.com, example.com, Again',
  },
  {
    why: 'a bare alias ends it without an address',
    name: 'app',
    zone: { 'app.web.svc.z': 'alias' },
    out: 'app.web.svc.z, NoData',
  },
  {
    why: 'silence ends the search, not the name as it is',
    name: 'app',
    zone: { 'app.svc.z': 'silence' },
    out: 'app.web.svc.z, app.svc.z, app.svc.z, app, NoName',
  },
  {
    why: 'so does REFUSED',
    name: 'app',
    zone: { 'app.web.svc.z': 'refused', app: 'found' },
    out: 'app.web.svc.z, app.web.svc.z, app, = app',
  },
  {
    why: 'so does FORMERR, at once',
    name: 'app',
    zone: { 'app.web.svc.z': 'formerr', app: 'formerr' },
    out: 'app.web.svc.z, app, Fail',
  },
  {
    why: 'as it is first: its error is the result',
    name: 'a.b.c.d.e.f',
    zone: { 'a.b.c.d.e.f.z': 'nodata' },
    out: 'a.b.c.d.e.f, a.b.c.d.e.f.web.svc.z, a.b.c.d.e.f.svc.z, a.b.c.d.e.f.z, NoName',
  },
  {
    why: 'as it is first: silence does not end the search',
    name: 'a.b.c.d.e.f',
    zone: { 'a.b.c.d.e.f': 'silence', 'a.b.c.d.e.f.z': 'found' },
    out: 'a.b.c.d.e.f, a.b.c.d.e.f, a.b.c.d.e.f.web.svc.z, a.b.c.d.e.f.svc.z, a.b.c.d.e.f.z, = a.b.c.d.e.f.z',
  },
  {
    why: 'absolute',
    name: 'app.web.svc.z.',
    zone: { 'app.web.svc.z': 'found' },
    out: 'app.web.svc.z, = app.web.svc.z',
  },
  { why: 'absolute and absent', name: 'app.', zone: {}, out: 'app, NoName' },
  { why: 'no name', name: 'a..b', zone: {}, out: 'NoName' },
]) {
  test(why, () => assert.equal(run(name, zone).join(', '), out));
}

test('two nameservers: each is asked, twice over', () => {
  const conf = { nameservers: ['n1', 'n2'], searches: [], options: [] };
  assert.deepEqual(run('app', { app: 'servfail' }, conf), ['app@n1', 'app@n2', 'app@n1', 'app@n2', 'Again']);
});

test('no nameserver line is this host', () => {
  const conf = { nameservers: [], searches: [], options: [] };
  assert.deepEqual(run('app', { app: 'found' }, conf), ['app@127.0.0.1', '= app']);
});

test('both families: A, then AAAA, for each candidate; an address of one is enough', () => {
  const types = [DNS_TYPE.A, DNS_TYPE.AAAA];
  const steps = run('app', { 'app.svc.z': 'found' }, CONF, types);
  assert.deepEqual(steps, ['app.web.svc.z', 'app.web.svc.z/6', 'app.svc.z', 'app.svc.z/6', '= app.svc.z']);
});

test('a reply may be the message itself; an unreadable one is silence', () => {
  const resolution = new Resolution(CONF, 'app.');
  resolution.answer(Uint8Array.of(1, 2, 3));
  assert.equal(resolution.next()?.attempt, 2);
  const answers = [
    { name: 'app', type: 'CNAME', ttl: 5, data: 'b' },
    { name: 'b', type: 'A', ttl: 5, data: '10.0.0.1' },
    { name: 'b', type: 'A', ttl: 5, data: '10.0.0.2' },
  ];
  resolution.answer(
    encodeJudged({ type: 'response', id: 1, questions: [{ name: 'app', type: 'A' }], answers }),
  );
  assert.deepEqual(resolution.result, { name: 'app', addresses: [0x0a000001, 0x0a000002], error: null });
});

test('a query sent back to us is no reply', () => {
  const resolution = new Resolution(CONF, 'app.');
  resolution.answer(encodeJudged({ type: 'query', id: 1, questions: [{ name: 'app', type: 'A' }] }));
  assert.equal(resolution.next()?.attempt, 2);
});
