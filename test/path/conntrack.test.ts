/** Conntrack by packet time: how long each state lasts, and what begins, ends or belongs to no connection. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cases, endOf } from '../support/cases.js';
import { testEpoch } from '../support/cluster.js';
import { Journey } from '../support/journey.js';

const epoch = testEpoch();

// Straight from pod to pod of one node: each packet meets conntrack once, in br0. On its way to a Service it would meet
// it twice, in br0 and in the host, which takes a FIN for two.
const SYN = ['a', 'a:40000 > c:8080 SYN seq=100'] as const;
const SYNACK = ['c', 'c:8080 > a:40000 SYNACK seq=500 ack=101'] as const;
const ACK = ['a', 'a:40000 > c:8080 ACK seq=101 ack=501'] as const;
const ACKED = ['c', 'c:8080 > a:40000 ACK seq=501 ack=101'] as const;
const FIN = ['a', 'a:40000 > c:8080 FIN seq=101 ack=501'] as const;
const FIN_ACKED = ['c', 'c:8080 > a:40000 ACK seq=501 ack=102'] as const;
const AFTER_FIN = ['a', 'a:40000 > c:8080 ACK seq=102 ack=501'] as const;
const FIN_BACK = ['c', 'c:8080 > a:40000 FIN seq=501 ack=102'] as const;
const LAST_ACK = ['a', 'a:40000 > c:8080 ACK seq=102 ack=502'] as const;
const RST = ['a', 'a:40000 > c:8080 RST seq=101'] as const;
const ASK = ['a', 'a:40000 > near:90 udp "q"'] as const;
const TELL = ['c', 'c:9000 > a:40000 udp "r"'] as const;

type Sent = readonly [at: string, text: string];

/** Send all, each arriving, `pause` seconds apart. */
function run(journey: Journey, packets: readonly Sent[], pause = 0): void {
  packets.forEach(([at, text], i) => {
    if (i > 0) journey.wait(pause);
    const [end] = journey.send(at, text);
    assert.equal(end!.verdict, 'delivered', `${text}: ${end!.reason}`);
  });
}

for (const [state, packets, seconds, probe] of [
  ['SYN_SENT', [SYN], 120, ACK],
  ['SYN_RECV', [SYN, SYNACK], 60, ACK],
  ['ESTABLISHED', [SYN, SYNACK, ACK], 86_400, ACK],
  ['FIN_WAIT', [SYN, SYNACK, ACK, FIN], 120, AFTER_FIN],
  ['CLOSE_WAIT', [SYN, SYNACK, ACK, FIN, FIN_ACKED], 3600, AFTER_FIN],
  ['LAST_ACK', [SYN, SYNACK, ACK, FIN, FIN_ACKED, FIN_BACK], 30, LAST_ACK],
  ['TIME_WAIT', [SYN, SYNACK, ACK, FIN, FIN_ACKED, FIN_BACK, LAST_ACK], 120, LAST_ACK],
  ['CLOSE', [SYN, SYNACK, ACK, RST], 10, ACK],
  ['a connection picked up in the middle', [ACK], 300, ACK],
  ['one that has just been answered', [ACK, ACKED], 300, ACK],
  ['one that goes on after the answer', [ACK, ACKED, ACK], 86_400, ACK],
  ['UDP without a reply', [ASK], 30, ASK],
  ['UDP with a reply, younger than 2 s', [ASK, TELL], 30, ASK],
] as readonly (readonly [string, readonly Sent[], number, Sent])[])
  test(`${state} lasts ${seconds} s after its last packet`, () => {
    for (const [wait, created] of [
      [seconds - 1, 1],
      [seconds, 2],
    ] as const) {
      const journey = new Journey(epoch);
      run(journey, packets);
      journey.wait(wait);
      journey.send(...probe);
      assert.equal(journey.engine.connections, created, `after ${wait} s`);
    }
  });

test('UDP with replies, older than 2 s, is a stream and lasts 120 s', () => {
  for (const [wait, created] of [
    [119, 1],
    [120, 2],
  ] as const) {
    const journey = new Journey(epoch);
    run(journey, [ASK, TELL, ASK], 2.5);
    journey.wait(wait);
    run(journey, [ASK]);
    assert.equal(journey.engine.connections, created, `after ${wait} s`);
  }
});

test('a connection keeps its endpoint; after it expired the Service chooses anew', () => {
  // Upstream platform: OpenShift keeps DNS on the node, and the choice would be none.
  const journey = new Journey(testEpoch({ platform: 'kubernetes' }));
  const seen = new Set<string>();
  for (let round = 0; round < 24; round++) {
    const [first] = journey.send('a', 'a:40000 > dns:53 udp "q"');
    journey.wait(29);
    const [second] = journey.send('a', 'a:40000 > dns:53 udp "q"');
    assert.equal(second!.endpoint, first!.endpoint, 'within 30 s the connection lives');
    seen.add(first!.endpoint);
    journey.wait(31);
  }
  assert.deepEqual([...seen].sort(), ['pod:openshift-dns/d', 'pod:openshift-dns/e']);
});

test('a TCP connection that conntrack forgot is picked up by its next ACK, and given an endpoint again', () => {
  const journey = new Journey(epoch);
  const again = 'a:40000 > near:80 ACK seq=101 ack=501';
  run(journey, [['a', 'a:40000 > near:80 SYN seq=100']]);
  run(journey, [SYNACK, ['a', again]]);
  journey.wait(86_401);
  const [end] = journey.send('a', again);
  assert.equal(end!.text, 'a:40000 > c:8080 ACK');
  assert.equal(journey.engine.connections, 2);
});

test('a SYN after TIME_WAIT begins a new connection with the same ports', () => {
  const journey = new Journey(epoch);
  run(journey, [SYN, SYNACK, ACK, FIN, FIN_ACKED, FIN_BACK, LAST_ACK]);
  run(journey, [['a', 'a:40000 > c:8080 SYN seq=90000']]);
  assert.equal(journey.engine.connections, 2);
});

test('a SYN into an established connection changes nothing', () => {
  const journey = new Journey(epoch);
  run(journey, [SYN, SYNACK, ACK, SYN, ACK]);
  assert.equal(journey.engine.connections, 1);
  journey.wait(86_000);
  run(journey, [ACK]);
  assert.equal(journey.engine.connections, 1, 'the state is still ESTABLISHED');
});

test('a reset that answers the SYN ends the connection at once', () => {
  const journey = new Journey(epoch);
  const [request, reset] = journey.send('a', 'a:40000 > far:91 SYN');
  assert.equal(endOf(request!), 'answered pod:web/b tcp-reset');
  assert.equal(endOf(reset!), 'delivered pod:web/a');
  const before = journey.engine.connections;
  journey.send('a', 'a:40000 > far:91 SYN');
  assert.ok(journey.engine.connections > before, 'the next SYN begins another');
});

const STRAY = 'dropped conntrack-invalid';
cases('what begins no connection is INVALID, and the host forwards none of it', epoch, [
  { why: 'a FIN', at: 'a', in: 'a:41000 > near:80 FIN', ends: STRAY },
  { why: 'a reset', at: 'a', in: 'a:41001 > near:80 RST', ends: STRAY },
  { why: 'a SYN-ACK', at: 'a', in: 'a:41002 > near:80 SYNACK', ends: STRAY },
  { why: 'an echo reply', at: 'a', in: 'a:9 > near pong', ends: STRAY },
  {
    why: 'between pods br0 lets an INVALID segment pass',
    at: 'a',
    in: 'a:41003 > c:8080 FIN',
    ends: 'delivered c',
  },
]);

/** A whole handshake, after which the connection is assured. */
const handshake = (port: number): readonly Sent[] => [
  ['a', `a:${port} > c:8080 SYN seq=100`],
  ['c', `c:8080 > a:${port} SYNACK seq=500 ack=101`],
  ['a', `a:${port} > c:8080 ACK seq=101 ack=501`],
];
const FULL = 64;

test('a table full of assured connections drops what would begin another one, and says so', () => {
  const journey = new Journey(epoch, { connectionsMax: FULL });
  for (let port = 1; port <= FULL; port++) run(journey, handshake(port));
  const [refused] = journey.send('a', 'a:5000 > c:8080 SYN');
  assert.equal(endOf(refused!), 'dropped conntrack-full');
  const [known] = journey.send('a', 'a:40 > c:8080 ACK seq=101 ack=501');
  assert.equal(known!.verdict, 'delivered', 'known ones go on');
  journey.wait(86_401);
  const [later] = journey.send('a', 'a:5000 > c:8080 SYN');
  assert.equal(later!.verdict, 'delivered', 'what has expired makes room');
});

test('a flood that is never answered takes no row from an assured connection, and goes on by its own', () => {
  const journey = new Journey(epoch, { connectionsMax: FULL });
  for (let port = 1; port <= 8; port++) run(journey, handshake(port));
  let refused = 0;
  for (let port = 10_000; port < 10_400; port++)
    if (endOf(journey.send('a', `a:${port} > c:8080 SYN`)[0]!) !== 'delivered pod:web/c') refused++;
  assert.ok(refused < 40, `${refused} of 400 find nothing near that may go`);
  assert.ok(journey.engine.connections > 8 + 350);
  for (let port = 1; port <= 8; port++)
    assert.equal(
      endOf(journey.send('c', `c:8080 > a:${port} ACK seq=501 ack=101`)[0]!),
      'delivered pod:web/a',
    );
  assert.equal(journey.engine.connections, 8 + 400 - refused, 'the eight are those of before');
});
