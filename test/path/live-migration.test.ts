/** A live migration to OVN-Kubernetes: its nodes know the SDN node's NIC alone, and br0's table 10 puts the right MAC. */
import { compile } from '../../src/compile/compile.js';
import { setEthDst } from '../../src/wire/ethernet.js';
import { cases } from '../support/cases.js';
import { testCluster, testEpoch } from '../support/cluster.js';
import { frameOf } from '../support/journey.js';
import { macOf } from '../support/macs.js';

const HEAD = 'node1: eth0 vxlan0 br0[0 0 10 10 30 31';
/** Where the frame in the tunnel begins. */
const INNER = 50;

/** `inner` from node2 by the tunnel, to the MAC of node1's NIC, as OVN-Kubernetes writes it. */
function from(inner: string): Uint8Array {
  const bytes = frameOf(`vxlan n2 > n1 vni 0 | ${inner}`);
  const { hi, lo } = macOf('nic1');
  setEthDst(new DataView(bytes.buffer, bytes.byteOffset), INNER, hi, lo);
  return bytes;
}

cases('frames to the NIC’s MAC inside the tunnel', testEpoch(), [
  {
    why: 'for a pod: its own MAC is written',
    at: 'nic1',
    in: from('b:40000 > a:8080 SYN'),
    ends: 'delivered a',
    frame: 'b > a | b:40000 > a:8080 SYN',
    path: `${HEAD} 70 80] eth0`,
  },
  {
    why: 'for the gateway: tun0’s',
    at: 'nic1',
    in: from('b:7 > g1 ping'),
    ends: 'delivered tun1',
    frame: 'b > tun1 | b:7 > g1 ping',
    path: `${HEAD}] tun0 netfilter host`,
  },
]);

cases(
  'resubmit:10 names a port, which counts while the table is searched and not when br0 puts out',
  manyPods(),
  [
    {
      why: 'the pod at port 9',
      at: 'nic1',
      in: from('b:40000 > 10.128.0.26:8080 SYN'),
      ends: 'delivered pod:web/m6',
    },
    {
      why: 'the pod at port 10',
      at: 'nic1',
      in: from('b:40000 > 10.128.0.27:8080 SYN'),
      ends: 'delivered pod:web/m7',
    },
  ],
);

function manyPods() {
  const cluster = testCluster();
  const a = cluster.pods.find(({ name }) => name === 'a')!;
  const pods = Array.from({ length: 9 }, (_, i) => ({ ...a, name: `m${i}`, address: a.address + 18 + i }));
  return compile({
    ...cluster,
    pods: [...cluster.pods.filter(({ node }) => node === 'node2'), ...pods],
    services: [],
  });
}
