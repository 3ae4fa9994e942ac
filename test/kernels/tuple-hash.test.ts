/** Tests of the flow hash: that every bit of a tuple and of the seed counts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tupleHash } from '../../src/kernels/tuple-hash.js';

const SEEDS = [0, 1, 0x5eed, 0xffffffff];
const bits = (x: number): number => {
  let count = 0;
  for (let rest = x >>> 0; rest !== 0; rest &= rest - 1) count++;
  return count;
};

test('one changed bit of any word changes about half of the hash', () => {
  for (const seed of SEEDS) {
    for (let word = 0; word < 4; word++) {
      for (let bit = 0; bit < 32; bit++) {
        let changed = 0;
        for (let i = 0; i < 64; i++) {
          const key = [0x0a800002 + i, 0xac1e0a14, 0x9c400050 + (i << 16), 0x106];
          const other = key.map((value, at) => (at === word ? value ^ (1 << bit) : value));
          changed += bits(
            tupleHash(seed, key[0]!, key[1]!, key[2]!, key[3]!) ^
              tupleHash(seed, other[0]!, other[1]!, other[2]!, other[3]!),
          );
        }
        assert.ok(
          changed / 64 > 10 && changed / 64 < 22,
          `seed ${seed} word ${word} bit ${bit}: ${changed / 64}`,
        );
      }
    }
  }
});

test('the top bits of two words do not cancel', () => {
  const top = 0x80000000 | 0;
  for (const seed of SEEDS) {
    const plain = tupleHash(seed, 1, 2, 3, 4);
    assert.notEqual(tupleHash(seed, 1 ^ top, 2 ^ top, 3, 4), plain);
    assert.notEqual(tupleHash(seed, 1 ^ top, 2, 3 ^ top, 4), plain);
    assert.notEqual(tupleHash(seed, 1, 2 ^ top, 3 ^ top, 4), plain);
  }
});

test('tuples that share a slot under one seed are spread under another', () => {
  const slots = 1 << 10;
  const crowd: number[] = [];
  for (let i = 0; crowd.length < 64; i++) {
    if ((tupleHash(1, 0x0a800002 + i, 0xac1e0a14, 0x9c400050, 0x106) & (slots - 1)) === 5) crowd.push(i);
  }
  const under2 = new Set(
    crowd.map((i) => tupleHash(2, 0x0a800002 + i, 0xac1e0a14, 0x9c400050, 0x106) & (slots - 1)),
  );
  assert.ok(under2.size > 48, `${under2.size} slots for 64 tuples`);
});

test('the clients of a cluster spread evenly', () => {
  const counts = new Uint32Array(256);
  for (let host = 0; host < 256; host++) {
    for (let port = 0; port < 256; port++) {
      const hash = tupleHash(0, 0x0a800000 + host, 0xac1e0a14, ((32768 + port) << 16) | 8080, 0x106);
      counts[hash & 255]!++;
    }
  }
  // 256 expected in each; six standard deviations of 16.
  assert.ok(
    Math.min(...counts) > 160 && Math.max(...counts) < 352,
    `${Math.min(...counts)} to ${Math.max(...counts)}`,
  );
});
