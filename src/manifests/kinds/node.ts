/** The fields of a Node that are read. Kubernetes core/v1 NodeSpec, NodeStatus. */
import type { z } from 'zod';
import { listOf, mapping, metadata, network, text } from '../schema.js';

export const nodeSchema = mapping({
  metadata,
  spec: mapping({ podCIDR: network.nullish(), podCIDRs: listOf(network).nullish() }).nullish(),
  status: mapping({
    // A Hostname entry holds a name, so an address is judged where its type is known.
    addresses: listOf(mapping({ type: text.nullish(), address: text.nullish() })).nullish(),
    nodeInfo: mapping({ kubeletVersion: text.nullish() }).nullish(),
  }).nullish(),
});

export type NodeManifest = z.infer<typeof nodeSchema>;
