/** Which names are asked for, in which order. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ResolvConf } from '../../src/resolver/resolv-conf.js';
import { candidates, resolverSettings } from '../../src/resolver/search.js';

const conf = (searches: string, options: Record<string, string | null> = {}): ResolvConf => ({
  nameservers: ['172.30.0.10'],
  searches: searches.split(' ').filter(Boolean),
  options: Object.entries(options).map(([name, value]) => ({ name, value })),
});
const POD = 'web.svc.z svc.z z';

for (const { why, name, searches = POD, ndots = '5', out } of [
  { why: 'a Service in its own namespace', name: 'app', out: 'app.web.svc.z app.svc.z app.z app' },
  {
    why: 'four dots are fewer than five',
    name: 'app.web.svc.cluster.local',
    out: 'app.web.svc.cluster.local.web.svc.z app.web.svc.cluster.local.svc.z app.web.svc.cluster.local.z app.web.svc.cluster.local',
  },
  {
    why: 'five dots: as it is first',
    name: 'a.b.c.d.e.f',
    out: 'a.b.c.d.e.f a.b.c.d.e.f.web.svc.z a.b.c.d.e.f.svc.z a.b.c.d.e.f.z',
  },
  { why: 'a last dot: nothing but the name', name: 'app.', out: 'app' },
  { why: 'the root', name: '.', out: '.' },
  { why: 'ndots:1', name: 'a.b', ndots: '1', out: 'a.b a.b.web.svc.z a.b.svc.z a.b.z' },
  { why: 'ndots:0', name: 'a', ndots: '0', out: 'a a.web.svc.z a.svc.z a.z' },
  { why: 'no search list', name: 'app', searches: '', out: 'app' },
  { why: 'the root on the search list', name: 'app', searches: 'z . y', out: 'app.z app app.y' },
  { why: 'too long under one domain', name: 'app', searches: `${'a'.repeat(64)} z`, out: 'app.z app' },
  { why: 'no name at all', name: 'a..b', out: '' },
]) {
  test(`${why}: ${name}`, () => assert.equal(candidates(name, conf(searches, { ndots })).join(' '), out));
}

for (const { why, options, ndots, attempts, timeoutMs } of [
  { why: 'defaults', options: {}, ndots: 1, attempts: 2, timeoutMs: 5000 },
  {
    why: 'given',
    options: { ndots: '3', attempts: '4', timeout: '1' },
    ndots: 3,
    attempts: 4,
    timeoutMs: 1000,
  },
  {
    why: 'bounded',
    options: { ndots: '99', attempts: '9', timeout: '99' },
    ndots: 15,
    attempts: 5,
    timeoutMs: 30000,
  },
  { why: 'no number is zero', options: { ndots: 'x' }, ndots: 0, attempts: 2, timeoutMs: 5000 },
]) {
  test(`settings: ${why}`, () =>
    assert.deepEqual(resolverSettings(conf('', options)), { ndots, attempts, timeoutMs }));
}
