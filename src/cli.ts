#!/usr/bin/env node
/** The command line: puts the commands together and ends with their exit code. */
import { Command } from 'commander';
import { benchCommand } from './cli/bench.js';
import { checkCommand } from './cli/check.js';
import { dumpCommand } from './cli/dump.js';
import { endQuietlyOnClosedPipe, reportError } from './cli/exit.js';
import { genCommand } from './cli/gen.js';
import { matrixCommand } from './cli/matrix.js';
import { probeCommand } from './cli/probe.js';
import { reasonsCommand } from './cli/reasons.js';
import { replayCommand } from './cli/replay.js';
import { resolveCommand } from './cli/resolve.js';
import { traceCommand } from './cli/trace.js';
import { podplaneVersion, versionCommand } from './cli/version.js';

const program = new Command('podplane')
  .description('The packet-level data plane of a Kubernetes/OpenShift cluster.')
  .version(podplaneVersion())
  .showHelpAfterError('(--help shows the options)')
  .addHelpText(
    'after',
    '\nReferences: pod:web/pod-1  svc:web/jws-app:8080  node:node1  ip:1.2.3.4:80, or a bare name that is unique.' +
      '\nExit codes: 0 ok, 1 internal error, 2 bad input, 3 what --fail-on names has happened.',
  );
for (const command of [
  checkCommand(),
  traceCommand(),
  probeCommand(),
  resolveCommand(),
  replayCommand(),
  genCommand(),
  benchCommand(),
  dumpCommand(),
  matrixCommand(),
  reasonsCommand(),
  versionCommand(),
])
  program.addCommand(command);
for (const command of [program, ...program.commands]) command.exitOverride();

endQuietlyOnClosedPipe();
try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = reportError(error);
}
