/** Small clusters as text, for the tables of the manifest tests. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LiveManifests } from '../../src/manifests/live-manifests.js';
import { type LoadOptions, loadManifests } from '../../src/manifests/load.js';
import { InputError } from '../../src/verdict/input-error.js';

/** Two OpenShift nodes, n1 10.128.0.0/23 and n2 10.129.0.0/23, service network 172.30.0.0/16. */
export const TWO_NODES = `
apiVersion: network.openshift.io/v1
kind: ClusterNetwork
metadata: { name: default }
clusterNetworks: [{ CIDR: 10.128.0.0/14, hostSubnetLength: 9 }]
serviceNetwork: 172.30.0.0/16
pluginName: redhat/openshift-ovs-networkpolicy
---
apiVersion: network.openshift.io/v1
kind: HostSubnet
metadata: { name: n1 }
hostIP: 192.168.1.1
subnet: 10.128.0.0/23
---
apiVersion: network.openshift.io/v1
kind: HostSubnet
metadata: { name: n2 }
hostIP: 192.168.1.2
subnet: 10.129.0.0/23
`;

/** A running pod of namespace web on n1. */
export const pod = (name: string, address: string, spec = '', labels = 'app: web'): string => `
apiVersion: v1
kind: Pod
metadata: { name: ${name}, namespace: web, labels: { ${labels} } }
spec: { nodeName: n1, ${spec} }
status: { phase: Running, podIP: ${address} }
`;

/** A Service of namespace web; `spec` is the inside of a flow mapping. */
export const service = (name: string, spec: string): string => `
apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: web }
spec: { ${spec} }
`;

/** Load documents given as texts, each a file of its own: `0.yaml`, `1.yaml` … */
export const loadTexts = (texts: readonly string[], options?: LoadOptions): Promise<LiveManifests> =>
  loadManifests(
    texts.map((text, index) => ({ text, name: `${index}.yaml` })),
    options,
  );

/** Two nodes and what else is given. */
export const loadWith = (...texts: string[]): Promise<LiveManifests> => loadTexts([TWO_NODES, ...texts]);

/** The lines of the error that loading one text named `in.yaml` gives; none when it loads. */
export async function problemLines(text: string, name = 'in.yaml'): Promise<string[]> {
  try {
    await loadManifests([{ text, name }]);
    return [];
  } catch (error) {
    if (error instanceof InputError) return error.message.split('\n');
    throw error;
  }
}

/** The path of a file or folder of the package. */
export function packagePath(...parts: string[]): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return join(folder, ...parts);
}
