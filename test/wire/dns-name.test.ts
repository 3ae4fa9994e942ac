/** Names: text to wire and back, and every way in which one can be malformed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { dnsNameEnd, encodeDnsName, plainDnsNameSize, readDnsName } from '../../src/wire/dns-name.js';

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));
const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const label = (size: number): string => 'a'.repeat(size);

for (const { name, wire } of [
  { name: '.', wire: '00' },
  { name: 'svc', wire: '03737663 00' },
  { name: 'Web.local', wire: '03576562 056c6f63616c 00' },
  { name: 'a\\.b.c', wire: '03612e62 0163 00' },
  { name: 'a\\\\.c', wire: '02615c 0163 00' },
  { name: '\\000\\255', wire: '0200ff 00' },
]) {
  test(`${name} is ${wire} both ways`, () => {
    const bytes = hex(wire);
    assert.deepEqual(encodeDnsName(name), bytes);
    assert.equal(readDnsName(view(bytes), 0, 0, bytes.length), name);
    assert.equal(plainDnsNameSize(view(bytes), 0, bytes.length), bytes.length);
  });
}

test('a last dot is the root and adds nothing', () => {
  assert.deepEqual(encodeDnsName('svc.local.'), encodeDnsName('svc.local'));
});

for (const name of ['a..b', '.a', 'a..', label(64), `${label(63)}.`.repeat(4), 'é', 'a\\', '\\300']) {
  test(`${name.slice(0, 20)} is no name`, () => assert.equal(encodeDnsName(name), null));
}

test('63 octets of label and 255 of name are the most', () => {
  const longest = `${label(63)}.${label(63)}.${label(63)}.${label(61)}`;
  assert.equal(encodeDnsName(longest)?.length, 255);
  assert.equal(encodeDnsName(`${longest}a`), null);
});

// The name asked for begins at `at`; the bytes before it are what pointers may point to.
for (const { why, wire, at, name, end } of [
  { why: 'pointer to a name before', wire: '0161 00 0162 c000', at: 3, name: 'b.a', end: 7 },
  { why: 'pointer to a pointer before', wire: '0161 00 c000 0162 c003', at: 5, name: 'b.a', end: 9 },
  { why: 'pointer to itself', wire: '0161 00 c003', at: 3, name: null, end: -1 },
  { why: 'pointer into the labels it ends', wire: '00 0162 c001', at: 1, name: null, end: -1 },
  { why: 'pointer forward', wire: 'c003 00 0161 00', at: 0, name: null, end: -1 },
  { why: 'two pointers at each other', wire: 'c002 c000', at: 2, name: null, end: -1 },
  { why: 'pointer cut in half', wire: '00 c0', at: 1, name: null, end: -1 },
  { why: 'label cut short', wire: '0361', at: 0, name: null, end: -1 },
  { why: 'no closing zero', wire: '0161', at: 0, name: null, end: -1 },
  { why: 'reserved length bits 01', wire: '4161 00', at: 0, name: null, end: -1 },
  { why: 'reserved length bits 10', wire: '8161 00', at: 0, name: null, end: -1 },
  { why: 'nothing at all', wire: '', at: 0, name: null, end: -1 },
]) {
  test(`${why}: ${name ?? 'malformed'}`, () => {
    const bytes = hex(wire);
    assert.equal(readDnsName(view(bytes), 0, at, bytes.length), name);
    assert.equal(dnsNameEnd(view(bytes), 0, at, bytes.length), end);
    if (name === null) assert.equal(plainDnsNameSize(view(bytes), at, bytes.length), -1);
  });
}

test('pointers cannot make a name longer than 255 octets', () => {
  const long = encodeDnsName(`${label(63)}.${label(63)}.${label(63)}`)!;
  const bytes = Uint8Array.of(...long, 63, ...new Uint8Array(63).fill(97), 0xc0, 0);
  assert.equal(dnsNameEnd(view(bytes), 0, long.length, bytes.length), -1);
});

test('a pointerless name has no pointer', () => {
  const bytes = hex('0161 00 c000');
  assert.equal(plainDnsNameSize(view(bytes), 3, bytes.length), -1);
});

test('random octets never lead outside the message or into a loop', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.nat(39), (bytes, from) => {
      const at = from % bytes.length;
      const end = dnsNameEnd(view(bytes), 0, at, bytes.length);
      const name = readDnsName(view(bytes), 0, at, bytes.length);
      assert.equal(name === null, end === -1);
      assert.ok(end === -1 || (end > at && end <= bytes.length));
    }),
  );
});

test('what is written is read back', () => {
  const octets = fc.uint8Array({ minLength: 1, maxLength: 63 });
  fc.assert(
    fc.property(fc.array(octets, { maxLength: 3 }), (labels) => {
      const bytes = Uint8Array.of(...labels.flatMap((part) => [part.length, ...part]), 0);
      const name = readDnsName(view(bytes), 0, 0, bytes.length);
      assert.ok(name !== null);
      assert.deepEqual(encodeDnsName(name), bytes);
    }),
  );
});
