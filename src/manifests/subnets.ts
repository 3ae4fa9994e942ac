/** Node subnets out of a cluster network, in the order in which OpenShift hands them out.
 *  Source: openshift/sdn pkg/network/master/util/subnet_allocator.go. */
import { type Ipv4Prefix, prefixContains } from '../addr/ipv4.js';
import type { ClusterNetworkEntry } from '../model/cluster.js';

/** The subnet with number `index` of a cluster network, or null past its last one.
 *
 *  Where a node's share ends inside an octet, the bits of the number are rotated, so that the octet that nodes
 *  share with pods stays zero as long as possible: 10.128.0.0, 10.129.0.0 … before 10.128.2.0. */
export function subnetAt(entry: ClusterNetworkEntry, index: number): Ipv4Prefix | null {
  const hostBits = entry.hostSubnetLength;
  const subnetBits = 32 - entry.prefix.length - hostBits;
  if (subnetBits < 0 || index >= 2 ** subnetBits) return null;
  const number = rotate(index, hostBits, subnetBits);
  return { base: (entry.prefix.base + number * 2 ** hostBits) >>> 0, length: 32 - hostBits };
}

function rotate(index: number, hostBits: number, subnetBits: number): number {
  const crossesOctet = Math.floor((hostBits - 1) / 8) !== Math.floor((hostBits + subnetBits - 1) / 8);
  const inOctet = 8 - (hostBits % 8);
  if (hostBits % 8 === 0 || !crossesOctet) return index;
  const rightShift = subnetBits - inOctet;
  return ((index << inOctet) & (2 ** subnetBits - 1)) | ((index >>> rightShift) & (2 ** inOctet - 1));
}

export const overlaps = (a: Ipv4Prefix, b: Ipv4Prefix): boolean =>
  a.length <= b.length ? prefixContains(a, b.base) : prefixContains(b, a.base);

/** Hands out subnets of several cluster networks, the first network first, leaving out what is taken. */
export class SubnetAllocator {
  private network = 0;
  private index = 0;

  constructor(
    private readonly networks: readonly ClusterNetworkEntry[],
    private readonly taken: readonly Ipv4Prefix[],
  ) {}

  /** The next free subnet, or null when the cluster networks have none left. */
  next(): Ipv4Prefix | null {
    while (this.network < this.networks.length) {
      const subnet = subnetAt(this.networks[this.network]!, this.index++);
      if (subnet === null) {
        this.network++;
        this.index = 0;
      } else if (!this.taken.some((other) => overlaps(other, subnet))) {
        return subnet;
      }
    }
    return null;
  }
}
