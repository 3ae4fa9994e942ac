/** The fields of a Pod that are read. Kubernetes core/v1 PodSpec, PodStatus. */
import { z } from 'zod';
import { address, labels, listOf, mapping, metadata, portNumber, protocol, text, truth } from '../schema.js';

const containers = listOf(
  mapping({
    restartPolicy: text.nullish(),
    ports: listOf(
      mapping({ name: text.nullish(), protocol: protocol.nullish(), containerPort: portNumber }),
    ).nullish(),
  }),
);

export const podSpec = mapping({
  nodeName: text.nullish(),
  nodeSelector: labels.nullish(),
  hostNetwork: truth.nullish(),
  hostname: text.nullish(),
  subdomain: text.nullish(),
  dnsPolicy: z
    .enum(
      ['ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None', ''],
      'ClusterFirst, ClusterFirstWithHostNet, Default or None',
    )
    .nullish(),
  dnsConfig: mapping({
    nameservers: listOf(text).nullish(),
    searches: listOf(text).nullish(),
    options: listOf(mapping({ name: text.nullish(), value: text.nullish() })).nullish(),
  }).nullish(),
  containers: containers.nullish(),
  initContainers: containers.nullish(),
});

export const podSchema = mapping({
  metadata,
  spec: podSpec.nullish(),
  status: mapping({
    phase: text.nullish(),
    podIP: address.nullish(),
    podIPs: listOf(mapping({ ip: address.nullish() })).nullish(),
    conditions: listOf(mapping({ type: text.nullish(), status: text.nullish() })).nullish(),
  }).nullish(),
});

export type PodSpec = z.infer<typeof podSpec>;
export type PodManifest = z.infer<typeof podSchema>;
