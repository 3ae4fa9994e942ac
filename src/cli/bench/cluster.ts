/** The cluster that is measured unless another is named: two nodes, so many pods, one Service among many. */
import { formatIpv4, parseIpv4 } from '../../addr/ipv4.js';

const NODES = ['node1', 'node2'] as const;
const CLIENTS_PER_NODE = 32;
const SERVERS_PER_NODE = 8;
const SERVICES = 100;
const API = 'network.openshift.io/v1';

const subnet = (node: number): number => parseIpv4('10.128.0.0') + node * 512;

/** Kubernetes and OpenShift objects, as the API would give them. */
export function benchObjects(): object[] {
  return [
    {
      apiVersion: API,
      kind: 'ClusterNetwork',
      metadata: { name: 'default' },
      clusterNetworks: [{ CIDR: '10.128.0.0/14', hostSubnetLength: 9 }],
      network: '10.128.0.0/14',
      serviceNetwork: '172.30.0.0/16',
      pluginName: 'redhat/openshift-ovs-networkpolicy',
    },
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'bench' } },
    { apiVersion: API, kind: 'NetNamespace', metadata: { name: 'bench' }, netname: 'bench', netid: 1001 },
    ...NODES.flatMap(nodeObjects),
    ...Array.from({ length: SERVICES }, (_, i) => service(i)),
  ];
}

function nodeObjects(name: string, node: number): object[] {
  const hostIP = formatIpv4(parseIpv4('192.168.1.101') + node);
  const network = `${formatIpv4(subnet(node))}/23`;
  const pods = (count: number, app: string, first: number): object[] =>
    Array.from({ length: count }, (_, i) => pod(`${app}-${name}-${i}`, app, name, subnet(node) + first + i));
  return [
    {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name },
      status: { addresses: [{ type: 'InternalIP', address: hostIP }] },
    },
    { apiVersion: API, kind: 'HostSubnet', metadata: { name }, host: name, hostIP, subnet: network },
    ...pods(CLIENTS_PER_NODE, 'client', 2),
    ...pods(SERVERS_PER_NODE, 'server', 2 + CLIENTS_PER_NODE),
  ];
}

const pod = (name: string, app: string, nodeName: string, address: number): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'bench', labels: { app } },
  spec: { nodeName, containers: [{ name: app, ports: [{ containerPort: 8080, protocol: 'TCP' }] }] },
  status: {
    phase: 'Running',
    podIP: formatIpv4(address),
    conditions: [{ type: 'Ready', status: 'True' }],
  },
});

const service = (i: number): object => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: `service-${i}`, namespace: 'bench' },
  spec: {
    type: 'ClusterIP',
    clusterIP: formatIpv4(parseIpv4('172.30.1.0') + i),
    selector: { app: 'server' },
    ports: [{ protocol: 'TCP', port: 80, targetPort: 8080 }],
  },
});
