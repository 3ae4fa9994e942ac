/** ClusterIPs and node ports for Services that come without, as the API server would give them on creation: from
 *  the upper band of the range, since people choose from the lower one. The API server picks at random; here it is
 *  the lowest free one, so that the same objects give the same cluster.
 *  Source: kubernetes/kubernetes pkg/registry/core/service/{ipallocator,portallocator}. */
import type { Ipv4Prefix } from '../addr/ipv4.js';
import type { ServicePortManifest } from './kinds/service.js';

/** Size of the lower band: a sixteenth of the range, 16 at least and 256 at most. */
const ipBand = (size: number): number => Math.min(Math.max(16, Math.floor(size / 16)), 256);

export class ClusterIpAllocator {
  private readonly taken: Set<number>;
  private offset = 0;

  constructor(
    private readonly networks: readonly Ipv4Prefix[],
    taken: readonly number[],
  ) {
    this.taken = new Set(taken);
  }

  /** The next free address of the first service network, or 0 when none is left. */
  next(): number {
    const network = this.networks[0];
    if (network === undefined) return 0;
    const size = 2 ** (32 - network.length) - 2; // neither the network's nor the broadcast address
    const band = size <= 16 ? 0 : ipBand(size);
    while (this.offset < size) {
      const address = (network.base + 1 + ((this.offset++ + band) % size)) >>> 0;
      if (this.taken.has(address)) continue;
      this.taken.add(address);
      return address;
    }
    return 0;
  }
}

const NODE_PORT_FIRST = 30000;
const NODE_PORT_COUNT = 2768;
const NODE_PORT_BAND = 86;

export class NodePortAllocator {
  private readonly taken: Set<number>;
  private offset = 0;

  constructor(ports: readonly ServicePortManifest[]) {
    this.taken = new Set(ports.map((port) => port.nodePort ?? 0));
  }

  /** The next free node port of 30000..32767, or 0 when none is left. */
  next(): number {
    while (this.offset < NODE_PORT_COUNT) {
      const port = NODE_PORT_FIRST + ((this.offset++ + NODE_PORT_BAND) % NODE_PORT_COUNT);
      if (this.taken.has(port)) continue;
      this.taken.add(port);
      return port;
    }
    return 0;
  }
}
