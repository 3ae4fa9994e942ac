/** The lists of recent clients, against a plain model of xt_recent. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { StateBuffer } from '../../src/layout/state-buffer.js';
import { RecentLists } from '../../src/tables/recent-lists.js';

/** One list: clients and when they were noted, the one noted longest ago first. */
class Model {
  readonly entries: [client: number, stamp: number][] = [];

  knows(client: number, since: number): boolean {
    const found = this.entries.find(([known]) => known === client);
    if (found === undefined) return false;
    if (this.entries[0]![1] < since) this.entries.shift();
    return found[1] >= since;
  }

  note(client: number, now: number): void {
    const at = this.entries.findIndex(([known]) => known === client);
    if (at >= 0) this.entries.splice(at, 1);
    else if (this.entries.length === 100) this.entries.shift();
    this.entries.push([client, now]);
  }
}

const SERVICE = [0x0a000001, (80 << 16) | 6] as const;
const LISTS = 5;
const open = (lists: RecentLists, i: number): number => lists.open(i & 1, ...SERVICE, 0xac1e0000 + i, 8080);

test('random notes and questions are answered as xt_recent does, across save and restore', () => {
  const step = fc.record({
    list: fc.nat(LISTS - 1),
    client: fc.nat(160),
    isNote: fc.boolean(),
    wait: fc.constantFrom(0, 0, 1, 1, 7),
    saves: fc.nat(60).map((n) => n === 0),
  });
  fc.assert(
    fc.property(fc.array(step, { minLength: 300, maxLength: 1500, size: 'max' }), (steps) => {
      let lists = new RecentLists();
      const models = Array.from({ length: LISTS }, () => new Model());
      let now = 0;
      for (const { list, client, isNote, wait, saves } of steps) {
        now += wait;
        const address = 0xc0000000 + client;
        if (isNote) {
          lists.note(open(lists, list), address | 0, now);
          models[list]!.note(address, now);
        } else {
          const since = now - 200;
          const found = lists.knows(open(lists, list), address | 0, since);
          assert.equal(found, models[list]!.knows(address, since));
        }
        if (!saves) continue;
        const state = new StateBuffer();
        lists.save(state);
        state.rewind();
        lists = new RecentLists();
        lists.restore(state);
      }
    }),
    { numRuns: 60, seed: 17 },
  );
});

test('lists that are kept stay as they are, under the node’s new number; others are forgotten', () => {
  const lists = new RecentLists();
  for (let i = 0; i < LISTS; i++)
    for (let client = 0; client < 120; client++) lists.note(open(lists, i), client, client);
  lists.retain(
    (_, ip, portProto, address, port) =>
      ip === SERVICE[0] && portProto === SERVICE[1] && port === 8080 && address < 0xac1e0003,
    (node) => (node === 1 ? 7 : -1),
  );
  assert.equal(lists.lists, 1);
  const kept = lists.find(7, ...SERVICE, 0xac1e0001, 8080);
  assert.ok(kept >= 0);
  assert.equal(lists.knows(kept, 19, 0), false, 'the first twenty had to go');
  assert.equal(lists.knows(kept, 20, 0), true);
  lists.note(kept, 500, 500);
  assert.equal(lists.knows(kept, 20, 0), false, 'it was the oldest still');
  assert.equal(lists.knows(kept, 21, 0), true);
});
