/** The fields of an EgressNetworkPolicy that are read. Source: openshift/api network/v1/types.go. */
import { z } from 'zod';
import { listOf, mapping, metadata, network, text } from '../schema.js';

export const egressPolicySchema = mapping({
  metadata,
  spec: mapping({
    egress: listOf(
      mapping({
        type: z.enum(['Allow', 'Deny'], 'Allow or Deny'),
        // One of the two, as the API server has it.
        to: mapping({ cidrSelector: network.nullish(), dnsName: text.nullish() }).refine(
          ({ cidrSelector, dnsName }) => Boolean(cidrSelector) !== Boolean(dnsName),
          'one of cidrSelector and dnsName',
        ),
      }),
    ).nullish(),
  }).nullish(),
});

export type EgressPolicyManifest = z.infer<typeof egressPolicySchema>;
