/** The tests' cluster with its Services reachable from outside: by node ports, external and load balancers' addresses. */
import { compile } from '../../src/compile/compile.js';
import type { Cluster } from '../../src/model/cluster.js';
import type { Service } from '../../src/model/service.js';
import type { Epoch } from '../../src/tables/epoch.js';
import { type ClusterOptions, testCluster } from './cluster.js';

/** Node port of each Service's first port. */
export const NODE_PORTS: Readonly<Record<string, number>> = {
  near: 30_080,
  far: 30_081,
  none: 30_082,
  own: 30_083,
  web: 30_084,
};

/** `patches`: what else is so, by the Service's name. */
export function externalCluster(
  patches: Readonly<Record<string, Partial<Service>>> = {},
  options: ClusterOptions = {},
): Cluster {
  const cluster = testCluster(options);
  const services = cluster.services.map((service) => ({
    ...service,
    type: 'NodePort' as const,
    ...patches[service.name],
    ports: service.ports.map((port, i) => ({
      ...port,
      nodePort: NODE_PORTS[service.name] === undefined ? 0 : NODE_PORTS[service.name]! + i * 100,
    })),
  }));
  return { ...cluster, services };
}

export const externalEpoch = (...given: Parameters<typeof externalCluster>): Epoch =>
  compile(externalCluster(...given));
