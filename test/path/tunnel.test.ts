/** The tunnel's outer headers, octet by octet, and what the other end accepts. RFC 7348, RFC 6040. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cases } from '../support/cases.js';
import { frameFaults, internetChecksum } from '../support/checksum.js';
import { testEpoch, VNI } from '../support/cluster.js';
import { hex, patched } from '../support/frames.js';
import { frameOf, Journey, type Outcome } from '../support/journey.js';
import { sentMacs } from '../support/macs.js';

/** The frame as it is on the wire between the nodes. */
function onTheWire(outcome: Outcome): Uint8Array {
  const hop = outcome.trace!.hops.find((one) => one.stage === 'nic-output');
  assert.ok(hop, `no hop at the NIC: ${outcome.path}`);
  return hop.bytes;
}

const sent = (at: string, text: string): Uint8Array => frameOf(text, sentMacs(at, text));
const u16 = (bytes: Uint8Array, at: number): number => bytes[at]! * 256 + bytes[at + 1]!;

test('every octet in front of the inner frame is as Linux and Open vSwitch write it', () => {
  const inner = sent('a', 'a:40000 > b:8080 SYN id=7');
  const wire = onTheWire(new Journey(testEpoch()).sendBytes('a', inner)[0]!);
  const total = 20 + 8 + 8 + inner.length;
  const udp = 8 + 8 + inner.length;
  const outer = Uint8Array.of(
    ...[0x52, 0x54, 192, 168, 1, 102, 0x52, 0x54, 192, 168, 1, 101, 0x08, 0x00],
    ...[0x45, 0x00, total >> 8, total & 255, wire[18]!, wire[19]!, 0x40, 0x00, 64, 17, 0, 0],
    ...[192, 168, 1, 101, 192, 168, 1, 102],
    ...[wire[34]!, wire[35]!, 4789 >> 8, 4789 & 255, udp >> 8, udp & 255, 0, 0],
    ...[0x08, 0, 0, 0, 0, VNI.web >> 8, VNI.web & 255, 0],
  );
  const sum = internetChecksum(outer.subarray(14, 34));
  outer.set([sum >> 8, sum & 255], 24);
  assert.equal(hex(wire), hex(Uint8Array.of(...outer, ...inner)));
  assert.deepEqual(frameFaults(wire), []);
});

for (const [at, text, vni, why] of [
  ['a', 'a:40000 > b:8080 SYN', VNI.web, 'the sender’s namespace'],
  ['d', 'd:40000 > b:8080 SYN', VNI['openshift-dns'], 'the sender’s, not the receiver’s'],
  ['a', 'a:40000 > far:80 SYN', VNI.web, 'the sender’s again after the Service’s translation'],
  ['a', 'arp a who-has b', VNI.web, 'ARP has its sender’s as well'],
  ['tun1', 'g1:40000 > b:8080 SYN', 0, 'a node’s own packets are of the global namespace'],
] as const)
  test(`VNI of ${text}: ${why}`, () => {
    const wire = onTheWire(new Journey(testEpoch()).send(at, text)[0]!);
    assert.equal(u16(wire, 46) * 65_536 + u16(wire, 48), vni * 256);
  });

test('the outer source port is in the ephemeral range, stable per flow, spread over flows', () => {
  const journey = new Journey(testEpoch());
  const ports = new Map<number, number>();
  for (let client = 40_000; client < 40_400; client++) {
    const port = u16(onTheWire(journey.send('a', `a:${client} > b:8080 SYN`)[0]!), 34);
    assert.ok(port >= 32_768 && port <= 60_999, `${port} is in ip_local_port_range`);
    ports.set(client, port);
  }
  assert.ok(new Set(ports.values()).size > 380, 'few flows share a port');
  for (const [client, port] of ports) {
    const data = onTheWire(journey.send('a', `a:${client} > b:8080 PSHACK "x"`)[0]!);
    assert.equal(u16(data, 34), port, 'the flow keeps its port');
  }
});

for (const [inner, outer, why] of [
  [0x00, 0x00, 'nothing to copy'],
  [0xb8, 0x00, 'DSCP is not copied'],
  [0x01, 0x01, 'ECT(1) is'],
  [0x02, 0x02, 'ECT(0) is'],
  [0x03, 0x02, 'CE becomes ECT(0)'],
  [0xbb, 0x02, 'CE beside a DSCP'],
] as const)
  test(`inner TOS ${inner} gives outer TOS ${outer}: ${why}`, () => {
    const [arrival] = new Journey(testEpoch()).send('a', `a:40000 > b:8080 SYN tos=${inner}`);
    assert.equal(onTheWire(arrival!)[15], outer);
    assert.equal(arrival!.bytes[15], inner, 'the inner header stays');
  });

test('a wrong inner checksum crosses untouched and dies at the pod', () => {
  const bad = patched(sent('a', 'a:40000 > b:8080 SYN'), 24, 0xde, 0xad);
  const [end] = new Journey(testEpoch()).sendBytes('a', bad);
  assert.equal(hex(onTheWire(end!).subarray(50)), hex(bad));
  assert.equal(`${end!.verdict} ${end!.reason}`, 'dropped ipv4-bad-checksum');
  assert.match(end!.path, /node2: eth0 vxlan0 br0\[0 0 10 30 31 70 80\] eth0$/);
});

const tunnelled = (text: string, outer = 'n1 > n2 vni 1001'): Uint8Array =>
  frameOf(`vxlan ${outer} | ${text}`);
const GOOD = tunnelled('a:40000 > b:8080 SYN');
const ARRIVES = 'node2: eth0 vxlan0 br0[0 0 10 30 31 70 80] eth0';

cases('what vxlan0 takes from the network', testEpoch(), [
  {
    why: 'a frame of another node',
    at: 'nic2',
    in: GOOD,
    ends: 'delivered b',
    frame: 'a > b | a:40000 > b:8080 SYN',
    path: ARRIVES,
  },
  {
    why: 'any NetID: isolation is not the tunnel’s business',
    at: 'nic2',
    in: tunnelled('a:40000 > b:8080 SYN', 'n1 > n2 vni 9999'),
    ends: 'delivered b',
  },
  {
    why: 'an outer checksum that is right',
    at: 'nic2',
    in: withOuterChecksum(GOOD, 0),
    ends: 'delivered b',
  },
  {
    why: 'one that is wrong',
    at: 'nic2',
    in: withOuterChecksum(GOOD, 1),
    ends: 'dropped vxlan-bad-checksum',
    path: 'node2: eth0 vxlan0',
  },
  {
    why: 'a stranger is not believed',
    at: 'nic2',
    in: tunnelled('a:40000 > b:8080 SYN', '192.168.1.250 > n2 vni 1001'),
    ends: 'dropped vxlan-unknown-vtep',
    path: 'node2: eth0 vxlan0 br0[0 0 10]',
  },
  {
    why: 'no end in the cluster network',
    at: 'nic2',
    in: tunnelled('198.51.100.1:1 > 198.51.100.2:2 udp'),
    ends: 'dropped tunnel-outside-cluster',
    path: 'node2: eth0 vxlan0 br0[0 0]',
  },
  {
    why: 'ARP for an address of another node’s subnet',
    at: 'nic2',
    in: tunnelled('arp a who-has c'),
    ends: 'dropped tunnel-outside-cluster',
    path: 'node2: eth0 vxlan0 br0[0]',
  },
  {
    why: 'a pod that is not there',
    at: 'nic2',
    in: tunnelled('a:40000 > 10.129.0.99:80 SYN'),
    ends: 'dropped unknown-pod',
  },
  { why: 'no I flag', at: 'nic2', in: patched(GOOD, 42, 0), ends: 'dropped vxlan-malformed' },
  { why: 'a reserved flag', at: 'nic2', in: patched(GOOD, 42, 0x0c), ends: 'dropped vxlan-malformed' },
  { why: 'the last reserved octet', at: 'nic2', in: patched(GOOD, 49, 1), ends: 'dropped vxlan-malformed' },
  {
    why: 'cut inside the inner Ethernet header',
    at: 'nic2',
    in: shortened(GOOD, 60),
    ends: 'dropped vxlan-truncated',
  },
  {
    why: 'a UDP length beyond the packet',
    at: 'nic2',
    in: patched(GOOD, 38, 0x7f, 0xff),
    ends: 'dropped vxlan-truncated',
  },
  {
    why: 'a wrong outer IPv4 checksum',
    at: 'nic2',
    in: patched(GOOD, 24, 0xde, 0xad),
    ends: 'dropped ipv4-bad-checksum',
    path: 'node2: eth0',
  },
]);

for (const [outer, inner, after] of [
  [3, 2, 3],
  [3, 1, 3],
  [3, 3, 3],
  [2, 0, 0],
  [0, 2, 2],
] as const)
  test(`decapsulation: outer ECN ${outer} over inner ${inner} leaves ${after}`, () => {
    const frame = withOuterTos(tunnelled(`a:40000 > b:8080 SYN tos=${inner}`), outer);
    const [arrival] = new Journey(testEpoch()).sendBytes('nic2', frame);
    assert.equal(arrival!.verdict, 'delivered');
    assert.equal(arrival!.bytes[15], after);
    assert.deepEqual(frameFaults(arrival!.bytes), []);
  });

// RFC 6040 section 4.2: the mark cannot be told to a transport that knows no ECN, so the packet must be dropped;
// Linux does so in vxlan_rcv (INET_ECN_decapsulate answers 2).
test('decapsulation: outer CE over an inner packet without ECN is dropped', () => {
  const frame = withOuterTos(tunnelled('a:40000 > b:8080 SYN tos=0'), 3);
  const [arrival] = new Journey(testEpoch()).sendBytes('nic2', frame);
  assert.equal(arrival!.verdict, 'dropped');
});

// Linux calls it a martian source (fib_validate_source: the source is local, accept_local is 0).
test('a frame from the network that claims the node’s own address is dropped', () => {
  const frame = tunnelled('a:40000 > b:8080 SYN', 'n2 > n2 vni 1001');
  const [arrival] = new Journey(testEpoch()).sendBytes('nic2', frame);
  assert.equal(`${arrival!.verdict} ${arrival!.reason}`, 'dropped source-martian');
});

/** The frame with its outer UDP checksum filled in, `error` added to it. */
function withOuterChecksum(frame: Uint8Array, error: number): Uint8Array {
  const udp = frame.subarray(34);
  const pseudo = Uint8Array.of(...frame.subarray(26, 34), 0, 17, udp.length >> 8, udp.length & 255);
  const sum = internetChecksum(Uint8Array.of(...pseudo, ...udp)) + error;
  return patched(frame, 40, sum >> 8, sum & 255);
}

function withOuterTos(frame: Uint8Array, tos: number): Uint8Array {
  const copy = patched(patched(frame, 15, tos), 24, 0, 0);
  const sum = internetChecksum(copy.subarray(14, 34));
  return patched(copy, 24, sum >> 8, sum & 255);
}

/** Cut to `length` bytes, lengths and checksum of the outer headers made to fit. */
function shortened(frame: Uint8Array, length: number): Uint8Array {
  const total = length - 14;
  const copy = patched(frame.subarray(0, length), 16, total >> 8, total & 255);
  copy.set([(total - 20) >> 8, (total - 20) & 255], 38);
  copy.set([0, 0], 24);
  const sum = internetChecksum(copy.subarray(14, 34));
  copy.set([sum >> 8, sum & 255], 24);
  return copy;
}
