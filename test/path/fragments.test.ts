/** Datagrams in fragments: where they wait, become whole, are cut again, and how they end when they do not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endOf } from '../support/cases.js';
import { frameFaults } from '../support/checksum.js';
import { testEpoch } from '../support/cluster.js';
import { fragment, fragmentsOf, pieceOf, withSum } from '../support/fragments.js';
import { expectedFrame, hex } from '../support/frames.js';
import { frameOf, Journey, type Outcome } from '../support/journey.js';
import { macsOf, sentMacs } from '../support/macs.js';

const sent = (at: string, text: string): Uint8Array => frameOf(text, sentMacs(at, text));
const payload = (size: number): string => 'abcdefgh'.repeat(Math.ceil(size / 8)).slice(0, size);
/** 8 bytes of UDP header and 92 more. */
const UDP = sent('a', `a:40000 > b:9000 udp "${payload(92)}" id=7 fragment=0`);

const sendAll = (journey: Journey, at: string, frames: readonly Uint8Array[]): Outcome[][] =>
  frames.map((frame) => journey.sendBytes(at, frame));
const ends = (outcomes: readonly Outcome[]): string[] => outcomes.map(endOf);
/** What one stage saw of each packet, whatever its number. */
const seenAt = (journey: Journey, stage: string): Uint8Array[] =>
  journey.engine.explain(0).flatMap(({ hops }) =>
    hops
      .filter((hop) => hop.stage === stage)
      .slice(0, 1)
      .map((hop) => hop.bytes),
  );

test('a pod’s stack gets the datagram whole; each fragment has a row, and waits until then', () => {
  const journey = new Journey(testEpoch());
  const [first, second, third] = fragmentsOf(UDP, [40, 80]);
  assert.deepEqual(journey.sendBytes('a', first!), []);
  assert.deepEqual(journey.sendBytes('a', second!), []);
  assert.equal(journey.engine.ledger.pending, 2);
  const rows = journey.sendBytes('a', third!);
  assert.deepEqual(ends(rows), ['delivered pod:web/b', 'merged fragment-merged', 'merged fragment-merged']);
  assert.equal(hex(rows[0]!.bytes), hex(UDP));
  assert.deepEqual(
    rows.map((row) => row.packet),
    [2, 0, 1],
  );
  assert.deepEqual(
    rows.map((row) => row.parent),
    [-1, -1, -1],
  );
  assert.deepEqual(
    rows.slice(1).map((row) => hex(row.bytes)),
    [hex(first!), hex(second!)],
  );
  assert.equal(journey.engine.ledger.pending, 0);
});

test('through the tunnel each fragment goes by itself, as it came, on one outer source port', () => {
  const journey = new Journey(testEpoch());
  const pieces = fragmentsOf(UDP, [16, 64, 72]);
  sendAll(journey, 'a', pieces);
  const wire = seenAt(journey, 'nic-output');
  assert.deepEqual(
    wire.map((frame) => hex(frame.subarray(50))),
    pieces.map(hex),
  );
  assert.equal(new Set(wire.map((frame) => hex(frame.subarray(34, 36)))).size, 1);
  const [whole] = new Journey(testEpoch()).sendBytes('a', UDP);
  const plain = whole!.trace!.hops.find((hop) => hop.stage === 'nic-output')!.bytes;
  assert.equal(hex(wire[0]!.subarray(34, 36)), hex(plain.subarray(34, 36)), 'as the whole datagram has');
});

test('any order will do, and the path is that of the whole', () => {
  for (const order of [
    [2, 1, 0],
    [1, 2, 0],
    [0, 2, 1],
  ]) {
    const journey = new Journey(testEpoch());
    const pieces = fragmentsOf(UDP, [40, 80]);
    const rows = sendAll(
      journey,
      'a',
      order.map((i) => pieces[i]!),
    ).at(-1)!;
    assert.equal(hex(rows[0]!.bytes), hex(UDP), String(order));
    assert.deepEqual(
      seenAt(journey, 'nic-output').map((frame) => pieceOf(frame.subarray(50))),
      ['0-40+', '40-80+', '80-100'],
    );
  }
});

test('a Service: translated as a whole, TTL less one, cut to the same pieces again', () => {
  const text = `a:40000 > near:90 udp "${payload(92)}" id=9 fragment=0`;
  const journey = new Journey(testEpoch());
  const rows = sendAll(journey, 'a', fragmentsOf(sent('a', text), [40, 80])).at(-1)!;
  const frame = `tun1 > c | a:40000 > c:9000 udp "${payload(92)}" ttl=63 id=9 fragment=0`;
  assert.equal(endOf(rows[0]!), 'delivered pod:web/c');
  assert.equal(hex(rows[0]!.bytes), hex(expectedFrame(frame, rows[0]!.bytes)));
  assert.deepEqual(seenAt(journey, 'tun0-output').map(pieceOf), ['0-40+', '40-80+', '80-100']);
  for (const piece of seenAt(journey, 'tun0-output'))
    assert.equal(hex(piece), hex(withSum(Uint8Array.from(piece))), 'the header’s checksum is right');
});

test('a reply in fragments is translated back', () => {
  const journey = new Journey(testEpoch());
  journey.send('a', 'a:40000 > far:90 udp "?"');
  const reply = sent('b', `b:9000 > a:40000 udp "${payload(92)}" fragment=0`);
  const rows = sendAll(journey, 'b', fragmentsOf(reply, [48])).at(-1)!;
  assert.equal(endOf(rows[0]!), 'delivered pod:web/a');
  assert.match(rows[0]!.text, /^far:90 > a:40000 udp/);
  assert.deepEqual(frameFaults(rows[0]!.bytes), []);
});

test('longer than tun0’s MTU without DF: the host cuts, to multiples of 8; the copies are counted', () => {
  const journey = new Journey(testEpoch());
  const rows = journey.send('a', `a:40000 > far:90 udp "${payload(2000)}" id=3 fragment=0`);
  assert.deepEqual(seenAt(journey, 'tun0-output').map(pieceOf), ['0-1424+', '1424-2008']);
  assert.deepEqual(ends(rows), ['delivered pod:web/b', 'merged fragment-merged']);
  assert.deepEqual(
    rows.map((row) => row.parent),
    [0, -1],
    'the last piece is a copy of the packet',
  );
  assert.equal(journey.engine.ledger.copies, 1);
  assert.deepEqual(frameFaults(rows[0]!.bytes), []);
});

test('DF: the longest fragment decides whether the host may cut', () => {
  const from = (cuts: readonly number[]): string[] => {
    const text = `out:40000 > c:9000 udp "${payload(2992)}" id=3`;
    const frames = fragmentsOf(frameOf(text, macsOf('router > nic1')), cuts);
    return ends(sendAll(new Journey(testEpoch()), 'nic1', frames).at(-1)!.slice(0, 1));
  };
  assert.deepEqual(from([1480]), ['rejected fragmentation-needed']);
  assert.deepEqual(from([1400, 2800]), ['delivered pod:web/c']);
});

test('DF of what keeps its shape is lost in br0, so the host behind it cuts', () => {
  const long = sent('a', `a:40000 > far:90 udp "${payload(2992)}" id=3`);
  const journey = new Journey(testEpoch());
  const rows = sendAll(journey, 'a', fragmentsOf(long, [1480])).at(-1)!;
  assert.deepEqual(seenAt(journey, 'tun0-input').map(pieceOf), ['0-1480+', '1480-3000']);
  assert.deepEqual(seenAt(journey, 'tun0-output').map(pieceOf), ['0-1424+', '1424-2848+', '2848-3000']);
  assert.equal(endOf(rows[0]!), 'delivered pod:web/b');
});

test('a tunnel’s packet may come in fragments', () => {
  const frame = withSum(
    frameOf(`vxlan n1 > n2 vni 1001 | a:40000 > b:9000 udp "${payload(92)}" id=7 fragment=0`),
  );
  const rows = sendAll(new Journey(testEpoch()), 'nic2', fragmentsOf(frame, [64])).at(-1)!;
  assert.deepEqual(ends(rows), ['delivered pod:web/b', 'merged fragment-merged']);
  assert.equal(hex(rows[0]!.bytes.subarray(14)), hex(UDP.subarray(14)));
});

test('congestion that one fragment met is the datagram’s', () => {
  const ect = (ecn: number) => (bytes: Uint8Array, i: number) => {
    bytes[15] = i === 1 ? ecn : 2;
  };
  const [, ce] = sendAll(new Journey(testEpoch()), 'a', fragmentsOf(UDP, [40], ect(3)));
  assert.deepEqual([endOf(ce![0]!), ce![0]!.bytes[15]], ['delivered pod:web/b', 3]);
  const [, mixed] = sendAll(new Journey(testEpoch()), 'a', fragmentsOf(UDP, [40], ect(0)));
  assert.deepEqual(ends(mixed!), ['dropped fragment-ecn', 'dropped fragment-ecn']);
});

for (const { why, frames, last } of [
  {
    why: 'the same bytes again are ignored, the rest waits on',
    frames: [fragment(UDP, 0, 40), fragment(UDP, 0, 40)],
    last: ['dropped fragment-duplicate'],
  },
  {
    why: 'within a run that grew fragment by fragment, too',
    frames: [fragment(UDP, 0, 40), fragment(UDP, 40, 80), fragment(UDP, 24, 56)],
    last: ['dropped fragment-duplicate'],
  },
  {
    why: 'across two that came apart it is an overlap, which ends the datagram',
    frames: [fragment(UDP, 40, 80), fragment(UDP, 0, 40), fragment(UDP, 24, 56)],
    last: ['dropped fragment-overlap', 'dropped fragment-overlap', 'dropped fragment-overlap'],
  },
  {
    why: 'a partial overlap',
    frames: [fragment(UDP, 0, 40), fragment(UDP, 32, 80)],
    last: ['dropped fragment-overlap', 'dropped fragment-overlap'],
  },
  {
    why: 'beyond the end',
    frames: [fragment(UDP, 80, 100), fragment(UDP, 96, 100, (bytes) => bytes.set([0x20, 13], 20))],
    last: ['dropped fragment-malformed', 'dropped fragment-malformed'],
  },
  {
    why: 'no payload',
    frames: [fragment(UDP, 40, 40)],
    last: ['dropped fragment-malformed'],
  },
])
  test(why, () => {
    assert.deepEqual(ends(sendAll(new Journey(testEpoch()), 'a', frames).at(-1)!), last);
  });

test('longer than any datagram', () => {
  const frame = new Uint8Array(34 + 65_600);
  frame.set(UDP);
  const rows = sendAll(
    new Journey(testEpoch()),
    'a',
    fragmentsOf(
      frame,
      Array.from({ length: 46 }, (_, i) => (i + 1) * 1424),
    ),
  ).at(-1)!;
  assert.deepEqual(new Set(ends(rows)), new Set(['dropped fragment-too-long']));
  assert.equal(rows.length, 47);
});

test('30 seconds: br0 drops in silence what was for somebody else', () => {
  const journey = new Journey(testEpoch());
  sendAll(journey, 'a', [fragment(UDP, 0, 40), fragment(UDP, 40, 80)]);
  assert.deepEqual(journey.wait(29.9), []);
  const rows = journey.wait(0.2);
  assert.deepEqual(ends(rows), ['dropped fragment-timeout', 'dropped fragment-timeout']);
  assert.deepEqual(
    rows.map((row) => row.tsNs),
    [30e9, 30e9],
  );
});

test('the node says so about its own, when the first fragment came', () => {
  const text = `a:40000 > g1:9000 udp "${payload(32)}" id=5 fragment=0`;
  const frame = sent('a', text);
  const journey = new Journey(testEpoch());
  sendAll(journey, 'a', [fragment(frame, 24, 40), fragment(frame, 0, 16)]);
  const rows = journey.wait(31);
  assert.deepEqual(ends(rows), [
    'rejected fragment-timeout',
    'delivered pod:web/a',
    'dropped fragment-timeout',
  ]);
  const [, notice] = rows;
  assert.deepEqual([...notice!.bytes.subarray(34, 36)], [11, 1]);
  assert.match(notice!.text, /^g1 > a/);
  const later = new Journey(testEpoch());
  later.sendBytes('a', fragment(frame, 24, 40));
  assert.deepEqual(ends(later.wait(31)), ['dropped fragment-timeout']);
});

test('more than 64 other fragments of the sender in between: another datagram of that number', () => {
  const journey = new Journey(testEpoch());
  journey.sendBytes('a', fragment(UDP, 0, 40));
  for (let id = 100; id < 164; id++)
    journey.sendBytes(
      'a',
      fragment(sent('a', `a:1 > b:9000 udp "${payload(20)}" id=${id} fragment=0`), 0, 8),
    );
  assert.deepEqual(ends(journey.sendBytes('a', fragment(UDP, 40, 100))), ['dropped fragment-too-far']);
  assert.deepEqual(ends(journey.sendBytes('a', fragment(UDP, 0, 40))).slice(0, 1), ['delivered pod:web/b']);
});
