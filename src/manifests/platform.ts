/** Which distribution the objects come from, and what it fixes. */
import type { Platform, PluginMode } from '../model/cluster.js';
import type { Inventory } from './inventory.js';
import type { Notes } from './notes.js';

/** OpenShift when its network objects or namespaces are there; 3 when a kubelet of 1.11 or older says so, or, with
 *  no kubelet to ask, when the objects that only release 3 had are there and cluster DNS as a Service is not. */
export function detectPlatform(inventory: Inventory): Platform {
  const { objects, namespaceNames, groups } = inventory;
  const names = new Set([...namespaceNames, ...objects.Namespace.map((namespace) => namespace.name)]);
  const hasSdnObjects =
    objects.ClusterNetwork.length + objects.HostSubnet.length + objects.NetNamespace.length > 0 ||
    objects.NetworkConfig.length + objects.NetworkOperator.length > 0;
  const isOpenshift =
    hasSdnObjects ||
    [...names].some((name) => name.startsWith('openshift-')) ||
    groups.has('config.openshift.io');
  if (!isOpenshift) return 'kubernetes';
  const minors = kubeletMinors(inventory);
  if (minors.length > 0) return minors.some((minor) => minor <= 11) ? 'ocp3' : 'ocp4';
  const isOld =
    names.has('kube-service-catalog') || names.has('openshift-infra') || names.has('openshift-node');
  return isOld && !names.has('openshift-dns') && !groups.has('config.openshift.io') ? 'ocp3' : 'ocp4';
}

/** Minor versions of the kubelets: `v1.11.0+d4cacc0` gives 11. */
function kubeletMinors(inventory: Inventory): number[] {
  return inventory.objects.Node.map((node) =>
    /^v?1\.(\d+)/.exec(node.value.status?.nodeInfo?.kubeletVersion ?? ''),
  )
    .filter((match) => match !== null)
    .map((match) => Number(match[1]));
}

/** The plugin mode that the cluster's own objects name, else the platform's default. An unknown plugin gives a note. */
export function pluginMode(inventory: Inventory, platform: Platform, notes: Notes): PluginMode {
  const named = inventory.objects.ClusterNetwork.map((network) => network.value.pluginName ?? '');
  const operated = inventory.objects.NetworkOperator.map(
    (network) => network.value.spec?.defaultNetwork?.openshiftSDNConfig?.mode ?? '',
  );
  const name = [...named, ...operated].find((candidate) => candidate !== '');
  const mode = /^(?:redhat\/openshift-ovs-)?(subnet|multitenant|networkpolicy)$/i.exec(name ?? '')?.[1];
  const otherwise = platform === 'ocp3' ? 'subnet' : 'networkpolicy';
  if (mode !== undefined) return mode.toLowerCase() as PluginMode;
  if (name !== undefined) notes.say(`network plugin ${name} is not modelled: treated as ${otherwise} mode`);
  return otherwise;
}

/** Bit of the packet mark that asks for masquerade: OpenShift runs kube-proxy with bit 0, upstream has 14. */
export const masqueradeBit = (platform: Platform): number => (platform === 'kubernetes' ? 14 : 0);
