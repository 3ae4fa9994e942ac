/** The fields of an EgressNetworkPolicy that are read. Source: openshift/api network/v1/types.go. */
import { z } from 'zod';
import { listOf, mapping, metadata, network, text } from '../schema.js';

export const egressPolicySchema = mapping({
  metadata,
  spec: mapping({
    egress: listOf(
      mapping({
        type: z.enum(['Allow', 'Deny'], 'Allow or Deny'),
        to: mapping({ cidrSelector: network.nullish(), dnsName: text.nullish() }),
      }),
    ).nullish(),
  }).nullish(),
});

export type EgressPolicyManifest = z.infer<typeof egressPolicySchema>;
