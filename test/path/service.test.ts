/** Pod to ClusterIP: out by tun0, translated by the node's netfilter, in again, and the reply translated inside br0. */
import { cases } from '../support/cases.js';
import { testEpoch } from '../support/cluster.js';

const REQUEST = 'node1: eth0 br0[0 0 20 27 30 31 60] tun0 netfilter tun0';

cases('ClusterIP with its endpoint on the same node', testEpoch(), [
  {
    why: 'TTL one less, source MAC of tun0, ID and DF kept, client address kept',
    at: 'a',
    in: 'a:40000 > near:80 SYN id=77',
    ends: 'delivered c',
    frame: 'tun1 > c | a:40000 > c:8080 SYN ttl=63 id=77',
    path: `${REQUEST} br0[0 25 27 30 31 70 80] eth0`,
    service: 'web/near:http',
    endpoint: 'c',
  },
  {
    why: 'the reply is translated in table 31 and never sees tun0',
    at: 'c',
    in: 'c:8080 > a:40000 SYNACK',
    ends: 'delivered a',
    frame: 'c > a | near:80 > a:40000 SYNACK',
    path: 'node1: eth0 br0[0 0 20 27 30 31 70 80] eth0',
    service: 'web/near:http',
    endpoint: 'c',
  },
  {
    why: 'later packets follow the recorded translation',
    at: 'a',
    in: 'a:40000 > near:80 PSHACK "hello" id=78',
    ends: 'delivered c',
    frame: 'tun1 > c | a:40000 > c:8080 PSHACK "hello" ttl=63 id=78',
    path: `${REQUEST} br0[0 25 27 30 31 70 80] eth0`,
  },
  {
    why: 'without DF too',
    at: 'a',
    in: 'a:40001 > near:90 udp "hello" fragment=0 id=5',
    ends: 'delivered c',
    frame: 'tun1 > c | a:40001 > c:9000 udp "hello" ttl=63 fragment=0 id=5',
    service: 'web/near:u',
  },
  {
    why: 'UDP reply',
    at: 'c',
    in: 'c:9000 > a:40001 udp "world"',
    ends: 'delivered a',
    frame: 'c > a | near:90 > a:40001 udp "world"',
  },
]);

cases('ClusterIP with its endpoint on another node', testEpoch(), [
  {
    why: 'translated on the client’s node, then tunnelled',
    at: 'a',
    in: 'a:40000 > far:80 SYN id=77',
    ends: 'delivered b',
    frame: 'tun1 > b | a:40000 > b:8080 SYN ttl=63 id=77',
    path: `${REQUEST} br0[0 25 27 30 31 90] vxlan0 eth0 | node2: eth0 vxlan0 br0[0 0 10 30 31 70 80] eth0`,
    service: 'web/far:http',
    endpoint: 'b',
  },
  {
    why: 'the reply crosses as it is and is translated at the client’s node',
    at: 'b',
    in: 'b:8080 > a:40000 SYNACK id=9',
    ends: 'delivered a',
    frame: 'b > a | far:80 > a:40000 SYNACK id=9',
    path: 'node2: eth0 br0[0 0 20 27 30 31 90] vxlan0 eth0 | node1: eth0 vxlan0 br0[0 0 10 30 31 70 80] eth0',
    service: 'web/far:http',
    endpoint: 'b',
  },
  {
    why: 'the direct connection beside it stays direct',
    at: 'a',
    in: 'a:40007 > b:8080 SYN',
    ends: 'delivered b',
    frame: 'a > b | a:40007 > b:8080 SYN',
    service: '',
  },
  {
    why: 'and its reply is not translated',
    at: 'b',
    in: 'b:8080 > a:40007 SYNACK',
    ends: 'delivered a',
    frame: 'b > a | b:8080 > a:40007 SYNACK',
  },
]);

cases('hairpin: a pod reaches itself through its Service', testEpoch(), [
  {
    why: 'masqueraded: the pod sees the gateway and a random port',
    at: 'a',
    in: 'a:40000 > own:80 SYN',
    ends: 'delivered a',
    frame: 'tun1 > a | g1:* > a:8080 SYN ttl=63',
    path: `${REQUEST} br0[0 30 31 70 80] eth0`,
    service: 'web/own:http',
    endpoint: 'a',
  },
]);

cases('DNS stays on the node (OpenShift 4)', testEpoch(), [
  {
    why: 'node1 asks its own DNS pod',
    at: 'a',
    in: 'a:40000 > dns:53 udp "?"',
    ends: 'delivered d',
    frame: 'tun1 > d | a:40000 > d:5353 udp "?" ttl=63',
    service: 'openshift-dns/dns-default:dns',
    endpoint: 'd',
  },
  {
    why: 'so does node2',
    at: 'b',
    in: 'b:40000 > dns:53 udp "?"',
    ends: 'delivered e',
    frame: 'tun2 > e | b:40000 > e:5353 udp "?" ttl=63',
    endpoint: 'e',
  },
  {
    why: 'over TCP as well',
    at: 'b',
    in: 'b:40000 > dns:53 SYN',
    ends: 'delivered e',
    service: 'openshift-dns/dns-default:dns-tcp',
    endpoint: 'e',
  },
]);

cases('internalTrafficPolicy Local', testEpoch({ internalPolicy: 'Local' }), [
  { why: 'an endpoint here is used', at: 'a', in: 'a:40000 > near:80 SYN', ends: 'delivered c' },
  {
    why: 'endpoints elsewhere do not count, and nothing is said',
    at: 'a',
    in: 'a:40000 > far:80 SYN',
    ends: 'dropped no-local-endpoints',
    path: 'node1: eth0 br0[0 0 20 27 30 31 60] tun0 netfilter',
  },
  { why: 'on the other node it is used', at: 'b', in: 'b:40000 > far:80 SYN', ends: 'delivered b' },
]);
