/** The cluster of the written scenarios: the tests' own, with what lies outside it: node ports, external addresses, egress.
 *
 *  kept (policy Local, b alone, node port 30090), sticky (a and b, affinity), near also at 198.51.100.7 and 198.51.100.8;
 *  monitoring may leave to 203.0.113.9 alone, openshift-dns leaves as 192.168.1.200 by node1, web may send to groups. */
import { parseIpv4 } from '../../src/addr/ipv4.js';
import { parsePrefix } from '../../src/addr/ipv4-prefix.js';
import { compile } from '../../src/compile/compile.js';
import type { NetworkObjects } from '../../src/model/network-objects.js';
import type { Service } from '../../src/model/service.js';
import type { Epoch } from '../../src/tables/epoch.js';
import { externalCluster } from '../support/external.js';

/** What scenarios call by address. */
export const PLACES = {
  kept: '172.30.11.1',
  sticky: '172.30.11.2',
  external: '198.51.100.7',
  balancer: '198.51.100.8',
  egressIp: '192.168.1.200',
  group: '239.1.2.3',
} as const;

const KEPT_PORT = 30_090;
const STICKY_SEC = 10_800;

export function fixedEpoch(): Epoch {
  const cluster = externalCluster({
    near: {
      externalIps: [parseIpv4(PLACES.external)],
      loadBalancerIps: [parseIpv4(PLACES.balancer)],
    },
  });
  const like = (name: string): Service => cluster.services.find((service) => service.name === name)!;
  const far = like('far');
  const web = like('web');
  const kept: Service = {
    ...far,
    name: 'kept',
    clusterIp: parseIpv4(PLACES.kept),
    externalPolicy: 'Local',
    ports: far.ports.slice(0, 1).map((port) => ({ ...port, nodePort: KEPT_PORT })),
  };
  const sticky: Service = {
    ...web,
    name: 'sticky',
    clusterIp: parseIpv4(PLACES.sticky),
    affinityTimeoutSec: STICKY_SEC,
    ports: web.ports.map((port) => ({ ...port, nodePort: 0 })),
  };
  const services = [...cluster.services, kept, sticky].sort((x, y) =>
    `${x.namespace}/${x.name}` < `${y.namespace}/${y.name}` ? -1 : 1,
  );
  return compile({ ...cluster, services, network: NETWORK });
}

const NETWORK: NetworkObjects = {
  egressPolicies: [
    {
      namespace: 'monitoring',
      name: 'default',
      rules: [
        { isAllow: true, to: '203.0.113.9/32', prefixes: [parsePrefix('203.0.113.9/32')!] },
        { isAllow: false, to: '0.0.0.0/0', prefixes: [parsePrefix('0.0.0.0/0')!] },
      ],
    },
  ],
  egressIps: [{ namespace: 'openshift-dns', addresses: [parseIpv4(PLACES.egressIp)] }],
  hostedIps: [{ node: 'node1', addresses: [parseIpv4(PLACES.egressIp)] }],
  multicast: ['web'],
  fixedVnis: [],
};
