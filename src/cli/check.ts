/** `podplane check`: what was found in the manifests. */
import type { Command } from 'commander';
import type { LoadedCluster } from '../cluster.js';
import { type ClusterOptions, clusterCommand, loadNamedCluster } from './options.js';
import { checkReport, checkText } from './print/check-report.js';
import { paintFor } from './print/colour.js';
import { writeJson, writeText } from './print/output.js';

export function checkCommand(): Command {
  return clusterCommand('check')
    .description('load a cluster and show what was found')
    .addHelpText(
      'after',
      '\nExamples:\n  podplane check -c examples/two-nodes\n  kubectl get nodes,pods,services,endpointslices -A -o yaml | podplane check -c -',
    )
    .action(async (options: ClusterOptions) => {
      const cluster: LoadedCluster = await loadNamedCluster(options);
      // Compiling is part of the check: what cannot be compiled must show here, not later.
      cluster.compile();
      const report = checkReport(cluster);
      if (options.json === true) writeJson(report);
      else writeText(checkText(report, paintFor(process.stdout)));
    });
}
