/** Slots of a live table set: after any entries came and went, each that is there is found from its own slot on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { removeSlot } from '../../src/compile/live-slots.js';

const CAPACITY = 16;

test('entries that collide come and go', () => {
  // Keys of few hashes, so that runs are long and go round the end.
  const keys = fc.array(fc.nat(11), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(keys, (list) => {
      const slots = new Array<number>(CAPACITY).fill(0);
      const home = (key: number): number => 13 + (key >> 2);
      const find = (key: number): number => {
        let slot = home(key) % CAPACITY;
        while (slots[slot] !== 0 && slots[slot] !== key + 1) slot = (slot + 1) % CAPACITY;
        return slot;
      };
      const there = new Set<number>();
      for (const key of list) {
        const slot = find(key);
        assert.equal(slots[slot] !== 0, there.has(key), `${key} is found when it is there`);
        if (there.delete(key))
          removeSlot(
            {
              capacity: CAPACITY,
              isEmpty: (at) => slots[at] === 0,
              hashOf: (at) => home(slots[at]! - 1),
              move: (from, to) => {
                slots[to] = slots[from]!;
              },
              clear: (at) => {
                slots[at] = 0;
              },
            },
            slot,
          );
        else if (there.size < CAPACITY / 2) {
          slots[slot] = key + 1;
          there.add(key);
        }
        for (const one of there) assert.equal(slots[find(one)], one + 1, `${one} is found`);
        assert.equal(slots.filter((one) => one !== 0).length, there.size);
      }
    }),
    { numRuns: 300, seed: 20260419 },
  );
});
