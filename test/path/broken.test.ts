/** Packets that something is wrong with: each dies where the real system drops it, under its own name. */
import { cases } from '../support/cases.js';
import { internetChecksum } from '../support/checksum.js';
import { testEpoch } from '../support/cluster.js';
import { patched } from '../support/frames.js';
import { frameOf } from '../support/journey.js';
import { sentMacs } from '../support/macs.js';

const sent = (text: string): Uint8Array => frameOf(text, sentMacs('a', text));
/** Bytes written at `at`, and the IPv4 checksum made right again. */
function withIpv4(frame: Uint8Array, at: number, ...bytes: number[]): Uint8Array {
  const copy = patched(patched(frame, at, ...bytes), 24, 0, 0);
  const sum = internetChecksum(copy.subarray(14, 34));
  return patched(copy, 24, sum >> 8, sum & 255);
}

const TCP = sent('a:40000 > c:8080 SYN');
const UDP = sent('a:40000 > c:9000 udp "data"');
const PING = sent('a:9 > c ping');
const TO_SERVICE = sent('a:40000 > near:90 udp "data"');
const HOST = 'node1: eth0 br0[0 0 20 27 30 31 60] tun0 netfilter';
const POD = 'node1: eth0 br0[0 0 20 27 30 31 70 80] eth0';

cases('cut and malformed headers from a pod', testEpoch(), [
  { why: 'no Ethernet header', at: 'a', in: TCP.subarray(0, 13), ends: 'dropped frame-truncated' },
  { why: 'nothing at all', at: 'a', in: TCP.subarray(0, 0), ends: 'dropped frame-truncated' },
  { why: 'a cut IPv4 header', at: 'a', in: TCP.subarray(0, 33), ends: 'dropped ipv4-truncated' },
  { why: 'version 6 behind 0x0800', at: 'a', in: patched(TCP, 14, 0x65), ends: 'dropped ipv4-bad-version' },
  {
    why: 'a header length of 16',
    at: 'a',
    in: patched(TCP, 14, 0x44),
    ends: 'dropped ipv4-bad-header-length',
  },
  {
    why: 'a header length beyond the frame',
    at: 'a',
    in: patched(TCP.subarray(0, 40), 14, 0x4f),
    ends: 'dropped ipv4-truncated',
  },
  {
    why: 'a wrong IPv4 checksum crosses br0 and dies at the pod',
    at: 'a',
    in: patched(TCP, 24, 1, 2),
    ends: 'dropped ipv4-bad-checksum',
    path: POD,
  },
  {
    why: 'or at tun0, when it is for a Service',
    at: 'a',
    in: patched(TO_SERVICE, 24, 1, 2),
    ends: 'dropped ipv4-bad-checksum',
    path: 'node1: eth0 br0[0 0 20 27 30 31 60] tun0',
  },
  {
    why: 'a total length beyond the frame',
    at: 'a',
    in: withIpv4(TCP, 16, 0x05, 0xdc),
    ends: 'dropped ipv4-bad-total-length',
    path: POD,
  },
  {
    why: 'a total length below the header',
    at: 'a',
    in: withIpv4(TCP, 16, 0, 19),
    ends: 'dropped ipv4-bad-total-length',
  },
  {
    why: 'a cut TCP header',
    at: 'a',
    in: withIpv4(TCP.subarray(0, 50), 16, 0, 36),
    ends: 'dropped tcp-truncated',
    path: POD,
  },
  {
    why: 'a TCP offset beyond the segment',
    at: 'a',
    in: patched(TCP, 46, 0xf0),
    ends: 'dropped tcp-truncated',
  },
  {
    why: 'a cut UDP header',
    at: 'a',
    in: withIpv4(UDP.subarray(0, 38), 16, 0, 24),
    ends: 'dropped udp-truncated',
  },
  {
    why: 'a UDP length beyond the datagram',
    at: 'a',
    in: patched(UDP, 38, 0x10, 0),
    ends: 'dropped udp-truncated',
  },
  { why: 'a UDP length below 8', at: 'a', in: patched(UDP, 38, 0, 7), ends: 'dropped udp-truncated' },
  {
    why: 'a cut ICMP header',
    at: 'a',
    in: withIpv4(PING.subarray(0, 38), 16, 0, 24),
    ends: 'dropped icmp-truncated',
  },
]);

cases(
  'transport checksums: the pod looks, br0 does not, and the host forwards none that is wrong',
  testEpoch(),
  [
    { why: 'TCP', at: 'a', in: patched(TCP, 50, 1, 2), ends: 'dropped tcp-bad-checksum', path: POD },
    { why: 'UDP', at: 'a', in: patched(UDP, 40, 1, 2), ends: 'dropped udp-bad-checksum', path: POD },
    { why: 'ICMP', at: 'a', in: patched(PING, 36, 1, 2), ends: 'dropped icmp-bad-checksum', path: POD },
    { why: 'a UDP checksum of zero is none', at: 'a', in: patched(UDP, 40, 0, 0), ends: 'delivered c' },
    {
      why: 'to a Service it is INVALID in the host',
      at: 'a',
      in: patched(TO_SERVICE, 40, 1, 2),
      ends: 'dropped conntrack-invalid',
      path: HOST,
    },
    {
      why: 'zero stays zero through DNAT',
      at: 'a',
      in: patched(TO_SERVICE, 40, 0, 0),
      ends: 'delivered c',
    },
  ],
);

cases('what a pod may not send', testEpoch(), [
  {
    why: 'under another pod’s address',
    at: 'a',
    in: 'c:40000 > b:8080 SYN',
    via: 'a > b',
    ends: 'dropped source-spoofed',
    path: 'node1: eth0 br0[0 0 20]',
  },
  {
    why: 'under an address of the world',
    at: 'a',
    in: 'out:40000 > b:8080 SYN',
    via: 'a > b',
    ends: 'dropped source-spoofed',
  },
  {
    why: 'a forged source MAC passes: table 20 never looks at it',
    at: 'a',
    in: 'a:40000 > c:8080 SYN',
    via: 'b > c',
    ends: 'delivered c',
    frame: 'b > c | a:40000 > c:8080 SYN',
  },
  {
    why: 'another pod’s destination MAC: br0 delivers by address, the pod’s stack refuses',
    at: 'a',
    in: 'a:40001 > c:8080 SYN',
    via: 'a > b',
    ends: 'dropped mac-foreign',
    path: POD,
  },
  {
    why: 'to the tunnel’s port',
    at: 'a',
    in: 'a:40000 > n2:4789 udp',
    ends: 'dropped pod-sends-vxlan',
    path: 'node1: eth0 br0[0 0 20]',
  },
  {
    why: 'not even to a pod',
    at: 'a',
    in: 'a:40000 > c:4789 udp',
    ends: 'dropped pod-sends-vxlan',
  },
  {
    why: 'multicast, where it is not enabled',
    at: 'a',
    in: 'a:5353 > 224.0.0.251:5353 udp',
    via: 'a > all',
    ends: 'dropped multicast-disabled',
    path: 'node1: eth0 br0[0 0 20 27 30 31 110]',
  },
  {
    why: 'IPv6',
    at: 'a',
    in: patched(TCP, 12, 0x86, 0xdd),
    ends: 'dropped ipv6-unsupported',
    path: 'node1: eth0 br0[0]',
  },
  { why: '802.1Q', at: 'a', in: patched(TCP, 12, 0x81, 0x00), ends: 'dropped vlan-tagged' },
  { why: '802.1ad', at: 'a', in: patched(TCP, 12, 0x88, 0xa8), ends: 'dropped vlan-tagged' },
  { why: 'LLDP', at: 'a', in: patched(TCP, 12, 0x88, 0xcc), ends: 'dropped ether-type-unsupported' },
]);

cases('and the network', testEpoch(), [
  { why: 'IPv6 on the NIC', at: 'nic1', in: patched(TCP, 12, 0x86, 0xdd), ends: 'dropped ipv6-unsupported' },
  { why: 'a cut frame', at: 'nic1', in: TCP.subarray(0, 10), ends: 'dropped frame-truncated' },
  {
    why: 'a loopback source',
    at: 'nic1',
    in: '127.0.0.1:1 > n1:80 SYN',
    via: 'router > nic1',
    ends: 'dropped source-martian',
  },
]);
