/** The fields of a Service that are read. Kubernetes core/v1 ServiceSpec, ServiceStatus. */
import { z } from 'zod';
import {
  address,
  clusterIp,
  labels,
  listOf,
  mapping,
  metadata,
  network,
  portNumber,
  portOrName,
  protocol,
  text,
  truth,
  usualAddress,
  whole,
} from '../schema.js';

const policy = z.enum(['Cluster', 'Local', ''], 'Cluster or Local');

export const serviceSchema = mapping({
  metadata,
  spec: mapping({
    type: z
      .enum(
        ['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName', ''],
        'ClusterIP, NodePort, LoadBalancer or ExternalName',
      )
      .nullish(),
    clusterIP: clusterIp.nullish(),
    clusterIPs: listOf(clusterIp).nullish(),
    ipFamilies: listOf(text).nullish(),
    externalName: text.nullish(),
    externalIPs: listOf(usualAddress).nullish(),
    selector: labels.nullish(),
    sessionAffinity: z.enum(['ClientIP', 'None', ''], 'ClientIP or None').nullish(),
    sessionAffinityConfig: mapping({
      clientIP: mapping({ timeoutSeconds: whole(1, 86400).nullish() }).nullish(),
    }).nullish(),
    internalTrafficPolicy: policy.nullish(),
    externalTrafficPolicy: policy.nullish(),
    loadBalancerSourceRanges: listOf(network).nullish(),
    healthCheckNodePort: whole(0, 65535).nullish(),
    publishNotReadyAddresses: truth.nullish(),
    allocateLoadBalancerNodePorts: truth.nullish(),
    ports: listOf(
      mapping({
        name: text.nullish(),
        protocol: protocol.nullish(),
        port: portNumber,
        // 0 is as good as absent: it means the Service's own port.
        targetPort: portOrName(0).nullish(),
        nodePort: whole(0, 65535).nullish(),
      }),
    ).nullish(),
  }).nullish(),
  status: mapping({
    loadBalancer: mapping({
      ingress: listOf(
        mapping({ ip: address.nullish(), ipMode: z.enum(['VIP', 'Proxy', ''], 'VIP or Proxy').nullish() }),
      ).nullish(),
    }).nullish(),
  }).nullish(),
});

export type ServiceManifest = z.infer<typeof serviceSchema>;
export type ServicePortManifest = NonNullable<NonNullable<ServiceManifest['spec']>['ports']>[number];
