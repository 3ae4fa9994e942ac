/** From the model to cluster DNS' tables: the names of the zone, as CoreDNS' kubernetes plugin makes them.
 *
 *  svc.ns.svc.ZONE        ClusterIP; headless: every ready endpoint, and no name without one; ExternalName: alias
 *  host.svc.ns.svc.ZONE   ready endpoints by hostname, else by dashed address, for every kind but ExternalName
 *  ZONE, svc.ZONE, pod.ZONE, ns.svc.ZONE, ns.pod.ZONE   exist without records
 *  ns.dns.ZONE            the cluster DNS address
 *  Names under pod.ZONE that spell an address are answered by the server without a row.
 *  Source: coredns/coredns plugin/kubernetes/kubernetes.go (findServices), parse.go; kubernetes/dns docs/specification.md. */
import { formatIpv4, parseIpv4 } from '../addr/ipv4.js';
import { TableBuilder } from '../layout/builder.js';
import type { Cluster } from '../model/cluster.js';
import type { Endpoint, Service } from '../model/service.js';
import {
  DNS_ADDRESSES,
  DNS_BYTES,
  DNS_NAMES,
  DNS_ZONE,
  DnsKind,
  DnsPodMode,
  dnsNameHash,
} from '../tables/dns-table.js';

/** Seconds; the plugin's default, which OpenShift keeps. */
const TTL = 5;
/** Octets of a name in wire form, RFC 1035 section 2.3.4. */
export const NAME_MAX = 255;
export const EMPTY_ROW = { hash: 0, nameAt: 0, first: 0, count: 0, nameSize: 0, kind: DnsKind.Unused };

/** In the order in which openDns opens them. */
export type DnsBuilders = readonly [
  names: TableBuilder<typeof DNS_NAMES.columns>,
  addresses: TableBuilder<typeof DNS_ADDRESSES.columns>,
  bytes: TableBuilder<typeof DNS_BYTES.columns>,
  zone: TableBuilder<typeof DNS_ZONE.columns>,
];

/** What a name answers. */
export type Answer = { readonly addresses: readonly number[] } | { readonly alias: string };

/** Compile cluster DNS: builders of DNS_NAMES, DNS_ADDRESSES, DNS_BYTES, DNS_ZONE, in this order.
 *  `serial` is the SOA's serial number, u32. The real one is the time of the last change that the server has
 *  seen; here it is the caller's, so that the same cluster gives the same bytes. */
export function buildDns(cluster: Cluster, serial = 1): DnsBuilders {
  const zone = cluster.dns.domain.toLowerCase();
  const answers = collectAnswers(cluster, zone);
  const names = new TableBuilder(DNS_NAMES);
  const addresses = new TableBuilder(DNS_ADDRESSES);
  const bytes = new TableBuilder(DNS_BYTES);
  const slots = slotCount(answers.size);
  names.addZeros(slots);
  for (const [name, answer] of answers) insert(names, addresses, bytes, name, answer);
  const zoneName = wireName(zone);
  const zoneRow = {
    serial: serial >>> 0,
    ttl: TTL,
    nameAt: append(bytes, zoneName),
    podMode: DnsPodMode.Insecure,
    nameSize: zoneName.length,
  };
  const zones = new TableBuilder(DNS_ZONE);
  zones.add(zoneRow);
  return [names, addresses, bytes, zones];
}

function collectAnswers(cluster: Cluster, zone: string): Map<string, Answer> {
  const answers = new Map<string, Answer>();
  const none: Answer = { addresses: [] };
  for (const name of [zone, `svc.${zone}`, `pod.${zone}`]) answers.set(name, none);
  for (const { name } of cluster.namespaces) {
    answers.set(`${name}.svc.${zone}`.toLowerCase(), none);
    answers.set(`${name}.pod.${zone}`.toLowerCase(), none);
  }
  if (cluster.dns.address !== 0) answers.set(`ns.dns.${zone}`, { addresses: [cluster.dns.address] });
  for (const service of cluster.services) collectService(service, zone, answers);
  return answers;
}

/** The names that one Service makes, into `answers`. */
export function collectService(service: Service, zone: string, answers: Map<string, Answer>): void {
  const name = `${service.name}.${service.namespace}.svc.${zone}`.toLowerCase();
  if (service.type === 'ExternalName') {
    // An externalName that spells an address makes no record: it would be no name (plugin/etcd/msg HostType).
    if (service.externalName !== '' && parseIpv4(service.externalName) < 0)
      answers.set(name, { alias: service.externalName });
    return;
  }
  const byHost = new Map<string, number[]>();
  const ready = readyEndpoints(service);
  for (const endpoint of ready) {
    const host = endpoint.hostname.toLowerCase() || formatIpv4(endpoint.address).replaceAll('.', '-');
    byHost.set(host, [...(byHost.get(host) ?? []), endpoint.address]);
  }
  for (const [host, addresses] of byHost) answers.set(`${host}.${name}`, { addresses });
  if (!service.isHeadless)
    answers.set(name, { addresses: service.clusterIp === 0 ? [] : [service.clusterIp] });
  else if (ready.length > 0) answers.set(name, { addresses: ready.map((endpoint) => endpoint.address) });
}

/** One endpoint for each address of any port, by address: the server's own order is that in which its watch
 *  told it of them, which no manifest shows. */
function readyEndpoints(service: Service): Endpoint[] {
  const byAddress = new Map<number, Endpoint>();
  for (const port of service.ports)
    for (const endpoint of port.endpoints)
      if ((endpoint.isReady || service.publishNotReady) && !byAddress.has(endpoint.address))
        byAddress.set(endpoint.address, endpoint);
  return [...byAddress.values()].sort((a, b) => a.address - b.address);
}

const slotCount = (names: number): number => 2 ** Math.max(3, Math.ceil(Math.log2(names * 2)));

function insert(
  names: DnsBuilders[0],
  addresses: DnsBuilders[1],
  bytes: DnsBuilders[2],
  name: string,
  answer: Answer,
): void {
  const key = wireName(name);
  // A very long cluster domain can make names that no query can carry.
  if (key.length > NAME_MAX) return;
  const hash = dnsNameHash(key, 0, key.length);
  let slot = hash & (names.rows - 1);
  while (names.get(slot, 'kind') !== DnsKind.Unused) slot = (slot + 1) & (names.rows - 1);
  names.set(slot, 'hash', hash);
  names.set(slot, 'nameAt', append(bytes, key));
  names.set(slot, 'nameSize', key.length);
  if ('alias' in answer) {
    const target = wireName(answer.alias);
    names.set(slot, 'kind', DnsKind.Alias);
    names.set(slot, 'first', append(bytes, target));
    names.set(slot, 'count', target.length);
    return;
  }
  names.set(slot, 'kind', answer.addresses.length === 0 ? DnsKind.Empty : DnsKind.Addresses);
  names.set(slot, 'first', addresses.rows);
  names.set(slot, 'count', answer.addresses.length);
  for (const address of answer.addresses) addresses.add({ address });
}

/** Append octets to the heap; returns where they begin. */
function append(bytes: DnsBuilders[2], octets: Uint8Array): number {
  const at = bytes.addZeros(octets.length);
  bytes.column('octet').set(octets, at);
  return at;
}

/** Wire form of a name of Kubernetes objects: they are DNS-1123 names, so there is nothing to unescape.
 *  A last dot (ExternalName may have one) is the root that the closing zero stands for. */
export function wireName(name: string): Uint8Array {
  const octets: number[] = [];
  for (const label of name.replace(/\.$/, '').split('.')) {
    octets.push(label.length);
    for (let i = 0; i < label.length; i++) octets.push(label.charCodeAt(i));
  }
  octets.push(0);
  return Uint8Array.from(octets);
}
