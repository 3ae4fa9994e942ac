/** The ClusterIPs that a Service's manifest names, in either of the two fields that have them. */
import { parseIpv4 } from '../addr/ipv4.js';
import type { Entry } from './inventory.js';
import type { ServiceManifest } from './kinds/service.js';

export const addressTexts = ({ spec }: ServiceManifest): string[] =>
  [spec?.clusterIP ?? '', ...(spec?.clusterIPs ?? []).map((text) => text ?? '')].filter(
    (text) => text !== '',
  );

/** The Service's IPv4 ClusterIP, or -1. */
export const ipv4ClusterIp = (entry: Entry<'Service'>): number =>
  addressTexts(entry.value)
    .map(parseIpv4)
    .find((address) => address !== -1) ?? -1;
