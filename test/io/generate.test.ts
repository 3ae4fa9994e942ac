/** Generated traffic is what real pods could have sent: whole, in order, and the same for the same seed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatIpv4 } from '../../src/addr/ipv4.js';
import { TRAFFIC_PROFILES, type TrafficProfileName } from '../../src/io/generate-profiles.js';
import type { TrafficTopology } from '../../src/io/generate-topology.js';
import { InputError } from '../../src/verdict/input-error.js';
import { PROTOCOL } from '../../src/wire/ipv4.js';
import { TCP_FLAG } from '../../src/wire/tcp.js';
import { decodeJudged } from '../wire/dns-packet.js';
import {
  CLIENT,
  DNS,
  DNS_FAR,
  DNS_NEAR,
  FAR,
  faultOf,
  GONE,
  macOf,
  NEAR,
  type SentFrame,
  TOPOLOGY,
  traffic,
  VIP,
} from './traffic.js';

const PROFILES = Object.keys(TRAFFIC_PROFILES) as TrafficProfileName[];
const isFromClient = ({ ip }: SentFrame): boolean =>
  ip!.sport! >= 1_024 && ip!.dport! !== ip!.sport! && ip!.sport! > ip!.dport!;

for (const profile of PROFILES) {
  test(`${profile}: every frame has right lengths and checksums, its pod's addresses and the next hop's MAC`, () => {
    for (const frame of traffic({ profile })) {
      const sender = TOPOLOGY.pods[frame.pod]!;
      assert.equal(faultOf(frame), '');
      assert.equal(frame.ip!.src, sender.address);
      assert.equal(frame.srcMacLo, sender.address);
      assert.equal(frame.ip!.ttl, 64);
      assert.deepEqual([frame.dstMacHi, frame.dstMacLo], macOf(sender, frame.ip!.dst));
      assert.ok(frame.length <= 1_450 + 14);
    }
  });

  test(`${profile}: the same seed gives the same packets whatever the bursts, another seed gives others`, () => {
    const bytes = (frames: SentFrame[]) => frames.map(({ pod, tsNs, bytes: b }) => [pod, tsNs, ...b].join());
    const first = bytes(traffic({ profile, packets: 500 }));
    assert.deepEqual(bytes(traffic({ profile, packets: 500 }, { burst: 1 })), first);
    assert.notDeepEqual(bytes(traffic({ profile, packets: 500, seed: 2 })), first);
  });

  test(`${profile}: as many packets as asked for, in the order of time`, () => {
    for (const packets of [0, 1, 777]) {
      const times = traffic({ profile, packets }).map(({ tsNs }) => tsNs);
      assert.equal(times.length, packets);
      assert.deepEqual(
        times,
        times.toSorted((a, b) => a - b),
      );
      assert.ok(times.every(Number.isInteger));
    }
  });
}

test('a connection is answered by one pod from its first answer to its last, and never by the client itself', () => {
  const servers = new Map<string, number>();
  const answered = new Set<number>();
  for (const frame of traffic({ profile: 'web', packets: 20_000 })) {
    if (frame.ip!.protocol !== PROTOCOL.TCP) continue;
    const { src, dst, sport, dport, tcp } = frame.ip!;
    if (isFromClient(frame)) {
      if (tcp!.flags === TCP_FLAG.SYN) servers.set(`${src}:${sport}`, -1);
      continue;
    }
    const key = `${dst}:${dport}`;
    const server = servers.get(key);
    assert.ok(server === -1 || server === frame.pod, `${key}: ${server}, then ${frame.pod}`);
    assert.notEqual(src, dst);
    servers.set(key, frame.pod);
    answered.add(frame.pod);
  }
  assert.deepEqual([...answered].toSorted(), [NEAR, FAR]);
});

/** One direction's next sequence number and what it has acknowledged. */
interface End {
  next: number;
  acked: number;
}

test('web: each connection opens, acknowledges only what was sent, and closes after the last answer', () => {
  const connections = new Map<string, { client: End; server: End; flags: string[] }>();
  let closed = 0;
  for (const frame of traffic({ profile: 'web', packets: 20_000, zipf: 1.2 })) {
    const { ip } = frame;
    if (ip!.protocol !== PROTOCOL.TCP || ip!.dst === GONE) continue;
    const fromClient = isFromClient(frame);
    const { flags, seq, ack } = ip!.tcp!;
    // Two connections of a client with one port differ in their server, which only the answers name.
    const key = fromClient ? `${ip!.src}:${ip!.sport}` : `${ip!.dst}:${ip!.dport}`;
    if (flags === TCP_FLAG.SYN) {
      connections.set(key, { client: { next: seq, acked: 0 }, server: { next: 0, acked: 0 }, flags: [] });
    }
    const connection = connections.get(key)!;
    const [own, peer] = fromClient
      ? [connection.client, connection.server]
      : [connection.server, connection.client];
    const isSynAck = flags === (TCP_FLAG.SYN | TCP_FLAG.ACK);
    if (isSynAck) own.next = seq;
    assert.equal(seq, own.next, `${key} leaves a gap`);
    if ((flags & TCP_FLAG.ACK) !== 0) {
      assert.ok(((peer.next - ack) | 0) >= 0, `${key} acknowledges what was not sent`);
      assert.ok(own.acked === 0 || ((ack - own.acked) | 0) >= 0, `${key} takes an acknowledgement back`);
      own.acked = ack;
    }
    const header = (frame.bytes[34 + 12]! >>> 4) * 4;
    const length = frame.length - 34 - header;
    const isControl = (flags & (TCP_FLAG.SYN | TCP_FLAG.FIN)) !== 0;
    own.next = (own.next + length + (isControl ? 1 : 0)) >>> 0;
    connection.flags.push(`${fromClient ? '>' : '<'}${flags.toString(16)}`);
    const isLast = connection.flags.slice(-3).join(' ') === '>11 <11 >10';
    if (!isLast) continue;
    closed++;
    assert.equal(connection.server.next, own.acked, `${key} closes with bytes unacknowledged`);
    assert.deepEqual(connection.flags.slice(0, 4), ['>2', '<12', '>10', '>18']);
    connections.delete(key);
  }
  assert.ok(closed > 50, `${closed} closed`);
});

test('web: a Service without endpoints gets SYNs, each from another port, and no answer', () => {
  const frames = traffic({ profile: 'web', packets: 20_000, flows: 300 });
  const attempts = frames.filter(({ ip }) => ip!.dst === GONE && ip!.protocol === PROTOCOL.TCP);
  assert.ok(attempts.length > 3);
  assert.ok(attempts.every(({ ip }) => ip!.tcp!.flags === TCP_FLAG.SYN));
  const ports = attempts.map(({ ip }) => `${ip!.src}:${ip!.sport}`);
  assert.equal(new Set(ports).size, ports.length);
});

test('web: connections to one server from one client never share a source port', () => {
  // One client, a Service and its only endpoint: the replies of both kinds of connection look alike.
  const only = { ...TOPOLOGY, pods: TOPOLOGY.pods.map((pod, row) => ({ ...pod, isClient: row === CLIENT })) };
  const open = new Map<number, number>();
  for (const { ip } of traffic(
    { profile: 'small', packets: 6_000, flows: 1_500, zipf: 0 },
    { topology: only },
  )) {
    if (ip!.protocol !== PROTOCOL.TCP || ip!.tcp!.flags !== TCP_FLAG.SYN) continue;
    assert.ok(!open.has(ip!.sport!), `port ${ip!.sport} is used twice`);
    open.set(ip!.sport!, ip!.dst);
  }
  assert.deepEqual(
    new Set(open.values()),
    new Set([VIP, TOPOLOGY.pods[NEAR]!.address, TOPOLOGY.pods[FAR]!.address]),
  );
});

test("dns: queries for names of the zone, each answered by the DNS pod of the client's node", () => {
  const asked = new Map<string, SentFrame>();
  const rcodes = new Map<string, number>();
  for (const frame of traffic({ profile: 'dns' })) {
    const { ip } = frame;
    const message = decodeJudged(frame.bytes.subarray(42));
    if (message.type === 'query') {
      assert.deepEqual([ip!.dst, ip!.dport, message.questions[0]!.type], [DNS, 53, 'A']);
      asked.set(`${ip!.src}:${ip!.sport}:${message.id}`, frame);
      continue;
    }
    const query = asked.get(`${ip!.dst}:${ip!.dport}:${message.id}`)!;
    const isFound = message.rcode === 'NOERROR';
    assert.equal(frame.pod, TOPOLOGY.pods[query.pod]!.node === 0 ? DNS_NEAR : DNS_FAR);
    assert.equal(ip!.sport, 5353);
    assert.deepEqual(message.questions, decodeJudged(query.bytes.subarray(42)).questions);
    assert.deepEqual(
      message.answers.map(({ name, data, ttl }) => [name, data, ttl]),
      isFound ? [['app.web.svc.cluster.local', formatIpv4(VIP), 5]] : [],
    );
    assert.deepEqual(
      message.authorities.map(({ type, name }) => [type, name]),
      isFound ? [] : [['SOA', 'cluster.local']],
    );
    rcodes.set(message.rcode, (rcodes.get(message.rcode) ?? 0) + 1);
  }
  assert.ok(rcodes.get('NOERROR')! > 100 && rcodes.get('NXDOMAIN')! > 100);
});

test('imix: data frames of 64, 570 and 1,450 bytes, 7 to 4 to 1, over TCP and UDP, behind true handshakes', () => {
  const counts = new Map<string, number>();
  for (const { ip, length } of traffic({ profile: 'imix', packets: 12_000 })) {
    if (ip!.protocol === PROTOCOL.TCP && (ip!.tcp!.flags & TCP_FLAG.PSH) === 0) continue;
    for (const key of [`${length}`, `protocol ${ip!.protocol}`]) counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const share = (key: string): number =>
    counts.get(key)! / (counts.get('64')! + counts.get('570')! + counts.get('1450')!);
  for (const [key, expected] of [
    ['64', 7 / 12],
    ['570', 4 / 12],
    ['1450', 1 / 12],
  ] as const)
    assert.ok(Math.abs(share(key) - expected) < 0.02, `${key}: ${share(key)}`);
  assert.ok(share('protocol 6') > 0.2 && share('protocol 17') > 0.1);
});

test('small: all data frames have 64 bytes', () => {
  const sizes = new Set(traffic({ profile: 'small' }).map(({ length }) => length));
  // 66: SYN with options. 54: the handshake's last ACK.
  assert.deepEqual([...sizes].toSorted(), [54, 64, 66]);
});

test('synflood: SYNs to one Service, no port twice, no answer', () => {
  const frames = traffic({ profile: 'synflood', packets: 5_000 });
  assert.ok(frames.every(({ ip }) => ip!.tcp!.flags === TCP_FLAG.SYN && ip!.dst === VIP && ip!.dport === 80));
  assert.equal(new Set(frames.map(({ ip }) => `${ip!.src}:${ip!.sport}`)).size, frames.length);
});

test('flows are preferred as Zipf says', () => {
  for (const [zipf, low, high] of [
    [0, 0.005, 0.02],
    [1, 0.15, 0.24],
    [2, 0.55, 0.67],
  ] as const) {
    const counts = new Map<string, number>();
    let all = 0;
    for (const { ip } of traffic({ profile: 'small', flows: 100, packets: 20_000, zipf })) {
      if (ip!.sport! < ip!.dport!) continue;
      const key = `${ip!.src}:${ip!.sport}:${ip!.dst}:${ip!.dport}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
      all++;
    }
    const top = Math.max(...counts.values()) / all;
    assert.ok(top > low && top < high, `exponent ${zipf}: the first flow has ${top}`);
  }
});

test('malformed packets: about as many as asked for, each with a fault, and the others as if they were not there', () => {
  const clean = traffic({ profile: 'web', packets: 2_000 });
  const mixed = traffic({ profile: 'web', packets: 2_000, badPermille: 100 });
  const faults = mixed.filter((frame) => faultOf(frame) !== '');
  assert.ok(faults.length > 140 && faults.length < 240, `${faults.length}`);
  assert.ok(new Set(faults.map(faultOf)).size >= 5);
  const whole = mixed.filter((frame) => faultOf(frame) === '');
  assert.deepEqual(whole, clean.slice(0, whole.length));
});

const withoutClients: TrafficTopology = {
  ...TOPOLOGY,
  pods: TOPOLOGY.pods.map((pod) => ({ ...pod, isClient: false })),
};
const tenants: TrafficTopology = {
  ...TOPOLOGY,
  pods: TOPOLOGY.pods.map((pod, row) => ({ ...pod, tenant: row + 1 })),
};
const IMPOSSIBLE: readonly {
  why: string;
  topology: TrafficTopology;
  profile: TrafficProfileName;
  flows?: number;
}[] = [
  { why: 'no client', topology: withoutClients, profile: 'web' },
  { why: 'every pod is another tenant', topology: tenants, profile: 'web' },
  { why: 'no DNS', topology: { ...TOPOLOGY, dns: null }, profile: 'dns' },
  { why: 'no Service', topology: { ...TOPOLOGY, targets: TOPOLOGY.targets.slice(1) }, profile: 'synflood' },
  { why: 'too few source ports', topology: TOPOLOGY, profile: 'dns', flows: 200_000 },
];
for (const { why, topology, profile, flows = 10 } of IMPOSSIBLE)
  test(`${profile} is refused where it cannot be: ${why}`, () => {
    assert.throws(() => traffic({ profile, flows, packets: 1 }, { topology }), InputError);
  });
