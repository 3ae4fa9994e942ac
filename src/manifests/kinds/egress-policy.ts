/** The fields of an EgressNetworkPolicy that are read. Source: openshift/api network/v1/types.go. */
import { z } from 'zod';
import { listOf, mapping, metadata, network, text } from '../schema.js';

// The pattern of the API's schema. An empty name is as good as none.
const dnsName = text.refine(
  (name) => /^(([A-Za-z0-9-]+\.)*[A-Za-z0-9-]+\.?)?$/.test(name),
  'a DNS name, such as www.example.com',
);

export const egressPolicySchema = mapping({
  metadata,
  spec: mapping({
    egress: listOf(
      mapping({
        type: z.enum(['Allow', 'Deny'], 'Allow or Deny'),
        // One of the two, as the API server has it.
        to: mapping({ cidrSelector: network.nullish(), dnsName: dnsName.nullish() }).refine(
          ({ cidrSelector, dnsName }) => Boolean(cidrSelector) !== Boolean(dnsName),
          'one of cidrSelector and dnsName',
        ),
      }),
    ).nullish(),
  }).nullish(),
});

export type EgressPolicyManifest = z.infer<typeof egressPolicySchema>;
