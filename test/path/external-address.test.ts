/** External addresses and load balancers': from outside by the NIC, from pods and nodes, with ranges of sources. */
import { parseIpv4 } from '../../src/addr/ipv4.js';
import { parsePrefix } from '../../src/addr/ipv4-prefix.js';
import { cases } from '../support/cases.js';
import { externalEpoch } from '../support/external.js';

const FROM_ROUTER = 'router > nic1';
const EXTERNAL = '198.51.100.7';
const BALANCER = '198.51.100.8';
const OUT = 'node1: eth0 br0[0 0 20 27 30 31 99 100 101] tun0 netfilter';

const addresses = {
  externalIps: [parseIpv4(EXTERNAL)],
  loadBalancerIps: [parseIpv4(BALANCER)],
};
const ranges = (...texts: string[]) => ({ sourceRanges: texts.map((text) => parsePrefix(text)!) });

cases(
  'policy Cluster',
  externalEpoch({ near: addresses, none: { externalIps: [parseIpv4('198.51.100.9')] } }),
  [
    {
      why: 'an external address, routed to the node: masqueraded',
      at: 'nic1',
      in: `out:40000 > ${EXTERNAL}:80 SYN`,
      via: FROM_ROUTER,
      ends: 'delivered c',
      frame: 'tun1 > c | g1:* > c:8080 SYN ttl=63',
      service: 'web/near:http',
      endpoint: 'c',
    },
    {
      why: 'a load balancer’s, the same',
      at: 'nic1',
      in: `out:40001 > ${BALANCER}:80 SYN`,
      via: FROM_ROUTER,
      ends: 'delivered c',
      frame: 'tun1 > c | g1:* > c:8080 SYN ttl=63',
    },
    {
      why: 'a pod’s connection never leaves the node',
      at: 'a',
      in: `a:40002 > ${EXTERNAL}:80 SYN`,
      ends: 'delivered c',
      frame: 'tun1 > c | g1:* > c:8080 SYN ttl=63',
      path: `${OUT} tun0 br0[0 30 31 70 80] eth0`,
    },
    {
      why: 'nor does the node’s own',
      at: 'tun1',
      in: `n1:40003 > ${BALANCER}:80 SYN`,
      ends: 'delivered c',
      frame: 'tun1 > c | g1:* > c:8080 SYN',
    },
    {
      why: 'a port that the Service lacks goes where the route leads',
      at: 'a',
      in: `a:40004 > ${EXTERNAL}:81 SYN`,
      ends: 'left nic1',
      frame: `nic1 > router | n1:40004 > ${EXTERNAL}:81 SYN ttl=63`,
    },
    {
      why: 'without endpoints: rejected in FORWARD',
      at: 'a',
      in: 'a:40005 > 198.51.100.9:80 SYN',
      ends: 'rejected no-endpoints',
      causes: [
        {
          ends: 'delivered a',
          frame: 'tun1 > a | g1 > a icmp 3/3 tos=192 id=* (a:40005 > 198.51.100.9:80 SYN ttl=63)',
        },
      ],
    },
    {
      why: 'but OUTPUT has no such chain: the node’s own leaves',
      at: 'tun1',
      in: 'n1:40006 > 198.51.100.9:80 SYN',
      ends: 'left nic1',
    },
  ],
);

cases('policy Local', externalEpoch({ far: { ...addresses, externalPolicy: 'Local' } }), [
  {
    why: 'no endpoint here: dropped',
    at: 'nic1',
    in: `out:40000 > ${EXTERNAL}:80 SYN`,
    via: FROM_ROUTER,
    ends: 'dropped no-local-endpoints',
  },
  {
    why: 'an endpoint here: the client’s address is kept',
    at: 'nic2',
    in: `out:40000 > ${EXTERNAL}:80 SYN`,
    via: 'router > nic2',
    ends: 'delivered b',
    frame: 'tun2 > b | out:40000 > b:8080 SYN ttl=63',
  },
  {
    why: 'a pod goes to any endpoint, as itself',
    at: 'a',
    in: `a:40001 > ${BALANCER}:80 SYN`,
    ends: 'delivered b',
    frame: 'tun1 > b | a:40001 > b:8080 SYN ttl=63',
  },
]);

cases(
  'traffic policies apart: inside any endpoint, outside the node’s',
  externalEpoch({ web: { ...addresses, internalPolicy: 'Local', externalPolicy: 'Cluster' } }),
  [
    {
      why: 'the ClusterIP takes the node’s own endpoint',
      at: 's',
      in: 's:40000 > web:8080 SYN',
      ends: 'delivered a',
      frame: 'tun1 > a | s:40000 > a:8080 SYN ttl=63',
    },
    {
      why: 'the external address any: here the other node’s, as the draw falls',
      at: 's',
      in: `s:40004 > ${EXTERNAL}:8080 SYN`,
      ends: 'delivered b',
      frame: 'tun1 > b | g1:* > b:8080 SYN ttl=63',
    },
  ],
);

cases(
  'ranges of sources',
  externalEpoch({ near: { ...addresses, ...ranges('203.0.113.0/24', '10.128.0.4/32') } }),
  [
    {
      why: 'in a range',
      at: 'nic1',
      in: `out:40000 > ${BALANCER}:80 SYN`,
      via: FROM_ROUTER,
      ends: 'delivered c',
    },
    {
      why: 'in none: not translated, and dropped',
      at: 'nic1',
      in: `192.0.2.1:40000 > ${BALANCER}:80 SYN`,
      via: FROM_ROUTER,
      ends: 'dropped load-balancer-firewall',
    },
    {
      why: 'pods and the node are sources like others',
      at: 'a',
      in: `a:40001 > ${BALANCER}:80 SYN`,
      ends: 'dropped load-balancer-firewall',
    },
    {
      why: 'in OUTPUT, too',
      at: 'tun1',
      in: `n1:40002 > ${BALANCER}:80 SYN`,
      ends: 'dropped load-balancer-firewall',
    },
    {
      why: 'the external address has no ranges',
      at: 'nic1',
      in: `192.0.2.1:40003 > ${EXTERNAL}:80 SYN`,
      via: FROM_ROUTER,
      ends: 'delivered c',
    },
    {
      why: 'nor has the node port',
      at: 'nic1',
      in: '192.0.2.1:40004 > n1:30080 SYN',
      via: FROM_ROUTER,
      ends: 'delivered c',
    },
  ],
);

cases('ranges that hold the node', externalEpoch({ near: { ...addresses, ...ranges('192.168.1.0/24') } }), [
  {
    why: 'the node’s own packets, which have the balancer’s address where it is local',
    at: 'tun1',
    in: `${BALANCER}:40000 > ${BALANCER}:80 SYN`,
    ends: 'delivered c',
  },
]);
