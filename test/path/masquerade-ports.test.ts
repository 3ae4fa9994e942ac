/** Source ports of masquerade: from which range, each once to one destination, and what happens when none is left. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { externalEpoch } from '../support/external.js';
import { Journey } from '../support/journey.js';

const epoch = externalEpoch();
const portOf = (bytes: Uint8Array): number => bytes[34]! * 256 + bytes[35]!;

/** Connections of `count` clients from one source port, to one endpoint. */
function connect(sport: number, count: number) {
  const journey = new Journey(epoch, { explain: false });
  return Array.from({ length: count }, (_, i) => {
    const client = `203.0.${i >> 8}.${i & 255}`;
    return journey.send('nic1', `${client}:${sport} > n1:30081 SYN`, 'router > nic1')[0]!;
  });
}

for (const [sport, first, last] of [
  [100, 1, 511],
  [700, 600, 1023],
  [1024, 1024, 65_535],
  [40_000, 1024, 65_535],
] as const)
  test(`from port ${sport} to one of ${first} to ${last}, no two alike`, () => {
    const ports = connect(sport, 60).map(({ verdict, bytes }) => {
      assert.equal(verdict, 'delivered');
      return portOf(bytes);
    });
    assert.equal(new Set(ports).size, ports.length);
    assert.ok(
      ports.every((port) => port >= first && port <= last),
      ports.join(),
    );
    assert.ok(ports.filter((port) => port === sport).length <= 1, 'random from the start');
  });

test('when the range is used up, what comes is dropped and says why', () => {
  const ends = connect(100, 530);
  const delivered = ends.filter(({ verdict }) => verdict === 'delivered');
  const ports = new Set(delivered.map(({ bytes }) => portOf(bytes)));
  assert.equal(ports.size, delivered.length);
  assert.ok(delivered.length <= 511 && delivered.length > 450, `${delivered.length} found a port`);
  const others = ends.filter(({ verdict }) => verdict !== 'delivered');
  assert.ok(others.every(({ verdict, reason }) => verdict === 'dropped' && reason === 'nat-ports-exhausted'));
});
