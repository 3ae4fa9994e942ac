/** Which platform, mode and networks come out of which objects. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatIpv4, formatPrefix } from '../../src/addr/ipv4.js';
import type { LoadOptions } from '../../src/manifests/load.js';
import { loadTexts } from './support.js';

const namespace = (name: string): string => `apiVersion: v1\nkind: Namespace\nmetadata: { name: ${name} }\n`;
const node = (version: string, podCidr = '', name = 'n'): string =>
  `apiVersion: v1\nkind: Node\nmetadata: { name: ${name} }\nspec: { podCIDR: "${podCidr}" }\n` +
  `status: { addresses: [{ type: InternalIP, address: 192.168.1.${name.length} }], nodeInfo: { kubeletVersion: ${version} } }\n`;
const sdn = (kind: string, body: string): string =>
  `apiVersion: network.openshift.io/v1\nkind: ${kind}\nmetadata: { name: default }\n${body}\n`;
const clusterNetwork = (plugin: string): string => sdn('ClusterNetwork', `pluginName: ${plugin}`);
const service = (ns: string, name: string, ip: string): string =>
  `apiVersion: v1\nkind: Service\nmetadata: { name: ${name}, namespace: ${ns} }\nspec: { clusterIP: ${ip} }\n`;

const PLATFORMS: { why: string; texts: string[]; options?: LoadOptions; gives: string }[] = [
  { why: 'nothing says OpenShift', texts: [namespace('web')], gives: 'kubernetes networkpolicy 14' },
  { why: 'a NetNamespace', texts: [sdn('NetNamespace', 'netid: 0')], gives: 'ocp4 networkpolicy 0' },
  { why: 'an openshift- namespace', texts: [namespace('openshift-dns')], gives: 'ocp4 networkpolicy 0' },
  {
    why: 'a namespace seen on an object alone',
    texts: ['apiVersion: v1\nkind: Event\nmetadata: { name: e, namespace: openshift-dns }\n'],
    gives: 'ocp4 networkpolicy 0',
  },
  {
    why: 'a kubelet of 1.11',
    texts: [namespace('openshift-dns'), node('v1.11.0+d4cacc0')],
    gives: 'ocp3 subnet 0',
  },
  {
    why: 'a kubelet of 1.12',
    texts: [namespace('openshift-dns'), node('v1.12.4+509916ce1')],
    gives: 'ocp4 networkpolicy 0',
  },
  { why: 'an old kubelet without OpenShift', texts: [node('v1.11.0')], gives: 'kubernetes networkpolicy 14' },
  {
    why: 'release 3’s namespaces',
    texts: [namespace('openshift-infra'), namespace('kube-service-catalog')],
    gives: 'ocp3 subnet 0',
  },
  {
    why: 'the plugin’s mode',
    texts: [clusterNetwork('redhat/openshift-ovs-multitenant')],
    gives: 'ocp4 multitenant 0',
  },
  { why: 'subnet mode', texts: [clusterNetwork('redhat/openshift-ovs-subnet')], gives: 'ocp4 subnet 0' },
  {
    why: 'the operator’s mode',
    texts: [
      'apiVersion: operator.openshift.io/v1\nkind: Network\nmetadata: { name: cluster }\nspec: { defaultNetwork: { openshiftSDNConfig: { mode: Multitenant } } }\n',
    ],
    gives: 'ocp4 multitenant 0',
  },
  { why: 'an unknown plugin', texts: [clusterNetwork('example/other')], gives: 'ocp4 networkpolicy 0' },
  {
    why: 'the option wins',
    texts: [namespace('web')],
    options: { platform: 'ocp3' },
    gives: 'ocp3 subnet 0',
  },
];

for (const { why, texts, options, gives } of PLATFORMS) {
  test(`platform: ${why}`, async () => {
    const { cluster } = await loadTexts(texts, options);
    assert.equal(`${cluster.platform} ${cluster.mode} ${cluster.masqueradeBit}`, gives);
  });
}

const CONFIG =
  'apiVersion: config.openshift.io/v1\nkind: Network\nmetadata: { name: cluster }\n' +
  'spec: { clusterNetwork: [{ cidr: 10.200.0.0/16, hostPrefix: 24 }, { cidr: "fd01::/48", hostPrefix: 64 }], serviceNetwork: [172.31.0.0/16, "fd02::/112"] }\n' +
  'status: { clusterNetworkMTU: 8951 }\n';

const NETWORKS: { why: string; texts: string[]; gives: string }[] = [
  {
    why: 'Kubernetes’ defaults',
    texts: [namespace('web')],
    gives: '10.244.0.0/16+8 | 10.96.0.0/12 | 4789 1450',
  },
  {
    why: 'OpenShift’s defaults',
    texts: [namespace('openshift-x')],
    gives: '10.128.0.0/14+9 | 172.30.0.0/16 | 4789 1450',
  },
  {
    why: 'a ClusterNetwork',
    texts: [
      sdn(
        'ClusterNetwork',
        'clusterNetworks: [{ CIDR: 10.64.0.0/16, hostSubnetLength: 8 }, { CIDR: 10.70.0.0/16, hostSubnetLength: 7 }]\nserviceNetwork: 172.16.0.0/16\nvxlanPort: 4790\nmtu: 8950',
      ),
    ],
    gives: '10.64.0.0/16+8 10.70.0.0/16+7 | 172.16.0.0/16 | 4790 8950',
  },
  {
    why: 'a ClusterNetwork of the first releases',
    texts: [
      'apiVersion: v1\nkind: ClusterNetwork\nmetadata: { name: default }\nnetwork: 10.1.0.0/16\nhostsubnetlength: 8\nserviceNetwork: 172.30.0.0/16\n',
    ],
    gives: '10.1.0.0/16+8 | 172.30.0.0/16 | 4789 1450',
  },
  {
    why: 'the cluster’s configuration, IPv4 alone',
    texts: [CONFIG],
    gives: '10.200.0.0/16+8 | 172.31.0.0/16 | 4789 8951',
  },
  {
    why: 'podCIDRs',
    texts: [node('v1.30.0', '10.10.1.0/24'), node('v1.30.0', '10.10.6.0/24', 'nn')],
    gives: '10.10.0.0/21+8 | 10.96.0.0/12 | 4789 1450',
  },
  {
    why: 'podCIDRs that have nothing in common',
    texts: [node('v1.30.0', '10.10.1.0/24'), node('v1.30.0', '192.168.6.0/24', 'nn')],
    gives: '10.10.1.0/24+8 192.168.6.0/24+8 | 10.96.0.0/12 | 4789 1450',
  },
  {
    why: 'a podCIDR, and a node that has none yet',
    texts: [node('v1.30.0', '10.10.1.0/24'), node('v1.30.0', '', 'nn')],
    gives: '10.10.0.0/23+8 | 10.96.0.0/12 | 4789 1450',
  },
  {
    why: 'ClusterIPs outside the default',
    texts: [service('a', 'b', '172.20.0.1'), service('a', 'c', '172.20.9.9')],
    gives: '10.244.0.0/16+8 | 172.20.0.0/16 | 4789 1450',
  },
  {
    why: 'a ServiceCIDR',
    texts: [
      'apiVersion: networking.k8s.io/v1\nkind: ServiceCIDR\nmetadata: { name: kubernetes }\nspec: { cidrs: [10.43.0.0/16] }\n',
    ],
    gives: '10.244.0.0/16+8 | 10.43.0.0/16 | 4789 1450',
  },
];

for (const { why, texts, gives } of NETWORKS) {
  test(`networks: ${why}`, async () => {
    const { clusterNetworks, serviceNetworks, vxlanPort, mtu } = (await loadTexts(texts)).cluster;
    const networks = clusterNetworks
      .map((entry) => `${formatPrefix(entry.prefix)}+${entry.hostSubnetLength}`)
      .join(' ');
    assert.equal(`${networks} | ${serviceNetworks.map(formatPrefix).join(' ')} | ${vxlanPort} ${mtu}`, gives);
  });
}

const DNS: { why: string; texts: string[]; options?: LoadOptions; gives: string }[] = [
  {
    why: 'OpenShift 4',
    texts: [service('openshift-dns', 'dns-default', '172.30.0.10')],
    gives: '172.30.0.10',
  },
  { why: 'Kubernetes', texts: [service('kube-system', 'kube-dns', '10.96.0.10')], gives: '10.96.0.10' },
  { why: 'none', texts: [], gives: '0.0.0.0' },
  {
    why: 'OpenShift 3: each node answers itself',
    texts: [service('kube-system', 'kube-dns', '172.30.0.10')],
    options: { platform: 'ocp3' },
    gives: '0.0.0.0',
  },
];

for (const { why, texts, options, gives } of DNS) {
  test(`DNS address: ${why}`, async () => {
    assert.equal(formatIpv4((await loadTexts(texts, options)).cluster.dns.address), gives);
  });
}

const VNIS: { why: string; texts: string[]; gives: string }[] = [
  {
    why: 'NetNamespaces, and from 10 up for the others, past what is taken',
    texts: [
      clusterNetwork('redhat/openshift-ovs-networkpolicy'),
      namespace('a'),
      namespace('b'),
      netNamespace('z', 10),
    ],
    gives: 'a 11, b 12, default 0, z 10',
  },
  { why: 'no NetNamespaces', texts: [namespace('b'), namespace('a')], gives: 'a 10, b 11, default 0' },
  {
    why: 'subnet mode has one tenant',
    texts: [clusterNetwork('redhat/openshift-ovs-subnet'), namespace('a')],
    gives: 'a 0, default 0',
  },
];

function netNamespace(name: string, netid: number): string {
  return `apiVersion: network.openshift.io/v1\nkind: NetNamespace\nmetadata: { name: ${name} }\nnetname: ${name}\nnetid: ${netid}\n`;
}

for (const { why, texts, gives } of VNIS) {
  test(`NetIDs: ${why}`, async () => {
    const { namespaces } = (await loadTexts(texts)).cluster;
    assert.equal(namespaces.map((found) => `${found.name} ${found.vni}`).join(', '), gives);
  });
}
