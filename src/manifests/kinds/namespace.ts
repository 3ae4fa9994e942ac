/** The fields of Namespace and ServiceCIDR that are read. Kubernetes core/v1, networking.k8s.io/v1. */
import type { z } from 'zod';
import { listOf, mapping, metadata, network } from '../schema.js';

export const namespaceSchema = mapping({ metadata });

export const serviceCidrSchema = mapping({
  metadata,
  spec: mapping({ cidrs: listOf(network).nullish() }).nullish(),
});

export type NamespaceManifest = z.infer<typeof namespaceSchema>;
export type ServiceCidrManifest = z.infer<typeof serviceCidrSchema>;
