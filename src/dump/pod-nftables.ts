/** The table that is loaded into every pod's network namespace, as `nft -f` reads it and `nft list` prints it.
 *  Source: openshift/sdn pkg/cmd/openshift-sdn-cni/openshift-sdn.go (doNFTablesRules). */
import type { Epoch } from '../tables/epoch.js';

const OCP4 = 0;

/** The same for all pods of an OpenShift 4 cluster; empty where pods have no such table. */
export function dumpPodNftables(epoch: Epoch): string {
  if (epoch.tables.config.platform[0] !== OCP4) return '';
  const hook = (name: string): readonly string[] => [
    `\tchain ${name} {`,
    `\t\ttype filter hook ${name} priority filter; policy accept;`,
    '\t\tgoto block',
    '\t}',
  ];
  const lines = [
    'table ip openshift-block-output {',
    '\tchain block {',
    '\t\ttcp dport { 22623, 22624 } tcp flags syn / fin,syn,rst,ack reject',
    '\t\tip daddr 169.254.169.254 udp dport != 53 reject',
    '\t\tip daddr 169.254.169.254 tcp dport != 53 reject',
    '\t}',
    '',
    ...hook('output'),
    '',
    ...hook('forward'),
    '}',
  ];
  return `${lines.join('\n')}\n`;
}
