/** Endpoints of a Service that has none in the objects: its selector's pods, as the endpoint controller finds them.
 *  Source: kubernetes/kubernetes pkg/controller/endpointslice/, k8s.io/endpointslice/utils.go. */
import type { Pod, Protocol } from '../model/cluster.js';
import type { Endpoint } from '../model/service.js';
import type { Entry } from './inventory.js';
import type { ServicePortManifest } from './kinds/service.js';
import type { PodRecord } from './pods.js';
import { toPort } from './schema.js';

/** `pods` are those of the Service's namespace that are on the network. */
export function derivedEndpoints(
  service: Entry<'Service'>,
  port: ServicePortManifest,
  pods: readonly PodRecord[],
): Endpoint[] {
  const publishNotReady = service.value.spec?.publishNotReadyAddresses === true;
  return pods
    .filter(({ pod }) => isSelected(service, pod))
    .flatMap(({ pod, isTerminating }) => {
      const number = targetPort(port, pod);
      if (number === null) return [];
      return [
        {
          address: pod.address,
          port: number,
          isReady: publishNotReady || (pod.isReady && !isTerminating),
          isServing: pod.isReady,
          isTerminating,
          node: pod.node,
          hostname: pod.subdomain === service.name ? pod.hostname : '',
          pod: `${pod.namespace}/${pod.name}`,
        },
      ];
    });
}

/** Does the Service's selector choose a pod of its namespace? None chooses none. */
export function isSelected(service: Entry<'Service'>, pod: Pod): boolean {
  const selector = Object.entries(service.value.spec?.selector ?? {});
  return selector.length > 0 && selector.every(([key, value]) => pod.labels[key] === (value ?? ''));
}

/** A named port is looked up in each pod, by name and protocol; null in a pod that lacks it. */
function targetPort(port: ServicePortManifest, pod: Pod): number | null {
  const target = toPort(port.targetPort ?? '');
  if (target === '' || target === 0) return port.port;
  if (typeof target === 'number') return target;
  const protocol: Protocol = port.protocol || 'TCP';
  return (
    pod.ports.find((candidate) => candidate.name === target && candidate.protocol === protocol)?.port ?? null
  );
}
