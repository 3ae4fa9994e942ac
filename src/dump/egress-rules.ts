/** What the SDN adds to a node's iptables for each egress address that it hosts.
 *  Source: openshift/sdn pkg/network/node/iptables.go (ensureEgressIPRules). */
import { formatIpv4 } from '../addr/ipv4.js';
import type { Epoch } from '../tables/epoch.js';
import type { Rule } from './iptables-text.js';

interface Hosted {
  readonly address: string;
  readonly mark: string;
  readonly object: string;
}

/** nat: br0's mark says whose packets they are. Ahead of everything else in the chain. */
export function egressNatRules(epoch: Epoch, node: number, networks: readonly string[]): readonly Rule[] {
  const chain = 'OPENSHIFT-MASQUERADE';
  return hostedBy(epoch, node).flatMap(({ address, mark, object }) =>
    networks.flatMap((source): Rule[] => [
      ...networks.map((destination) => ({
        chain,
        source,
        destination,
        matches: `-m mark --mark ${mark}`,
        target: 'MASQUERADE',
        object,
      })),
      { chain, source, matches: `-m mark --mark ${mark}`, target: `SNAT --to-source ${address}`, object },
    ]),
  );
}

/** filter INPUT: nobody connects to an egress address. */
export const egressFilterRules = (epoch: Epoch, node: number): readonly Rule[] =>
  hostedBy(epoch, node).map(({ address, object }) => ({
    chain: 'OPENSHIFT-FIREWALL-ALLOW',
    destination: `${address}/32`,
    matches: '-m conntrack --ctstate NEW',
    target: 'REJECT --reject-with icmp-port-unreachable',
    object,
  }));

function hostedBy(epoch: Epoch, node: number): readonly Hosted[] {
  const { egressIps } = epoch.tables;
  const hosted: Hosted[] = [];
  for (let row = 0; row < egressIps.rows; row++)
    if (egressIps.node[row] === node && egressIps.isRewritten[row] === 1)
      hosted.push({
        address: formatIpv4(egressIps.address[row]!),
        mark: `0x${egressIps.mark[row]!.toString(16)}`,
        object: epoch.text(egressIps.name[row]!),
      });
  return hosted;
}
