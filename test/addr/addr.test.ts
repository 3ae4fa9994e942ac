/** Addresses: text to numbers and back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { IPv4 } from 'ip-num';
import { formatIpv4, formatPrefix, maskOf, parseIpv4, prefixContains } from '../../src/addr/ipv4.js';
import { parsePrefix } from '../../src/addr/ipv4-prefix.js';
import { formatMac, parseMac } from '../../src/addr/mac.js';

test('an IPv4 address is a u32 in host order, and -1 when it is none', () => {
  const cases: [string, number][] = [
    ['0.0.0.0', 0],
    ['10.128.0.2', 0x0a800002],
    ['255.255.255.255', 0xffffffff],
    ['10.128.0', -1],
    ['10.128.0.256', -1],
    ['10.128.0.2 ', -1],
    ['010.128.0.2', -1],
    ['10.128.0.2.3', -1],
    ['fd00::1', -1],
    ['', -1],
  ];
  for (const [text, number] of cases) assert.equal(parseIpv4(text), number, text);
});

test('what is written as a dotted quad, and what ip-num makes of any such text, is read back', () => {
  const octets = fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 3, maxLength: 5 });
  fc.assert(
    fc.property(octets, fc.boolean(), (list, isPadded) => {
      const text = list.map((octet) => (isPadded ? String(octet).padStart(2, '0') : octet)).join('.');
      let wanted = -1;
      try {
        wanted = Number(new IPv4(text).getValue());
      } catch {
        // No address.
      }
      assert.equal(parseIpv4(text), wanted, text);
    }),
  );
});

test('a prefix loses its host bits, and is null when it is none', () => {
  const cases: [string, string | null][] = [
    ['10.128.0.0/14', '10.128.0.0/14'],
    ['10.131.7.9/14', '10.128.0.0/14'],
    ['1.2.3.4/32', '1.2.3.4/32'],
    ['1.2.3.4/0', '0.0.0.0/0'],
    ['1.2.3.4/33', null],
    ['1.2.3.4', null],
    ['fd00::/64', null],
  ];
  for (const [text, expected] of cases) {
    const prefix = parsePrefix(text);
    assert.equal(prefix === null ? null : formatPrefix(prefix), expected, text);
  }
});

test('a prefix contains its first and last address and not their neighbours', () => {
  const prefix = parsePrefix('10.129.0.0/23')!;
  const cases: [string, boolean][] = [
    ['10.128.255.255', false],
    ['10.129.0.0', true],
    ['10.129.1.255', true],
    ['10.129.2.0', false],
  ];
  for (const [text, isInside] of cases) assert.equal(prefixContains(prefix, parseIpv4(text)), isInside, text);
  assert.equal(maskOf(0), 0);
  assert.equal(maskOf(23), 0xfffffe00);
  assert.equal(maskOf(32), 0xffffffff);
});

test('address and MAC texts come back as they were', () => {
  fc.assert(fc.property(fc.integer({ min: 0, max: 0xffffffff }), (n) => parseIpv4(formatIpv4(n)) === n));
  const octets = fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 6, maxLength: 6 });
  fc.assert(
    fc.property(octets, (bytes) => {
      const text = bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(':');
      const mac = parseMac(text)!;
      assert.equal(formatMac(mac.hi, mac.lo), text);
    }),
  );
  assert.equal(parseMac('0a:58:0a:80:02'), null);
  assert.equal(parseMac('0a-58-0a-80-02-05'), null);
});
