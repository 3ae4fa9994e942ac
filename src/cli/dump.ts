/** `podplane dump`: a node's rules in the formats of ovs-ofctl, iptables-save and nft. */
import { Command } from 'commander';
import { dumpIptables } from '../dump/iptables.js';
import { dumpFlows, dumpGroups } from '../dump/openflow.js';
import { dumpPodNftables } from '../dump/pod-nftables.js';
import { groupText, ruleText } from '../engine/explain.js';
import type { Epoch } from '../tables/epoch.js';
import { badArgument } from './exit.js';
import { type ClusterOptions, clusterCommand, loadNamedCluster } from './options.js';
import { writeJson, writeText } from './print/output.js';

interface DumpOptions extends ClusterOptions {
  readonly node: string;
  readonly explain?: boolean;
}

export function dumpCommand(): Command {
  const command = new Command('dump')
    .description("write a node's rules as other programs read them")
    .showHelpAfterError('(--help shows the options)')
    .addHelpText(
      'after',
      [
        '',
        'Examples:',
        '  podplane dump flows -c examples/two-nodes --node node1 | ovs-ofctl -O OpenFlow13 add-flows br0 -',
        '  podplane dump iptables -c examples/two-nodes --node node1 --explain | iptables-restore --test',
      ].join('\n'),
    );
  command.addCommand(
    kind('flows', "br0's flows, as ovs-ofctl add-flows reads them").action((options: DumpOptions) =>
      print(options, flowReport),
    ),
  );
  command.addCommand(
    kind('groups', "br0's groups, as ovs-ofctl add-groups reads them; before the flows").action(
      (options: DumpOptions) => print(options, groupReport),
    ),
  );
  command.addCommand(
    kind('iptables', 'nat, filter and raw, as iptables-restore reads them').action((options: DumpOptions) =>
      print(options, iptablesReport),
    ),
  );
  command.addCommand(
    kind('nftables', "the filter inside the node's pods, as nft -f reads it").action((options: DumpOptions) =>
      print(options, nftablesReport),
    ),
  );
  for (const child of command.commands) child.exitOverride();
  return command;
}

const kind = (name: string, description: string): Command =>
  clusterCommand(name)
    .description(description)
    .requiredOption('--node <name>', 'whose rules')
    .option('--explain', 'name the object behind each line, as a comment');

interface DumpReport {
  readonly text: string;
  readonly json: object;
}

async function print(
  options: DumpOptions,
  report: (epoch: Epoch, node: number, explain: boolean) => DumpReport,
): Promise<void> {
  const epoch = (await loadNamedCluster(options)).compile();
  const { text, json } = report(epoch, nodeRow(epoch, options.node), options.explain === true);
  if (options.json === true) writeJson({ node: options.node, ...json });
  else writeText(text);
}

function flowReport(epoch: Epoch, node: number, explain: boolean): DumpReport {
  const flows = dumpFlows(epoch, node, (rule) => ruleText(epoch, rule, node));
  const lines = flows.map((flow) =>
    explain && flow.object !== '' ? `${flow.text} # ${flow.object}` : flow.text,
  );
  return { text: `${lines.join('\n')}\n`, json: { flows } };
}

function groupReport(epoch: Epoch, node: number, explain: boolean): DumpReport {
  const groups = dumpGroups(epoch, node, (rule) => groupText(epoch, rule));
  const lines = groups.map(({ text, object }) => (explain ? `${text} # ${object}` : text));
  return { text: lines.map((line) => `${line}\n`).join(''), json: { groups } };
}

function iptablesReport(epoch: Epoch, node: number, explain: boolean): DumpReport {
  const text = dumpIptables(epoch, node, explain);
  return { text, json: { iptables: text } };
}

function nftablesReport(epoch: Epoch): DumpReport {
  const text = dumpPodNftables(epoch);
  return { text, json: { nftables: text } };
}

/** Row of the node called `name`.
 *  @throws InputError naming the nodes that there are. */
function nodeRow(epoch: Epoch, name: string): number {
  const { nodes } = epoch.tables;
  const names = Array.from({ length: nodes.rows }, (_, row) => epoch.text(nodes.name[row]!));
  const row = names.indexOf(name.replace(/^node:/, ''));
  if (row < 0) throw badArgument('--node', `there is no node ${name}`, names.join(', '));
  return row;
}
