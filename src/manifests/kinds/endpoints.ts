/** The fields of EndpointSlice and Endpoints that are read. Kubernetes discovery.k8s.io/v1 (and v1beta1), core/v1. */
import type { z } from 'zod';
import {
  labels,
  listOf,
  mapping,
  metadata,
  portNumber,
  protocol,
  text,
  truth,
  usualAddress,
} from '../schema.js';

const targetRef = mapping({ kind: text.nullish(), namespace: text.nullish(), name: text.nullish() });
// A slice's port may be null, which means every port and is nothing that a proxy can use.
const ports = listOf(
  mapping({ name: text.nullish(), protocol: protocol.nullish(), port: portNumber.nullish() }),
);

export const endpointSliceSchema = mapping({
  metadata,
  addressType: text.nullish(),
  ports: ports.nullish(),
  endpoints: listOf(
    mapping({
      // FQDN slices hold names, so an address is judged where the type is known.
      addresses: listOf(text).nullish(),
      conditions: mapping({
        ready: truth.nullish(),
        serving: truth.nullish(),
        terminating: truth.nullish(),
      }).nullish(),
      hostname: text.nullish(),
      nodeName: text.nullish(),
      topology: labels.nullish(), // v1beta1
      targetRef: targetRef.nullish(),
    }),
  ).nullish(),
});

const addresses = listOf(
  mapping({
    ip: usualAddress,
    hostname: text.nullish(),
    nodeName: text.nullish(),
    targetRef: targetRef.nullish(),
  }),
);

export const endpointsSchema = mapping({
  metadata,
  subsets: listOf(
    mapping({
      addresses: addresses.nullish(),
      notReadyAddresses: addresses.nullish(),
      ports: ports.nullish(),
    }),
  ).nullish(),
});

export type EndpointSliceManifest = z.infer<typeof endpointSliceSchema>;
export type EndpointsManifest = z.infer<typeof endpointsSchema>;
