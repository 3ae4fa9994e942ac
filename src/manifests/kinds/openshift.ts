/** The fields of OpenShift's network objects that are read: network.openshift.io/v1 ClusterNetwork, HostSubnet,
 *  NetNamespace; config.openshift.io/v1 and operator.openshift.io/v1 Network. Source: openshift/api. */
import type { z } from 'zod';
import {
  address,
  ipv4Address,
  ipv4Network,
  listOf,
  mapping,
  metadata,
  network,
  portNumber,
  text,
  whole,
} from '../schema.js';

const mtu = whole(576, 65535);

export const clusterNetworkSchema = mapping({
  metadata,
  // The first entry again, for clients from before there could be several.
  network: network.nullish(),
  hostsubnetlength: whole(2, 30).nullish(),
  clusterNetworks: listOf(mapping({ CIDR: network, hostSubnetLength: whole(2, 126) })).nullish(),
  serviceNetwork: network.nullish(),
  pluginName: text.nullish(),
  vxlanPort: portNumber.nullish(),
  mtu: mtu.nullish(),
});

export const hostSubnetSchema = mapping({
  metadata,
  host: text.nullish(),
  hostIP: address.nullish(),
  subnet: ipv4Network,
  egressIPs: listOf(ipv4Address).nullish(),
  egressCIDRs: listOf(network).nullish(),
});

export const netNamespaceSchema = mapping({
  metadata,
  netname: text.nullish(),
  netid: whole(0, 0xffffff),
  egressIPs: listOf(ipv4Address).nullish(),
});

const networkSpec = mapping({
  clusterNetwork: listOf(mapping({ cidr: network, hostPrefix: whole(0, 128).nullish() })).nullish(),
  serviceNetwork: listOf(network).nullish(),
});

export const networkConfigSchema = mapping({
  metadata,
  spec: networkSpec.nullish(),
  status: mapping({ clusterNetworkMTU: mtu.nullish() }).nullish(),
});

export const networkOperatorSchema = mapping({
  metadata,
  spec: networkSpec
    .extend({
      defaultNetwork: mapping({
        openshiftSDNConfig: mapping({
          mode: text.nullish(),
          vxlanPort: portNumber.nullish(),
          mtu: mtu.nullish(),
        }).nullish(),
      }).nullish(),
    })
    .nullish(),
});

export type ClusterNetworkManifest = z.infer<typeof clusterNetworkSchema>;
export type HostSubnetManifest = z.infer<typeof hostSubnetSchema>;
export type NetNamespaceManifest = z.infer<typeof netNamespaceSchema>;
export type NetworkConfigManifest = z.infer<typeof networkConfigSchema>;
export type NetworkOperatorManifest = z.infer<typeof networkOperatorSchema>;
