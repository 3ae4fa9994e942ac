/** The quick check of a checksum says what the plain sum says. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isAllOnes } from '../../src/kernels/all-ones.js';
import { sumWords } from '../../src/wire/checksum.js';

test('right and wrong checksums, at any place and length', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 2, maxLength: 90 }), fc.nat(3), fc.nat(2), (data, at, step) => {
      const bytes = new Uint8Array([...new Uint8Array(at).fill(0xab), ...data, 0xcd]);
      const p = new DataView(bytes.buffer);
      const end = at + data.length;
      p.setUint16(at, 0);
      p.setUint16(at, (~sumWords(p, at, end) + step) & 0xffff);
      assert.equal(isAllOnes(p, at, end), sumWords(p, at, end) === 0xffff);
      if (step === 0) assert.ok(isAllOnes(p, at, end));
    }),
    { numRuns: 500, seed: 20260105 },
  );
});

const LONGEST = 65_535;
for (const { why, byte, out } of [
  { why: 'zeros are not all ones', byte: 0, out: false },
  { why: 'the longest datagram of ones does not overflow', byte: 0xff, out: false },
] as const)
  test(why, () => {
    const p = new DataView(new Uint8Array(LONGEST).fill(byte).buffer);
    assert.equal(isAllOnes(p, 0, LONGEST), out);
    assert.equal(sumWords(p, 0, LONGEST) === 0xffff, out);
  });

test('a datagram of ones, of even length, is all ones', () => {
  const p = new DataView(new Uint8Array(LONGEST - 1).fill(0xff).buffer);
  assert.ok(isAllOnes(p, 0, LONGEST - 1));
});
