/** DNS messages: what we write, dns-packet reads; what it writes, we read. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DNS_QUERY_MAX, DNS_TYPE, writeDnsQuery } from '../../src/wire/dns.js';
import { readDnsMessage } from '../../src/wire/dns-message.js';
import { decodeJudged, encodeJudged, RECURSION_DESIRED } from './dns-packet.js';

const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const hostname = fc
  .array(fc.stringMatching(/^[a-zA-Z0-9_-]{1,20}$/), { minLength: 1, maxLength: 6 })
  .map((labels) => labels.join('.'));

test('a query we write is read by dns-packet', () => {
  fc.assert(
    fc.property(hostname, fc.nat(0xffff), fc.constantFrom('A', 'AAAA', 'TXT'), (name, id, type) => {
      const bytes = new Uint8Array(DNS_QUERY_MAX + 8);
      const length = writeDnsQuery(view(bytes), 8, id, name, DNS_TYPE[type]);
      const read = decodeJudged(bytes.slice(8, 8 + length));
      assert.equal(read.id, id);
      assert.equal(read.type, 'query');
      assert.equal(read.flag_rd, true);
      assert.deepEqual(read.questions, [{ name, type, class: 'IN' }]);
      assert.equal(read.answers.length + read.authorities.length + read.additionals.length, 0);
      assert.deepEqual(bytes.slice(8, 8 + length), encodeJudged({ ...read, flags: RECURSION_DESIRED }));
    }),
  );
});

test('what is no name makes no query', () => {
  assert.equal(writeDnsQuery(view(new Uint8Array(DNS_QUERY_MAX)), 0, 1, 'a..b', DNS_TYPE.A), 0);
});

const RESPONSE = encodeJudged({
  id: 7,
  type: 'response',
  flags: 0x0580,
  questions: [{ name: 'db.web.svc.cluster.local', type: 'A' }],
  answers: [
    { name: 'db.web.svc.cluster.local', type: 'CNAME', ttl: 5, data: 'db.example.com' },
    { name: 'db.example.com', type: 'A', ttl: 30, data: '192.0.2.7' },
  ],
  authorities: [{ name: 'example.com', type: 'NS', ttl: 60, data: 'ns.example.com' }],
  additionals: [{ name: '.', type: 'OPT', udpPayloadSize: 1232 }],
});

test('a response of dns-packet is read whole', () => {
  const read = readDnsMessage(view(RESPONSE), 0, RESPONSE.length);
  assert.ok(read !== null);
  assert.deepEqual(
    [read.id, read.rcode, read.isResponse, read.isAuthoritative, read.isTruncated, read.isRecursionAvailable],
    [7, 0, true, true, false, true],
  );
  assert.deepEqual(
    read.answers.map(({ name, type, ttl, address, target }) => ({ name, type, ttl, address, target })),
    [
      { name: 'db.web.svc.cluster.local', type: 5, ttl: 5, address: -1, target: 'db.example.com' },
      { name: 'db.example.com', type: 1, ttl: 30, address: 0xc0000207, target: '' },
    ],
  );
  assert.equal(read.authorities[0]?.target, 'ns.example.com');
  assert.deepEqual([read.additionals[0]?.type, read.additionals[0]?.dnsClass], [DNS_TYPE.OPT, 1232]);
});

test('a response cut short anywhere is not read', () => {
  for (let length = 0; length < RESPONSE.length; length++)
    assert.equal(readDnsMessage(view(RESPONSE), 0, length), null, `${length} octets`);
});
