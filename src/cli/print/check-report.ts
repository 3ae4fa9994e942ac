/** The report of `podplane check`: plain values for JSON, tables for people. */
import { formatIpv4, formatPrefix } from '../../addr/ipv4.js';
import type { LoadedCluster } from '../../cluster.js';
import type { Cluster } from '../../model/cluster.js';
import type { EgressPolicy } from '../../model/network-objects.js';
import type { NetworkPolicy } from '../../model/policy.js';
import type { Service } from '../../model/service.js';
import type { Paint } from './colour.js';
import { textTable } from './table.js';

export type CheckReport = ReturnType<typeof checkReport>;

/** Everything that was found, addresses as text. */
export function checkReport({ model, unused, notes }: LoadedCluster) {
  return {
    platform: model.platform,
    mode: model.mode,
    policyMode: model.policyMode,
    clusterNetworks: model.clusterNetworks.map(({ prefix, hostSubnetLength }) => ({
      network: formatPrefix(prefix),
      subnetLength: 32 - hostSubnetLength,
    })),
    serviceNetworks: model.serviceNetworks.map(formatPrefix),
    vxlanPort: model.vxlanPort,
    mtu: model.mtu,
    dns:
      model.dns.address === 0 ? null : { address: formatIpv4(model.dns.address), domain: model.dns.domain },
    nodes: nodeRows(model),
    namespaces: namespaceRows(model),
    pods: model.pods.map((pod) => ({
      name: `${pod.namespace}/${pod.name}`,
      node: pod.node,
      address: formatIpv4(pod.address),
      ready: pod.isReady,
      hostNetwork: pod.isHostNetwork,
      ports: pod.ports.map(({ port, protocol }) => `${port}/${protocol}`),
    })),
    services: model.services.map(serviceRow),
    policies: model.policies.map(policyRow),
    egressPolicies: model.network.egressPolicies.map(egressPolicyRow),
    unused: unused.map(({ apiVersion, kind, count }) => ({ apiVersion, kind, count })),
    notes: [...notes],
  };
}

function namespaceRows(model: Cluster) {
  const { egressIps, multicast } = model.network;
  const asked = new Map(egressIps.map(({ namespace, addresses }) => [namespace, addresses]));
  return model.namespaces.map(({ name, vni }) => ({
    name,
    netId: vni,
    egressIps: (asked.get(name) ?? []).map(formatIpv4),
    multicast: multicast.includes(name),
  }));
}

function nodeRows(model: Cluster) {
  const pods = new Map<string, { all: number; ready: number }>();
  for (const pod of model.pods) {
    const count = pods.get(pod.node) ?? { all: 0, ready: 0 };
    pods.set(pod.node, { all: count.all + 1, ready: count.ready + (pod.isReady ? 1 : 0) });
  }
  return model.nodes.map((node) => ({
    name: node.name,
    address: formatIpv4(node.address),
    subnet: formatPrefix(node.subnet),
    gateway: formatIpv4((node.subnet.base | 1) >>> 0),
    pods: pods.get(node.name)?.all ?? 0,
    podsReady: pods.get(node.name)?.ready ?? 0,
  }));
}

const serviceRow = (service: Service) => ({
  name: `${service.namespace}/${service.name}`,
  type: service.type,
  clusterIp: service.isHeadless ? 'None' : service.clusterIp === 0 ? '' : formatIpv4(service.clusterIp),
  externalName: service.externalName,
  ports: service.ports.map((port) => ({
    name: port.name,
    port: port.port,
    protocol: port.protocol,
    nodePort: port.nodePort,
    endpoints: port.endpoints.length,
    endpointsReady: port.endpoints.filter((endpoint) => endpoint.isReady).length,
  })),
});

const egressPolicyRow = ({ namespace, name, rules }: EgressPolicy) => ({
  name: `${namespace}/${name}`,
  rules: rules.map(({ isAllow, to }) => `${isAllow ? 'Allow' : 'Deny'} ${to}`),
});

const policyRow = (policy: NetworkPolicy) => ({
  name: `${policy.namespace}/${policy.name}`,
  directions: [...(policy.hasIngress ? ['ingress'] : []), ...(policy.hasEgress ? ['egress'] : [])],
  ingressRules: policy.ingress.length,
  egressRules: policy.egress.length,
});

/** The report as text. */
export function checkText(report: CheckReport, paint: Paint): string {
  const { dns } = report;
  const networks = report.clusterNetworks.map((entry) => `${entry.network} (/${entry.subnetLength} a node)`);
  const facts: [string, string][] = [
    ['platform', `${report.platform}, OpenShift SDN in ${report.mode} mode`],
    ['pods', `${networks.join(', ')}, MTU ${report.mtu}, VXLAN on UDP ${report.vxlanPort}`],
    ['services', report.serviceNetworks.join(', ')],
    ['dns', dns === null ? 'none' : `${dns.address} for ${dns.domain}`],
  ];
  const sections = [
    facts.map(([name, value]) => `${paint('dim', name.padEnd(10))}${value}\n`).join(''),
    nodesText(report, paint),
    namespacesText(report, paint),
    servicesText(report, paint),
    policiesText(report, paint),
    egressPoliciesText(report, paint),
    unusedText(report),
    report.notes.map((note) => `note: ${note}\n`).join(''),
  ];
  return sections.filter((section) => section !== '').join('\n');
}

const right = 'right';

const nodesText = (report: CheckReport, paint: Paint): string =>
  textTable(
    [
      { head: 'NODE' },
      { head: 'ADDRESS' },
      { head: 'SUBNET' },
      { head: 'GATEWAY (tun0)' },
      { head: 'PODS', align: right },
      { head: 'READY', align: right },
    ],
    report.nodes.map((node) => [
      node.name,
      node.address,
      node.subnet,
      node.gateway,
      String(node.pods),
      String(node.podsReady),
    ]),
    paint,
  );

function namespacesText(report: CheckReport, paint: Paint): string {
  const count = (names: readonly { readonly name: string }[]): Map<string, number> => {
    const counts = new Map<string, number>();
    for (const { name } of names) {
      const namespace = name.slice(0, name.indexOf('/'));
      counts.set(namespace, (counts.get(namespace) ?? 0) + 1);
    }
    return counts;
  };
  const pods = count(report.pods);
  const services = count(report.services);
  const policies = count(report.policies);
  return textTable(
    [
      { head: 'NAMESPACE' },
      { head: 'NETID', align: right },
      { head: 'PODS', align: right },
      { head: 'SERVICES', align: right },
      { head: 'POLICIES', align: right },
    ],
    report.namespaces.map(({ name, netId }) => [
      name,
      String(netId),
      String(pods.get(name) ?? 0),
      String(services.get(name) ?? 0),
      String(policies.get(name) ?? 0),
    ]),
    paint,
  );
}

/** A row for each port. Endpoints as ready of all; a port with none ready is what one looks for. */
const servicesText = (report: CheckReport, paint: Paint): string =>
  textTable(
    [
      { head: 'SERVICE' },
      { head: 'TYPE' },
      { head: 'CLUSTER-IP' },
      { head: 'PORT' },
      { head: 'NAME' },
      { head: 'NODEPORT', align: right },
      { head: 'READY', align: right },
    ],
    report.services.flatMap((service) => {
      const name = [service.name, service.type, service.clusterIp === '' ? '-' : service.clusterIp];
      if (service.ports.length === 0) return [[...name, service.externalName, '', '', '']];
      return service.ports.map((port) => [
        ...name,
        `${port.port}/${port.protocol}`,
        port.name,
        port.nodePort === 0 ? '' : String(port.nodePort),
        readyOfAll(port, paint),
      ]);
    }),
    paint,
  );

function readyOfAll(
  port: { readonly endpoints: number; readonly endpointsReady: number },
  paint: Paint,
): string {
  const text = `${port.endpointsReady} of ${port.endpoints}`;
  if (port.endpointsReady === 0) return paint('red', text);
  return port.endpointsReady < port.endpoints ? paint('yellow', text) : text;
}

const policiesText = (report: CheckReport, paint: Paint): string =>
  textTable(
    [{ head: 'NETWORKPOLICY' }, { head: 'DIRECTIONS' }, { head: 'RULES', align: right }],
    report.policies.map((policy) => [
      policy.name,
      policy.directions.join(', '),
      String(policy.ingressRules + policy.egressRules),
    ]),
    paint,
  );

const egressPoliciesText = (report: CheckReport, paint: Paint): string =>
  textTable(
    [{ head: 'EGRESSNETWORKPOLICY' }, { head: 'RULES' }],
    report.egressPolicies.map(({ name, rules }) => [name, rules.join(', ')]),
    paint,
  );

function unusedText(report: CheckReport): string {
  if (report.unused.length === 0) return '';
  const kinds = report.unused.map(({ apiVersion, kind, count }) => `${kind} (${apiVersion}) ${count}`);
  return `not used: ${kinds.join(', ')}\n`;
}
