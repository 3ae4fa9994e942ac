/** Checksums: the whole one against one written apart from it, the one by difference against the whole one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { adjust16, adjust32, checksum, pseudoSum, sumWords } from '../../src/wire/checksum.js';
import { internetChecksum } from '../support/checksum.js';

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffffffff });

test('the whole checksum of any bytes at any offset', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat({ max: 7 }), (bytes, offset) => {
      const at = Math.min(offset, bytes.length);
      assert.equal(checksum(viewOf(bytes), at, bytes.length), internetChecksum(bytes.subarray(at)));
    }),
  );
});

test('it is right for the longest packet, all ones', () => {
  const bytes = new Uint8Array(65_535).fill(0xff);
  assert.equal(checksum(viewOf(bytes), 0, bytes.length), internetChecksum(bytes));
});

test('RFC 1624 section 4: DD2F, 5555 to 3285, gives 0000 and not FFFF', () => {
  assert.equal(adjust16(0xdd2f, 0x5555, 0x3285), 0x0000);
});

test('by difference equals whole: a 16-bit word of a header', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 20, maxLength: 60 }), fc.nat(), u16, (bytes, where, value) => {
      const header = bytes.slice(0, bytes.length & ~1);
      header.set([0, 0], 10);
      const view = viewOf(header);
      const before = checksum(view, 0, header.length);
      const at = (where % (header.length / 2)) * 2;
      fc.pre(at !== 10);
      const old = view.getUint16(at);
      view.setUint16(at, value);
      const sum = adjust16(before, old, value);
      // All-zero data is the one case where FFFF and 0000 both stand for its sum.
      view.setUint16(10, sum);
      assert.equal(sumWords(view, 0, header.length) % 0xffff, 0);
    }),
    { numRuns: 500 },
  );
});

test('by difference equals whole: an address, twice there and back', () => {
  fc.assert(
    fc.property(u32, u32, u32, u16, (src, dst, other, rest) => {
      fc.pre(rest !== 0);
      const before = ~fold(pseudoSum(src, dst, 6, 20) + rest) & 0xffff;
      const after = ~fold(pseudoSum(other, dst, 6, 20) + rest) & 0xffff;
      assert.equal(adjust32(before, src, other) % 0xffff, after % 0xffff);
      assert.equal(adjust32(adjust32(before, src, other), other, src) % 0xffff, before % 0xffff);
    }),
  );
});

function fold(sum: number): number {
  let rest = sum;
  while (rest > 0xffff) rest = (rest & 0xffff) + Math.floor(rest / 0x10000);
  return rest;
}
