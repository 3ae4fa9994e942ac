/** `podplane matrix`: who reaches whom, and what another cluster would change about it. */
import { Option } from 'commander';
import type { LoadedCluster } from '../cluster.js';
import { chosenKernels } from './backend.js';
import { badArgument } from './exit.js';
import { changesOf } from './matrix/changes.js';
import { endsOf } from './matrix/ends.js';
import { type ReachMatrix, reachMatrix } from './matrix/reach.js';
import { type ClusterOptions, clusterCommand, loadNamedCluster, portNumber, seedNumber } from './options.js';
import { paintFor } from './print/colour.js';
import { changesCsv, changesJson, changesText } from './print/matrix-changes.js';
import { matrixCsv, matrixJson } from './print/matrix-data.js';
import { matrixText } from './print/matrix-text.js';
import { writeJson, writeText } from './print/output.js';
import { ReferenceBook } from './reference.js';
import { PACKET_PROTOCOLS, type PacketProtocol } from './target.js';

interface MatrixOptions extends ClusterOptions {
  readonly port?: number;
  readonly proto: PacketProtocol;
  readonly from: readonly string[];
  readonly to: readonly string[];
  readonly against?: readonly string[];
  readonly by?: 'pod' | 'namespace';
  readonly csv?: boolean;
  readonly seed: number;
}

const collect = (value: string, before: readonly string[] = []): string[] => [...before, value];

export function matrixCommand() {
  return clusterCommand('matrix')
    .description('who reaches whom: the first packet of every pair on its whole path')
    .option('--port <n>', 'the port that is asked for', portNumber)
    .addOption(new Option('--proto <name>', 'protocol').choices(PACKET_PROTOCOLS).default('tcp'))
    .option('--from <ref>', 'only from this reference, or ns:NAME; may be repeated', collect, [])
    .option('--to <ref>', 'only to this reference, or ns:NAME; may be repeated', collect, [])
    .option('--against <path>', 'show only what these manifests change; may be repeated', collect)
    .addOption(new Option('--by <what>', 'a row for each').choices(['pod', 'namespace']))
    .option('--csv', 'write from,to,reach,reason lines instead of text')
    .option('--seed <n>', 'seed of the random choices', seedNumber, 1)
    .addHelpText(
      'after',
      [
        '',
        'open: a socket takes the packet; closed: it arrives, and nobody listens; isolated: a policy, a tenant or an',
        'egress rule stops it; lost: it ends for another reason. --json and --csv name the reason of every pair.',
        '',
        'Examples:',
        '  podplane matrix -c examples/two-nodes --port 8080',
        '  podplane matrix -c examples/two-nodes --port 8080 --from ns:web --to svc:web/jws-app --to ip:192.0.2.1',
        '  podplane matrix -c before --against after --port 443 --csv',
      ].join('\n'),
    )
    .action(async (options: MatrixOptions) => {
      if (options.port === undefined && options.proto !== 'icmp')
        throw badArgument('--port', 'no port is named', '--port 80, or --proto icmp');
      if (options.csv === true && options.json === true)
        throw badArgument('--csv', '--csv and --json ask for two forms', 'one of them');
      chosenKernels();
      const matrix = ask(await loadNamedCluster(options), options);
      if (options.against === undefined) print(matrix, options);
      else
        printChanges(
          matrix,
          ask(await loadNamedCluster({ ...options, cluster: options.against }), options),
          options,
        );
    });
}

function ask(cluster: LoadedCluster, { from, to, port = 0, proto, seed }: MatrixOptions): ReachMatrix {
  const { model } = cluster;
  const book = new ReferenceBook(model);
  const sources = endsOf('--from', from, model, book);
  const destinations = endsOf('--to', to, model, book);
  return reachMatrix(cluster.compile(), sources, destinations, { protocol: proto, port, seed });
}

function print(matrix: ReachMatrix, options: MatrixOptions): void {
  if (options.csv === true) for (const text of matrixCsv(matrix)) process.stdout.write(text);
  else if (options.json === true) writeJson(matrixJson(matrix, options));
  else writeText(matrixText(matrix, options, paintFor(process.stdout)));
}

function printChanges(before: ReachMatrix, after: ReachMatrix, options: MatrixOptions): void {
  const changes = changesOf(before, after);
  if (options.csv === true) writeText(changesCsv(changes));
  else if (options.json === true) writeJson(changesJson(changes));
  else writeText(changesText(changes, paintFor(process.stdout)));
}
