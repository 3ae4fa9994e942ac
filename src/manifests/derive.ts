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
  pods: Iterable<PodRecord>,
): Endpoint[] {
  const selector = selectorOf(service);
  const publishNotReady = service.value.spec?.publishNotReadyAddresses === true;
  const endpoints: Endpoint[] = [];
  // A namespace may have very many pods, and most Services of a large cluster have slices.
  if (selector.length === 0) return endpoints;
  for (const { pod, isTerminating } of pods) {
    const number = hasLabels(pod, selector) ? targetPort(port, pod) : null;
    if (number === null) continue;
    endpoints.push({
      address: pod.address,
      port: number,
      isReady: publishNotReady || (pod.isReady && !isTerminating),
      isServing: pod.isReady,
      isTerminating,
      node: pod.node,
      hostname: pod.subdomain === service.name ? pod.hostname : '',
      pod: `${pod.namespace}/${pod.name}`,
    });
  }
  return endpoints;
}

/** Does the Service's selector choose a pod of its namespace? None chooses none. */
export function isSelected(service: Entry<'Service'>, pod: Pod): boolean {
  const selector = selectorOf(service);
  return selector.length > 0 && hasLabels(pod, selector);
}

type Labels = readonly (readonly [key: string, value: string])[];

const selectorOf = (service: Entry<'Service'>): Labels =>
  Object.entries(service.value.spec?.selector ?? {}).map(([key, value]) => [key, value ?? '']);

const hasLabels = ({ labels }: Pod, wanted: Labels): boolean =>
  wanted.every(([key, value]) => labels[key] === value);

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
