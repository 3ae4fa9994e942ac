/** `podplane version`: which podplane, which back end and why, which Node. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { chosenKernels } from './backend.js';
import { plainCommand } from './options.js';
import { writeJson, writeText } from './print/output.js';

export function versionCommand(): Command {
  return plainCommand('version')
    .description('show the version, which back end runs and why')
    .addHelpText('after', '\nExample:\n  PODPLANE_BACKEND=typescript podplane version')
    .action((options: { readonly json?: boolean }) => {
      const { name, why } = chosenKernels();
      const facts = {
        version: podplaneVersion(),
        backend: name,
        why,
        node: process.version,
        platform: `${process.platform}-${process.arch}`,
      };
      if (options.json === true) writeJson(facts);
      else
        writeText(
          `podplane ${facts.version}\nback end ${name}: ${why}\nNode     ${facts.node} on ${facts.platform}\n`,
        );
    });
}

/** The version in the package.json above this file, which lies at other depths in a checkout than in a package. */
export function podplaneVersion(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json')) && dirname(folder) !== folder) folder = dirname(folder);
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string };
  return version;
}
