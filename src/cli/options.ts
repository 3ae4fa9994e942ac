/** Options that commands share, and the cluster that they name. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { type LoadedCluster, loadCluster } from '../cluster.js';
import type { Platform } from '../model/cluster.js';
import type { PolicyMode } from '../model/policy.js';
import { badArgument } from './exit.js';

export interface ClusterOptions {
  readonly cluster?: readonly string[];
  readonly platform?: Platform;
  readonly policy?: PolicyMode;
  readonly expand?: boolean;
  readonly json?: boolean;
}

const PLATFORMS: readonly Platform[] = ['ocp4', 'ocp3', 'kubernetes'];
const POLICY_MODES: readonly PolicyMode[] = ['api', 'sdn'];

/** A command with --json and the options that name a cluster. */
export const clusterCommand = (name: string): Command =>
  plainCommand(name)
    .addOption(
      new Option(
        '-c, --cluster <path>',
        'manifests: a file, a folder, or - for stdin; may be repeated',
      ).argParser((value: string, before: string[] | undefined) => [...(before ?? []), value]),
    )
    .addOption(
      new Option('--platform <name>', 'distribution, instead of what the objects show').choices(PLATFORMS),
    )
    .addOption(
      new Option(
        '--policy <mode>',
        "NetworkPolicies by the API's text, or as OpenShift SDN has them (default: the platform's)",
      ).choices(POLICY_MODES),
    )
    .option('--expand', 'make the pods of Deployments and other owners');

/** A command with --json. */
export const plainCommand = (name: string): Command =>
  new Command(name)
    .option('--json', 'write JSON instead of text')
    .showHelpAfterError('(--help shows the options)');

/** Load what -c names.
 *  @throws InputError when -c is missing, or with all problems of the manifests. */
export async function loadNamedCluster(options: ClusterOptions): Promise<LoadedCluster> {
  const { cluster: paths = [], platform, policy, expand } = options;
  if (paths.length === 0)
    throw badArgument('-c', 'no cluster is named', '-c with a file, a folder, or - for stdin');
  return loadCluster(paths, {
    ...(platform === undefined ? {} : { platform }),
    ...(policy === undefined ? {} : { policy }),
    ...(expand === true ? { expand } : {}),
  });
}

/** Parser of a whole number in [min, max], for commander. */
export const wholeNumber =
  (min: number, max: number) =>
  (text: string): number => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max)
      throw new InvalidArgumentError(`A whole number from ${min} to ${max} is wanted.`);
    return value;
  };

export const portNumber = wholeNumber(0, 65_535);
export const seedNumber = wholeNumber(0, 0xffffffff);

/** --fail-on with a comma-separated list out of `choices`: exit 3 when one of them has happened. */
export const failOnOption = (choices: readonly string[]): Option =>
  new Option('--fail-on <list>', `exit 3 on any of ${choices.join(',')}`).argParser((text: string) => {
    const names = text.split(',');
    const unknown = names.find((name) => !choices.includes(name));
    if (unknown !== undefined)
      throw new InvalidArgumentError(`"${unknown}" is none of ${choices.join(', ')}.`);
    return names;
  });
