/** Small model clusters for tests of names: one node, two namespaces, the Services that are given. */
import { parseIpv4 } from '../../src/addr/ipv4.js';
import type { Cluster } from '../../src/model/cluster.js';
import { NO_NETWORK_OBJECTS } from '../../src/model/network-objects.js';
import type { Endpoint, Service } from '../../src/model/service.js';

/** A cluster with namespaces `idle` and `web` and cluster DNS at 172.30.0.10. */
export function cluster(services: readonly Service[], domain = 'cluster.local'): Cluster {
  return {
    platform: 'ocp4',
    mode: 'networkpolicy',
    policyMode: 'sdn',
    clusterNetworks: [],
    serviceNetworks: [],
    vxlanPort: 4789,
    mtu: 1450,
    masqueradeBit: 0,
    dns: { address: parseIpv4('172.30.0.10'), domain },
    nodes: [],
    namespaces: ['idle', 'web'].map((name) => ({ name, labels: {}, vni: 0 })),
    pods: [],
    services,
    policies: [],
    network: NO_NETWORK_OBJECTS,
  };
}

/** A Service of namespace web; each list of endpoints is a port's. */
export function service(
  name: string,
  given: Partial<Omit<Service, 'clusterIp' | 'ports'>> & {
    clusterIp?: string;
    endpoints?: readonly (readonly Endpoint[])[];
  },
): Service {
  const { clusterIp, endpoints = [], ...rest } = given;
  return {
    namespace: 'web',
    name,
    type: 'ClusterIP',
    isHeadless: false,
    externalName: '',
    externalIps: [],
    loadBalancerIps: [],
    sourceRanges: [],
    healthCheckNodePort: 0,
    affinityTimeoutSec: 0,
    internalPolicy: 'Cluster',
    externalPolicy: 'Cluster',
    publishNotReady: false,
    ...rest,
    clusterIp: clusterIp === undefined ? 0 : parseIpv4(clusterIp),
    ports: endpoints.map((list, i) => ({
      name: `p${i}`,
      protocol: 'TCP',
      port: 80 + i,
      nodePort: 0,
      endpoints: list,
    })),
  };
}

export function endpoint(address: string, given: Partial<Endpoint> = {}): Endpoint {
  return {
    address: parseIpv4(address),
    port: 8080,
    isReady: true,
    isServing: true,
    isTerminating: false,
    node: 'node1',
    hostname: '',
    pod: '',
    ...given,
  };
}
