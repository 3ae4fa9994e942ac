/** One word of one row of the path cache is corrupted: what comes out must show it, or the row is refused and made anew. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PATH, PATH_FLAG } from '../../src/kernels/path-columns.js';
import { PathCache } from '../../src/tables/paths.js';
import { needsNative } from '../support/native.js';
import { run } from './cache-run.js';
import { type Sent, traffic } from './cache-trace.js';

const BACKENDS =
  needsNative().skip === false ? (['typescript', 'native'] as const) : (['typescript'] as const);

/** Words of a row that shape what comes out, and words that only guard it. */
const RED = {
  'forwards and flags': PATH.SHAPE,
  outcome: PATH.OUTCOME,
  exit: PATH.EXIT,
  service: PATH.SERVICE,
  endpoint: PATH.ENDPOINT,
  'source address': PATH.SRC,
  'destination address': PATH.DST,
  ports: PATH.PORTS,
  'checksum differences': PATH.DELTAS,
  'destination MAC': PATH.MACS,
  'both MACs': PATH.MACS + 1,
  'source MAC': PATH.MACS + 2,
} as const;
const GUARDS = {
  port: PATH.PORT,
  'MAC asked for, its first bytes': PATH.ASK_MAC,
  'MAC asked for, its last bytes': PATH.ASK_MAC + 1,
  MTU: PATH.MTU,
  'connection met': PATH.TOUCH,
  'its number': PATH.BORN,
} as const;

/** The last engine's path cache: nobody else shows it. */
let cache: PathCache;
const claim = PathCache.prototype.claim;
PathCache.prototype.claim = function (this: PathCache, ...args: Parameters<typeof claim>) {
  cache = this;
  return claim.apply(this, args);
};

const ALL = PATH_FLAG.NAT | PATH_FLAG.MAC | PATH_FLAG.CHECKS_IP;

/** The rows that name a translation and a forwarding, since only these have a use for every word. */
const translated = (): number[] =>
  Array.from({ length: cache.count }, (_, row) => row).filter(
    (row) => ((cache.rows[row * PATH.ROW + PATH.SHAPE]! >>> 16) & ALL) === ALL,
  );

const TRACE: readonly Sent[] = traffic({ profile: 'small', packets: 400, flows: 8, seed: 11 });
const HALF = 256;

/** Send the trace; in its middle, change word `word` of a row. Returns what came out, and the word before and after. */
function send(backend: 'typescript' | 'native', word: number, corrupt: (value: number) => number) {
  let at = -1;
  let before = 0;
  const middle = (): void => {
    const row = translated()[0];
    assert.ok(row !== undefined, 'a connection to a Service is known');
    at = row * PATH.ROW + word;
    before = cache.rows[at]!;
    cache.rows[at] = corrupt(before);
  };
  const { rows } = run(TRACE, { backend, batch: 64, before: new Map([[HALF, middle]]) });
  return { rows, before, after: cache.rows[at]! };
}

const same = (value: number): number => value;

for (const backend of BACKENDS) {
  const reference = run(TRACE, { backend: 'typescript', cache: false, batch: 64 }).rows;

  test(`${backend}: untouched, the row gives what the long way gives`, () => {
    assert.deepEqual(send(backend, PATH.EXIT, same).rows, reference);
  });

  for (const [name, word] of Object.entries(RED))
    test(`${backend}: a wrong ${name} is seen`, () => {
      // The bit of SHAPE at which a host forwards once more; of the others any bit that is looked at.
      const bit = word === PATH.SHAPE ? 0x100 : 1;
      const { rows } = send(backend, word, (value) => value ^ bit);
      assert.notDeepEqual(rows, reference);
      assert.equal(rows.length, reference.length);
    });

  for (const [name, word] of Object.entries(GUARDS))
    test(`${backend}: a row whose ${name} is wrong is refused and made anew`, () => {
      const bit = word === PATH.TOUCH ? 2 : 1;
      const { rows, before, after } = send(backend, word, (value) => (word === PATH.MTU ? 20 : value ^ bit));
      assert.deepEqual(rows, reference);
      assert.equal(after, before);
    });
}
