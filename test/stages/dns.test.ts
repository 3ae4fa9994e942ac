/** Queries in, replies out, as the cluster's CoreDNS gives them; dns-packet judges every reply. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatIpv4 } from '../../src/addr/ipv4.js';
import { buildDns } from '../../src/compile/dns.js';
import { freezeTables, type TableBuilder } from '../../src/layout/builder.js';
import { openTables } from '../../src/layout/epoch-buffer.js';
import { answerDns } from '../../src/stages/dns/answer.js';
import { openDns } from '../../src/tables/dns-table.js';
import { cluster, endpoint, service } from '../compile/dns-cluster.js';
import {
  decodeJudged,
  encodeJudged,
  type JudgedMessage,
  type JudgedRecord,
  RECURSION_DESIRED,
} from '../wire/dns-packet.js';

const SERIAL = 1700000000;
const MANY = Array.from({ length: 100 }, (_, i) => endpoint(formatIpv4(0x0a800102 + i)));
const model = cluster([
  service('app', { clusterIp: '172.30.10.20', endpoints: [[endpoint('10.128.0.2')]] }),
  service('pods', { isHeadless: true, endpoints: [[endpoint('10.128.0.2'), endpoint('10.129.0.2')]] }),
  service('many', { isHeadless: true, endpoints: [MANY] }),
  service('ext', { type: 'ExternalName', externalName: 'db.example.com' }),
  service('in', { type: 'ExternalName', externalName: 'app.web.svc.cluster.local' }),
  service('in2', { type: 'ExternalName', externalName: 'in.web.svc.cluster.local' }),
  service('pod', { type: 'ExternalName', externalName: '10-1-2-3.web.pod.cluster.local' }),
  service('dead', { type: 'ExternalName', externalName: 'gone.web.svc.cluster.local' }),
  service('loop', { type: 'ExternalName', externalName: 'loop.web.svc.cluster.local' }),
]);
const builders = buildDns(model, SERIAL) as readonly unknown[] as readonly TableBuilder<never>[];
const tables = openDns(openTables(freezeTables(builders, 1)).open, 0);

const QUERY_AT = 40;
const OUT_AT = 2000;
const CANARY = 0xa5;

/** The reply's bytes; empty when there is none. Nothing outside the reply may change. */
function reply(query: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(8192).fill(CANARY);
  bytes.set(query, QUERY_AT);
  const before = bytes.slice();
  const length = answerDns(
    tables,
    new DataView(bytes.buffer),
    bytes,
    QUERY_AT,
    QUERY_AT + query.length,
    OUT_AT,
  );
  assert.deepEqual(bytes.slice(0, OUT_AT), before.slice(0, OUT_AT));
  assert.ok(bytes.slice(OUT_AT + length).every((octet) => octet === CANARY));
  return bytes.slice(OUT_AT, OUT_AT + length);
}

function query(name: string, type = 'A', more: object = {}): Uint8Array {
  return encodeJudged({
    type: 'query',
    id: 4242,
    flags: RECURSION_DESIRED,
    questions: [{ name, type, class: 'IN' }],
    ...more,
  });
}
const opt = (udpPayloadSize: number, more: object = {}): object => ({
  additionals: [{ type: 'OPT', name: '.', udpPayloadSize, ...more }],
});
const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));

const line = ({ name, type, ttl, data }: JudgedRecord): string =>
  `${name} ${ttl} ${type} ${type === 'TXT' ? String((data as unknown[])[0]) : data}`;

/** Rcode and answers, with `soa` where the authority section has it. */
function gist(message: JudgedMessage): string {
  const parts = [message.rcode, ...message.answers.filter(({ type }) => type !== 'SOA').map(line)];
  if (message.authorities.some(({ type }) => type === 'SOA')) parts.push('soa');
  return parts.join(' | ');
}

const APP = 'app.web.svc.cluster.local';
for (const { why, name, type = 'A', out } of [
  { why: 'ClusterIP', name: APP, out: `NOERROR | ${APP} 5 A 172.30.10.20` },
  {
    why: 'case of the question',
    name: 'aPP.WEB.svc.Cluster.LOCAL',
    out: 'NOERROR | aPP.WEB.svc.Cluster.LOCAL 5 A 172.30.10.20',
  },
  {
    why: 'headless',
    name: 'pods.web.svc.cluster.local',
    out: 'NOERROR | pods.web.svc.cluster.local 5 A 10.128.0.2 | pods.web.svc.cluster.local 5 A 10.129.0.2',
  },
  { why: 'endpoint', name: `10-128-0-2.${APP}`, out: `NOERROR | 10-128-0-2.${APP} 5 A 10.128.0.2` },
  { why: 'AAAA of an IPv4 Service', name: APP, type: 'AAAA', out: 'NOERROR | soa' },
  { why: 'MX', name: APP, type: 'MX', out: 'NOERROR | soa' },
  { why: 'unknown Service', name: 'no.web.svc.cluster.local', out: 'NXDOMAIN | soa' },
  { why: 'unknown Service, AAAA', name: 'no.web.svc.cluster.local', type: 'AAAA', out: 'NXDOMAIN | soa' },
  { why: 'unknown namespace', name: 'app.no.svc.cluster.local', out: 'NXDOMAIN | soa' },
  { why: 'too many labels', name: `a.b.c.${APP}`, out: 'NXDOMAIN | soa' },
  { why: 'apex', name: 'cluster.local', out: 'NOERROR | soa' },
  { why: 'svc', name: 'svc.cluster.local', out: 'NOERROR | soa' },
  { why: 'namespace', name: 'web.svc.cluster.local', out: 'NOERROR | soa' },
  {
    why: 'pod by address',
    name: '10-1-2-3.web.pod.cluster.local',
    out: 'NOERROR | 10-1-2-3.web.pod.cluster.local 5 A 10.1.2.3',
  },
  {
    why: 'pod above 128',
    name: '200-1-2-3.web.pod.cluster.local',
    out: 'NOERROR | 200-1-2-3.web.pod.cluster.local 5 A 200.1.2.3',
  },
  {
    why: 'labels before a pod',
    name: '_a._tcp.10-1-2-3.web.pod.cluster.local',
    out: 'NOERROR | _a._tcp.10-1-2-3.web.pod.cluster.local 5 A 10.1.2.3',
  },
  {
    why: 'too many labels before a pod',
    name: 'x.y.z.10-1-2-3.web.pod.cluster.local',
    out: 'NXDOMAIN | soa',
  },
  { why: 'AAAA of a pod', name: '10-1-2-3.web.pod.cluster.local', type: 'AAAA', out: 'NOERROR | soa' },
  { why: 'pod in no namespace', name: '10-1-2-3.no.pod.cluster.local', out: 'NXDOMAIN | soa' },
  { why: 'pod: part above 255', name: '10-1-2-256.web.pod.cluster.local', out: 'NXDOMAIN | soa' },
  { why: 'pod: leading zero', name: '10-01-2-3.web.pod.cluster.local', out: 'NXDOMAIN | soa' },
  { why: 'pod: five parts', name: '1-2-3-4-5.web.pod.cluster.local', out: 'NXDOMAIN | soa' },
  { why: 'pod: empty part', name: '1--2-3.web.pod.cluster.local', out: 'NXDOMAIN | soa' },
  { why: 'no pod under svc', name: '10-1-2-3.web.svc.cluster.local', out: 'NXDOMAIN | soa' },
  {
    why: 'alias out of the zone',
    name: 'ext.web.svc.cluster.local',
    out: 'NOERROR | ext.web.svc.cluster.local 5 CNAME db.example.com',
  },
  {
    why: 'alias, asked for',
    name: 'in2.web.svc.cluster.local',
    type: 'CNAME',
    out: 'NOERROR | in2.web.svc.cluster.local 5 CNAME in.web.svc.cluster.local',
  },
  {
    why: 'alias of an alias',
    name: 'in2.web.svc.cluster.local',
    out: `NOERROR | in2.web.svc.cluster.local 5 CNAME in.web.svc.cluster.local | in.web.svc.cluster.local 5 CNAME ${APP} | ${APP} 5 A 172.30.10.20`,
  },
  { why: 'alias in the zone, AAAA', name: 'in.web.svc.cluster.local', type: 'AAAA', out: 'NOERROR | soa' },
  {
    why: 'alias out of the zone, AAAA',
    name: 'ext.web.svc.cluster.local',
    type: 'AAAA',
    out: 'NOERROR | ext.web.svc.cluster.local 5 CNAME db.example.com',
  },
  { why: 'alias, MX', name: 'ext.web.svc.cluster.local', type: 'MX', out: 'NOERROR | soa' },
  {
    why: 'alias of a pod',
    name: 'pod.web.svc.cluster.local',
    out: 'NOERROR | pod.web.svc.cluster.local 5 CNAME 10-1-2-3.web.pod.cluster.local | 10-1-2-3.web.pod.cluster.local 5 A 10.1.2.3',
  },
  { why: 'alias of nothing', name: 'dead.web.svc.cluster.local', out: 'NOERROR | soa' },
  { why: 'alias of itself', name: 'loop.web.svc.cluster.local', out: 'NOERROR | soa' },
  { why: 'below an alias', name: 'a.ext.web.svc.cluster.local', type: 'CNAME', out: 'NXDOMAIN | soa' },
  {
    why: 'schema version',
    name: 'dns-version.cluster.local',
    type: 'TXT',
    out: 'NOERROR | dns-version.cluster.local 28800 TXT 1.1.0',
  },
  { why: 'schema version has no address', name: 'dns-version.cluster.local', out: 'NXDOMAIN | soa' },
  { why: 'TXT is never looked up', name: 'no.web.svc.cluster.local', type: 'TXT', out: 'NOERROR | soa' },
  { why: 'name server', name: 'ns.dns.cluster.local', out: 'NOERROR | ns.dns.cluster.local 5 A 172.30.0.10' },
  { why: 'outside the zone', name: 'example.com', out: 'SERVFAIL' },
  { why: 'zone as the end of a label', name: 'xcluster.local', out: 'SERVFAIL' },
  { why: 'parent of the zone', name: 'local', out: 'SERVFAIL' },
  { why: 'root', name: '.', type: 'NS', out: 'SERVFAIL' },
]) {
  test(`${why}: ${type} ${name} is ${out}`, () => {
    const message = decodeJudged(reply(query(name, type)));
    assert.equal(gist(message), out);
    assert.deepEqual(message.questions, [{ name, type, class: 'IN' }]);
    assert.deepEqual(
      [message.id, message.type, message.flag_rd, message.flag_ra],
      [4242, 'response', true, false],
    );
    assert.equal(message.flag_aa, out !== 'SERVFAIL');
    assert.equal(message.additionals.length, 0);
  });
}

test('octets inside a label that look like the zone are not the zone', () => {
  const message = hex('1234 0100 0001 0000 0000 0000 08 07636c7573746572 056c6f63616c 00 0001 0001');
  assert.equal(reply(message)[3], 2);
});

test('the SOA is the one that CoreDNS makes up, in the case of the question', () => {
  const { authorities } = decodeJudged(reply(query('no.web.svc.Cluster.local')));
  const data = {
    mname: 'ns.dns.Cluster.local',
    rname: 'hostmaster.Cluster.local',
    serial: SERIAL,
    refresh: 7200,
    retry: 1800,
    expire: 86400,
    minimum: 5,
  };
  assert.equal(authorities.length, 1);
  assert.deepEqual(
    { ...authorities[0], flush: false },
    { name: 'Cluster.local', type: 'SOA', ttl: 5, class: 'IN', flush: false, data },
  );
});

test('the SOA is an answer at the apex only', () => {
  const apex = decodeJudged(reply(query('cluster.local', 'SOA')));
  assert.deepEqual([apex.answers.map(({ type }) => type), apex.authorities.length], [['SOA'], 0]);
  const below = decodeJudged(reply(query(APP, 'SOA')));
  assert.deepEqual([below.answers.length, below.authorities.length], [0, 1]);
});

// Lengths from a production server's log, coredns/coredns issue 3835: nothing is compressed while it fits.
for (const { name, asked, answered } of [
  { name: 'mytotalfakedomain.svc.cluster.local', asked: 53, answered: 146 },
  { name: 'mytotalfakedomain.cluster.local', asked: 49, answered: 142 },
]) {
  test(`NXDOMAIN of ${name} has ${answered} octets`, () => {
    assert.deepEqual([query(name).length, reply(query(name)).length], [asked, answered]);
  });
}

const MANY_NAME = 'many.web.svc.cluster.local';
// 12 + 32 octets of header and question, 16 an address behind a pointer, 40 one with its name, 11 for OPT.
for (const { why, more, count, isCut, length } of [
  { why: 'no EDNS: 512 octets', more: {}, count: 29, isCut: true, length: 508 },
  { why: 'less than 512 is 512', more: opt(100), count: 28, isCut: true, length: 503 },
  { why: '1000 octets', more: opt(1000), count: 59, isCut: true, length: 999 },
  { why: 'more than 1232 is 1232', more: opt(4096), count: 73, isCut: true, length: 1223 },
]) {
  test(`100 addresses, ${why}: ${count} fit, TC ${isCut}`, () => {
    const bytes = reply(query(MANY_NAME, 'A', more));
    const message = decodeJudged(bytes);
    assert.deepEqual([message.answers.length, message.flag_tc, bytes.length], [count, isCut, length]);
    assert.deepEqual(
      message.answers.map(({ name, data }) => `${name} ${data}`),
      MANY.slice(0, count).map(({ address }) => `${MANY_NAME} ${formatIpv4(address)}`),
    );
  });
}

test('EDNS: size lowered to 1232, DO and known options go back, others do not', () => {
  const options = [
    { code: 'COOKIE', data: Buffer.from('0102030405060708', 'hex') },
    { code: 8, data: Buffer.from('00010000', 'hex') },
  ];
  const [record] = decodeJudged(reply(query(APP, 'A', opt(4096, { flags: 0x8001, options })))).additionals;
  assert.ok(record !== undefined);
  assert.deepEqual(
    [record.type, record.udpPayloadSize, record.flag_do, record.extendedRcode],
    ['OPT', 1232, true, 0],
  );
  assert.deepEqual(
    (record.options as { code: number }[]).map(({ code }) => code),
    [10],
  );
});

test('EDNS: of the flags, those below DO in its octet go back, the lower octet does not', () => {
  const asked = query(APP, 'A', opt(1232));
  const ttlAt = (bytes: Uint8Array): number => bytes.length - 6;
  asked.set([0, 0, 0xff, 0xff], ttlAt(asked));
  const bytes = reply(asked);
  assert.deepEqual([...bytes.slice(ttlAt(bytes), ttlAt(bytes) + 4)], [0, 0, 0xff, 0]);
});

test('EDNS: a smaller size is kept', () => {
  assert.equal(decodeJudged(reply(query(APP, 'A', opt(600)))).additionals[0]?.udpPayloadSize, 600);
});

test('EDNS version 1 is BADVERS', () => {
  const message = decodeJudged(reply(query(APP, 'A', opt(1232, { ednsVersion: 1 }))));
  assert.deepEqual([message.rcode, message.additionals[0]?.extendedRcode], ['NOERROR', 1]);
  assert.equal(message.answers.length, 0);
});

test('CD goes back, AD does not, RD only if it came', () => {
  const flags = (bits: number): number => {
    const bytes = reply(query(APP, 'A', { flags: bits }));
    return new DataView(bytes.buffer).getUint16(2);
  };
  assert.deepEqual([flags(0x0130), flags(0x0000)], [0x8510, 0x8400]);
});

const HEAD = '1234 0100';
const NAME = '03617070 03776562 03737663 07636c7573746572 056c6f63616c 00';
for (const { why, message, out } of [
  { why: 'nothing', message: '', out: '' },
  { why: 'half a header', message: '1234 0100 0001', out: '' },
  { why: 'a response', message: `1234 8100 0001 0000 0000 0000 ${NAME} 0001 0001`, out: '' },
  {
    why: 'UPDATE',
    message: `1234 2900 0001 0000 0000 0000 ${NAME} 0001 0001`,
    out: '1234 a904 0000 0000 0000 0000',
  },
  { why: 'no question', message: `${HEAD} 0000 0000 0000 0000`, out: '1234 8101 0000 0000 0000 0000' },
  {
    why: 'two questions',
    message: `${HEAD} 0002 0000 0000 0000 ${NAME} 0001 0001 ${NAME} 0001 0001`,
    out: '1234 8101 0000 0000 0000 0000',
  },
  {
    why: 'three additionals',
    message: `${HEAD} 0001 0000 0000 0003 ${NAME} 0001 0001`,
    out: '1234 8101 0000 0000 0000 0000',
  },
  {
    why: 'question promised, none there',
    message: `${HEAD} 0001 0000 0000 0000`,
    out: '1234 8102 0000 0000 0000 0000',
  },
  {
    why: 'name cut short',
    message: `${HEAD} 0001 0000 0000 0000 03617070`,
    out: '1234 8101 0000 0000 0000 0000',
  },
  {
    why: 'pointer in the question',
    message: `${HEAD} 0001 0000 0000 0000 c000 0001 0001`,
    out: '1234 8101 0000 0000 0000 0000',
  },
  {
    why: 'reserved label bits',
    message: `${HEAD} 0001 0000 0000 0000 8161 00 0001 0001`,
    out: '1234 8101 0000 0000 0000 0000',
  },
  {
    why: 'half a type',
    message: `${HEAD} 0001 0000 0000 0000 ${NAME} 00`,
    out: '1234 8101 0000 0000 0000 0000',
  },
  {
    why: 'half a class',
    message: `${HEAD} 0001 0000 0000 0000 ${NAME} 0001 00`,
    out: '1234 8101 0000 0000 0000 0000',
  },
  {
    why: 'no class: class 0',
    message: `${HEAD} 0001 0000 0000 0000 ${NAME} 0001`,
    out: `1234 8105 0001 0000 0000 0000 ${NAME} 0001 0000`,
  },
  {
    why: 'class CHAOS',
    message: `${HEAD} 0001 0000 0000 0000 ${NAME} 0001 0003`,
    out: `1234 8105 0001 0000 0000 0000 ${NAME} 0001 0003`,
  },
  {
    why: 'OPT cut short',
    message: `${HEAD} 0001 0000 0000 0001 ${NAME} 0001 0001 00 0029 04d0 0000`,
    out: '1234 8101 0000 0000 0000 0000',
  },
  {
    why: 'OPT with half an option',
    message: `${HEAD} 0001 0000 0000 0001 ${NAME} 0001 0001 00 0029 04d0 00000000 0002 000a`,
    out: '1234 8101 0000 0000 0000 0000',
  },
  {
    why: 'option longer than OPT',
    message: `${HEAD} 0001 0000 0000 0001 ${NAME} 0001 0001 00 0029 04d0 00000000 0004 000a 0008`,
    out: '1234 8101 0000 0000 0000 0000',
  },
]) {
  test(`${why}: ${out === '' ? 'no reply' : out.slice(5, 9)}`, () =>
    assert.deepEqual(reply(hex(message)), hex(out)));
}

test('an additional that is promised and absent is no error', () => {
  const message = decodeJudged(reply(hex(`${HEAD} 0001 0000 0000 0001 ${NAME} 0001 0001`)));
  assert.deepEqual([message.rcode, message.answers.length, message.additionals.length], ['NOERROR', 1, 0]);
});

test('random names, types and sizes: every reply is read by dns-packet and fits', () => {
  const label = fc.oneof(
    fc.constantFrom('app', 'web', 'svc', 'pod', 'many', 'in2', '10-1-2-3'),
    fc.stringMatching(/^[a-z0-9-]{1,30}$/),
  );
  const name = fc.tuple(
    fc.array(label, { maxLength: 4 }),
    fc.constantFrom('cluster.local', 'web.svc.cluster.local', 'web.pod.cluster.local', 'example.com'),
  );
  fc.assert(
    fc.property(
      name,
      fc.constantFrom('A', 'AAAA', 'CNAME', 'SOA', 'TXT', 'SRV', 'HTTPS'),
      fc.option(fc.nat(0xffff)),
      ([labels, zone], type, size) => {
        const asked = [...labels, zone].join('.');
        const bytes = reply(query(asked, type, size === null ? {} : opt(size)));
        const message = decodeJudged(bytes);
        assert.equal(message.questions[0]?.name, asked);
        assert.equal(message.additionals.length, size === null ? 0 : 1);
        assert.ok(bytes.length <= Math.max(512, Math.min(1232, size ?? 0)));
      },
    ),
  );
});

test('random octets behind a header never throw, and change nothing but the reply', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 0, maxLength: 80 }),
      fc.nat(3),
      fc.nat(3),
      (octets, answers, additionals) => {
        const message = Uint8Array.of(0x12, 0x34, 1, 0, 0, 1, 0, answers, 0, 0, 0, additionals, ...octets);
        const bytes = reply(message);
        assert.ok(bytes.length >= 12);
        decodeJudged(bytes);
      },
    ),
  );
});
