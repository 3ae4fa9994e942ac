/** The fields of a NetworkPolicy that are read. Kubernetes networking.k8s.io/v1 NetworkPolicySpec. */
import { z } from 'zod';
import {
  listOf,
  mapping,
  metadata,
  network,
  portNumber,
  portOrName,
  protocol,
  selector,
  toPort,
} from '../schema.js';

// Beyond the fields' own types, what the API server asks. A hole outside its block, which it refuses too, takes nothing away.
// Source: Kubernetes pkg/apis/networking/validation.
const peers = listOf(
  mapping({
    podSelector: selector.nullish(),
    namespaceSelector: selector.nullish(),
    ipBlock: mapping({ cidr: network, except: listOf(network).nullish() }).nullish(),
  }).superRefine(({ podSelector, namespaceSelector, ipBlock }, context) => {
    const hasSelector = Boolean(podSelector ?? namespaceSelector);
    if (hasSelector === Boolean(ipBlock)) refuse(context, [], 'selectors, or an ipBlock alone');
  }),
);

const ports = listOf(
  mapping({
    protocol: protocol.nullish(),
    port: portOrName(1).nullish(),
    endPort: portNumber.nullish(),
  }).superRefine(({ port, endPort }, context) => {
    const first = toPort(port ?? '');
    if (typeof endPort !== 'number' || (typeof first === 'number' && first <= endPort)) return;
    const wanted = typeof first === 'number' ? `a port from ${first} on` : 'nothing, as port is no number';
    refuse(context, ['endPort'], wanted);
  }),
);

/** `path` is relative to what is judged; `message` completes "would do". */
function refuse(context: z.RefinementCtx, path: (string | number)[], message: string): void {
  context.addIssue({ code: 'custom', path, message });
}

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
