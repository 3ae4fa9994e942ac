/** Services with the endpoints behind each port, as kube-proxy and cluster DNS see them. */
import type { Ipv4Prefix } from '../addr/ipv4.js';
import type { Protocol } from './cluster.js';

export type ServiceType = 'ClusterIP' | 'NodePort' | 'LoadBalancer' | 'ExternalName';

export interface Service {
  readonly namespace: string;
  readonly name: string;
  readonly type: ServiceType;
  /** IPv4 ClusterIP, u32; 0 for headless and ExternalName. */
  readonly clusterIp: number;
  readonly isHeadless: boolean;
  readonly externalName: string;
  /** u32 each. */
  readonly externalIps: readonly number[];
  /** Of those whose traffic arrives unchanged (ipMode VIP). */
  readonly loadBalancerIps: readonly number[];
  /** Sources that the load balancer's addresses take; empty takes all. */
  readonly sourceRanges: readonly Ipv4Prefix[];
  /** 0 when none. */
  readonly healthCheckNodePort: number;
  readonly affinityTimeoutSec: number; // 0: no session affinity
  readonly internalPolicy: 'Cluster' | 'Local';
  readonly externalPolicy: 'Cluster' | 'Local';
  readonly publishNotReady: boolean;
  readonly ports: readonly ServicePort[];
}

export interface ServicePort {
  /** Empty for the single unnamed port. */
  readonly name: string;
  readonly protocol: Protocol;
  readonly port: number;
  /** 0 when none. */
  readonly nodePort: number;
  /** Every endpoint of this port, ready or not, sorted by address, then port. */
  readonly endpoints: readonly Endpoint[];
}

export interface Endpoint {
  readonly address: number;
  readonly port: number;
  readonly isReady: boolean;
  readonly isServing: boolean;
  readonly isTerminating: boolean;
  /** Node name, or '' when unknown. */
  readonly node: string;
  /** EndpointSlice hostname, or ''. */
  readonly hostname: string;
  /** `namespace/name` of the pod behind it, or ''. */
  readonly pod: string;
}
