/** The fields of the objects that own pods: Deployment, ReplicaSet, ReplicationController, StatefulSet, DaemonSet,
 *  DeploymentConfig, Job. Kubernetes apps/v1, batch/v1, core/v1; OpenShift apps.openshift.io/v1. */
import type { z } from 'zod';
import { count, mapping, metadata, text } from '../schema.js';
import { podSpec } from './pod.js';

export const ownerSchema = mapping({
  metadata,
  spec: mapping({
    replicas: count.nullish(),
    parallelism: count.nullish(),
    completions: count.nullish(),
    serviceName: text.nullish(),
    ordinals: mapping({ start: count.nullish() }).nullish(),
    template: mapping({ metadata: metadata.nullish(), spec: podSpec.nullish() }).nullish(),
  }).nullish(),
});

export type OwnerManifest = z.infer<typeof ownerSchema>;
