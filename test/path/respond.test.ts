/** Pods that answer (`respond`): SYN-ACK, echo, UDP and DNS, each walking back over the whole path. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createArena } from '../../src/packet/batch.js';
import { buildTcp } from '../../src/packet/build.js';
import { cases, endOf } from '../support/cases.js';
import { frameFaults } from '../support/checksum.js';
import { address, testEpoch } from '../support/cluster.js';
import { hex } from '../support/frames.js';
import { Journey } from '../support/journey.js';

const respond = { respond: true };

cases(
  'servers answer',
  testEpoch(),
  [
    {
      why: 'UDP comes back as it went',
      at: 'a',
      in: 'a:40000 > far:90 udp "hello"',
      ends: 'delivered b',
      causes: [{ ends: 'delivered a', frame: 'b > a | far:90 > a:40000 udp "hello"' }],
    },
    {
      why: 'echo with its data',
      at: 'a',
      in: 'a:77 > c ping "abcdefgh"',
      ends: 'answered c echo-answered',
      causes: [{ ends: 'delivered a', frame: 'c > a | c:77 > a pong "abcdefgh" fragment=0 id=*' }],
    },
    {
      why: 'echo to another node’s pod',
      at: 'a',
      in: 'a:77 > b ping',
      ends: 'answered b echo-answered',
      causes: [{ ends: 'delivered a', frame: 'b > a | b:77 > a pong fragment=0 id=*' }],
    },
    {
      why: 'the gateway answers',
      at: 'a',
      in: 'a:78 > g1 ping "x"',
      ends: 'answered tun1 echo-answered',
      causes: [
        {
          ends: 'delivered a',
          frame: 'tun1 > a | g1:78 > a pong "x" fragment=0 id=*',
          path: 'node1: host tun0 br0[0 30 31 70 80] eth0',
        },
      ],
    },
    {
      why: 'the node’s own address answers',
      at: 'a',
      in: 'a:79 > n1 ping',
      ends: 'answered tun1 echo-answered',
      causes: [{ ends: 'delivered a', frame: 'tun1 > a | n1:79 > a pong fragment=0 id=*' }],
    },
    {
      why: 'the other node answers the masqueraded request, and the answer finds the pod',
      at: 'a',
      in: 'a:80 > n2 ping',
      ends: 'answered nic2 echo-answered',
      causes: [
        {
          ends: 'delivered a',
          frame: 'tun1 > a | n2:80 > a pong fragment=0 id=* ttl=63',
          path: 'node2: host eth0 | node1: eth0 netfilter tun0 br0[0 30 31 70 80] eth0',
        },
      ],
    },
    {
      why: 'nobody answers an answer',
      at: 'c',
      in: 'c:77 > a pong',
      ends: 'delivered a',
    },
    {
      why: 'hairpin, all the way',
      at: 'a',
      in: 'a:40001 > own:90 udp "q"',
      ends: 'delivered a',
      causes: [{ ends: 'delivered a', frame: 'tun1 > a | own:90 > a:40001 udp "q" ttl=63' }],
    },
  ],
  respond,
);

for (const [target, mac, from, port] of [
  ['c:8080', 'c', 'c', 8080],
  ['near:80', 'c', 'near', 80],
  ['far:80', 'b', 'far', 80],
] as const)
  test(`a SYN to ${target} is answered with SYN-ACK: MSS 1410, acknowledging the SYN`, () => {
    const journey = new Journey(testEpoch(), respond);
    const [request, reply, ...more] = journey.send('a', `a:40000 > ${target} SYN seq=99`);
    assert.equal(request!.verdict, 'delivered');
    assert.equal(endOf(reply!), 'delivered pod:web/a');
    assert.deepEqual(more, []);
    const seq = new DataView(reply!.bytes.buffer).getUint32(38);
    const arena = createArena(256);
    const { offset, length } = buildTcp(arena, {
      dstMacHi: 0x0a58,
      dstMacLo: address('a'),
      srcMacHi: 0x0a58,
      srcMacLo: address(mac),
      src: address(from),
      dst: address('a'),
      sport: port,
      dport: 40_000,
      flags: 0x12,
      seq,
      ack: 100,
      options: Uint8Array.of(2, 4, 1410 >> 8, 1410 & 255),
    });
    assert.equal(hex(reply!.bytes), hex(arena.bytes.subarray(offset, offset + length)));
    assert.deepEqual(frameFaults(reply!.bytes), []);
  });

test('the hairpin’s SYN-ACK is translated at both ends', () => {
  const [, reply] = new Journey(testEpoch(), respond).send('a', 'a:40000 > own:80 SYN');
  assert.equal(reply!.text, 'own:80 > a:40000 SYNACK');
  assert.equal(reply!.exit, 'pod:web/a');
});

test('the DNS pod of the node answers a query for a Service, through the Service', () => {
  const name = '\\x03far\\x03web\\x03svc\\x07cluster\\x05local\\x00';
  const question = name.replaceAll(/\\x(..)/g, (_, code: string) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  );
  const query = `\u0012\u0034\u0001\u0000\u0000\u0001\u0000\u0000\u0000\u0000\u0000\u0000${question}\u0000\u0001\u0000\u0001`;
  const journey = new Journey(testEpoch(), respond);
  const [asked, answer] = journey.send('a', `a:40000 > dns:53 udp "${query}"`);
  assert.equal(endOf(asked!), 'delivered pod:openshift-dns/d');
  assert.equal(endOf(answer!), 'delivered pod:web/a');
  assert.equal(answer!.text, 'dns:53 > a:40000 udp');
  const dns = answer!.bytes.subarray(42);
  const u16 = (at: number): number => dns[at]! * 256 + dns[at + 1]!;
  assert.deepEqual([u16(0), u16(2) & 0x800f, u16(4), u16(6)], [0x1234, 0x8000, 1, 1]);
  assert.deepEqual([...dns.slice(-4)], [172, 30, 10, 21]);
});
