/** What the API server refuses of Services, beyond the types of their fields.
 *  Source: kubernetes pkg/apis/core/validation/validation.go (ValidateService), pkg/registry/core/service. */
import { formatIpv4, formatPrefix, parseIpv4, prefixContains } from '../addr/ipv4.js';
import type { Entry } from './inventory.js';
import type { Networks } from './networks.js';
import { describe, type ProblemList, subjectOf } from './problems.js';
import { addressTexts, ipv4ClusterIp } from './service-addresses.js';

export function checkServices(
  entries: readonly Entry<'Service'>[],
  networks: Networks,
  problems: ProblemList,
): void {
  checkClusterIps(entries, networks, problems);
  checkNodePorts(entries, problems);
  for (const entry of entries) {
    checkType(entry, problems);
    checkPorts(entry, problems);
  }
}

function checkClusterIps(
  entries: readonly Entry<'Service'>[],
  networks: Networks,
  problems: ProblemList,
): void {
  const byAddress = new Map<number, Entry<'Service'>>();
  const known = networks.serviceNetworks.map(formatPrefix).join(', ');
  for (const entry of entries) {
    const address = ipv4ClusterIp(entry);
    if (address === -1 || entry.value.spec?.type === 'ExternalName') continue;
    const path = [
      'spec',
      parseIpv4(entry.value.spec?.clusterIP ?? '') === address ? 'clusterIP' : 'clusterIPs',
    ];
    const isOutside = !networks.serviceNetworks.some((network) => prefixContains(network, address));
    if (networks.isServiceNetworkKnown && isOutside)
      problems.add(
        entry,
        path,
        `${formatIpv4(address)}, outside the service network ${known}`,
        `an address of ${known}`,
      );
    const other = byAddress.get(address);
    if (other === undefined) byAddress.set(address, entry);
    else
      problems.add(
        entry,
        path,
        `${formatIpv4(address)}, the ClusterIP of ${subjectOf(other)} too`,
        'an address of its own',
      );
  }
}

/** A node's socket cannot stand for two Service ports; the API server refuses the second. */
function checkNodePorts(entries: readonly Entry<'Service'>[], problems: ProblemList): void {
  const owners = new Map<string, Entry<'Service'>>();
  for (const entry of entries)
    for (const [i, { nodePort, protocol }] of (entry.value.spec?.ports ?? []).entries()) {
      if (!nodePort || entry.value.spec?.type === 'ExternalName') continue;
      const key = `${nodePort}/${protocol || 'TCP'}`;
      const other = owners.get(key);
      if (other === undefined) owners.set(key, entry);
      else
        problems.add(
          entry,
          ['spec', 'ports', i, 'nodePort'],
          `${key}, a node port of ${subjectOf(other)} too`,
          'a node port of its own',
        );
    }
}

/** What its type does not go with. */
function checkType(entry: Entry<'Service'>, problems: ProblemList): void {
  const { spec } = entry.value;
  const type = spec?.type || 'ClusterIP';
  if (type === 'ClusterIP')
    for (const [i, { nodePort }] of (spec?.ports ?? []).entries())
      if (nodePort)
        problems.add(
          entry,
          ['spec', 'ports', i, 'nodePort'],
          `${nodePort} in a Service of type ClusterIP`,
          'type NodePort or LoadBalancer, or no node port',
        );
  if ((type === 'NodePort' || type === 'LoadBalancer') && addressTexts(entry.value).includes('None'))
    problems.add(
      entry,
      ['spec', spec?.clusterIP === 'None' ? 'clusterIP' : 'clusterIPs'],
      `None in a Service of type ${type}`,
      'an IP address, or type ClusterIP',
    );
}

/** Ports are told apart by number and protocol, and by their names where there are several. */
function checkPorts(entry: Entry<'Service'>, problems: ProblemList): void {
  const ports = entry.value.spec?.ports ?? [];
  const numbers = new Set<string>();
  const names = new Set<string>();
  for (const [i, { name, port, protocol }] of ports.entries()) {
    const number = `${port}/${protocol || 'TCP'}`;
    if (numbers.has(number))
      problems.add(entry, ['spec', 'ports', i], `${number} a second time`, 'a port of its own');
    numbers.add(number);
    if (ports.length > 1 && (!name || names.has(name)))
      problems.add(
        entry,
        ['spec', 'ports', i, 'name'],
        name ? `${describe(name)} a second time` : 'nothing',
        'a name of its own, as there are several ports',
      );
    names.add(name ?? '');
  }
}
