/** A UDP checksum of zero means none, on every way and in both directions: it is never filled in. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testEpoch } from '../support/cluster.js';
import { hex, patched } from '../support/frames.js';
import { frameOf, Journey } from '../support/journey.js';
import { macsOf, sentMacs } from '../support/macs.js';

const CHECKSUM = 40;
const without = (text: string, via?: string): Uint8Array => {
  const at = /^\w/.exec(text)![0];
  return patched(frameOf(text, via === undefined ? sentMacs(at, text) : macsOf(via)), CHECKSUM, 0, 0);
};

for (const [why, at, sent, arrives, via] of [
  ['pod to pod', 'a', 'a:40000 > c:9000 udp "x"', 'a:40000 > c:9000 udp "x"', 'a > c'],
  ['through the tunnel', 'a', 'a:40000 > b:9000 udp "x"', 'a:40000 > b:9000 udp "x"', 'a > b'],
  ['DNAT', 'a', 'a:40000 > near:90 udp "x"', 'a:40000 > c:9000 udp "x" ttl=63', 'tun1 > c'],
  ['DNAT, then the tunnel', 'a', 'a:40000 > far:90 udp "x"', 'a:40000 > b:9000 udp "x" ttl=63', 'tun1 > b'],
  ['masquerade', 'a', 'a:40000 > out:53 udp "x"', 'n1:40000 > out:53 udp "x" ttl=63', 'nic1 > router'],
] as const)
  test(`zero stays zero: ${why}`, () => {
    const [end] = new Journey(testEpoch()).sendBytes(at, without(sent));
    assert.equal(hex(end!.bytes), hex(without(arrives, via)));
  });

test('zero stays zero in the reply that br0 translates', () => {
  const journey = new Journey(testEpoch());
  journey.sendBytes('a', without('a:40000 > near:90 udp "x"'));
  const [reply] = journey.sendBytes('c', without('c:9000 > a:40000 udp "y"'));
  assert.equal(hex(reply!.bytes), hex(without('near:90 > a:40000 udp "y"', 'c > a')));
});
