/** The table of recent keys: finds the newest of what it still has, forgets the oldest, never grows. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RecentTable } from '../../src/replay/recent-table.js';

test('finds what a list of the last N keys would find', () => {
  const keys = fc.array(fc.tuple(fc.nat(3), fc.integer({ min: -2, max: 2 })), { maxLength: 60 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9 }), keys, (capacity, steps) => {
      const table = new RecentTable(capacity);
      const oracle: { readonly key: string; readonly row: number }[] = [];
      for (const [a, b] of steps) {
        const row = table.add(a, b, -1, 0xffffffff);
        oracle.push({ key: `${a},${b}`, row });
        if (oracle.length > capacity) oracle.shift();
        for (let x = 0; x <= 3; x++)
          for (let y = -2; y <= 2; y++) {
            const expected = oracle.findLast(({ key }) => key === `${x},${y}`)?.row ?? -1;
            assert.equal(table.find(x, y, 0xffffffff, -1), expected);
          }
      }
    }),
  );
});

test('a row is aged once half of the others came after it', () => {
  const table = new RecentTable(4);
  const row = table.add(1, 2, 3, 4);
  const ages = [5, 6, 7].map((key) => {
    table.add(key, 0, 0, 0);
    return table.isAged(row);
  });
  assert.deepEqual(ages, [false, false, true]);
});
