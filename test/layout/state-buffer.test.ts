/** The state buffer: what is put is taken in the same order, whatever its size, and growth keeps what was there. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type StateArray, StateBuffer } from '../../src/layout/state-buffer.js';

const arrays: fc.Arbitrary<StateArray> = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.uint16Array({ maxLength: 300 }),
  fc.uint32Array({ maxLength: 300 }),
  fc.int32Array({ maxLength: 300 }),
  fc.float64Array({ maxLength: 300 }),
);

test('numbers and arrays come back as they were, and again after a rewind', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.double(), arrays), { maxLength: 30 }), (values) => {
      const buffer = new StateBuffer(new SharedArrayBuffer(8));
      for (let round = 0; round < 2; round++) {
        buffer.rewind();
        for (const value of values)
          if (typeof value === 'number') buffer.putNumber(value);
          else buffer.putArray(value, value.length);
      }
      const end = buffer.position;
      const copy = new StateBuffer(buffer.buffer);
      for (const value of values) {
        if (typeof value === 'number') {
          assert.ok(Object.is(copy.takeNumber(), value));
          continue;
        }
        const into = value.slice().fill(1);
        assert.equal(copy.takeArray(into), value.length);
        assert.deepEqual(into, value);
      }
      assert.equal(copy.position, end);
    }),
  );
});

test('words and numbers lie as arrays do, short ones and long ones', () => {
  for (const count of [0, 1, 511, 512, 513, 2000]) {
    const words = Uint32Array.from({ length: count + 1 }, (_, i) => 0xffffffff - i * 7);
    const numbers = Float64Array.from(words, (word) => word / 3);
    const [one, other] = [new StateBuffer(), new StateBuffer()];
    one.putWords(words, count);
    one.putNumbers(numbers, count);
    other.putArray(words, count);
    other.putArray(numbers, count);
    assert.equal(one.position, other.position);
    const bytes = ({ buffer, position }: StateBuffer): Uint8Array => new Uint8Array(buffer, 0, position);
    assert.deepEqual(bytes(one), bytes(other), `${count} elements`);
  }
});

test('only the first elements are put, and no more than there is room for is taken', () => {
  const buffer = new StateBuffer();
  buffer.putArray(Int32Array.of(1, 2, 3, 4), 3);
  buffer.rewind();
  const into = new Int32Array(5).fill(9);
  assert.equal(buffer.takeArray(into), 3);
  assert.deepEqual([...into], [1, 2, 3, 9, 9]);
  buffer.rewind();
  assert.throws(() => buffer.takeArray(new Int32Array(2)), RangeError);
});
