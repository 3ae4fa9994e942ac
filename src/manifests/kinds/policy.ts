/** The fields of a NetworkPolicy that are read. Kubernetes networking.k8s.io/v1 NetworkPolicySpec. */
import { z } from 'zod';
import { listOf, mapping, metadata, network, portNumber, portOrName, protocol, selector } from '../schema.js';

const peers = listOf(
  mapping({
    podSelector: selector.nullish(),
    namespaceSelector: selector.nullish(),
    ipBlock: mapping({ cidr: network, except: listOf(network).nullish() }).nullish(),
  }),
);

const ports = listOf(
  mapping({ protocol: protocol.nullish(), port: portOrName(1).nullish(), endPort: portNumber.nullish() }),
);

export const policySchema = mapping({
  metadata,
  spec: mapping({
    podSelector: selector.nullish(),
    policyTypes: listOf(z.enum(['Ingress', 'Egress'], 'Ingress or Egress')).nullish(),
    ingress: listOf(mapping({ from: peers.nullish(), ports: ports.nullish() })).nullish(),
    egress: listOf(mapping({ to: peers.nullish(), ports: ports.nullish() })).nullish(),
  }).nullish(),
});

export type PolicyManifest = z.infer<typeof policySchema>;
export type PeerManifest = z.infer<typeof peers>[number];
export type PolicyPortManifest = z.infer<typeof ports>[number];
