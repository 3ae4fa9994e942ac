/** What the install script finds on this machine to build the addon with. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

interface Toolchain {
  /** The folder that has Node's headers in include/node. */
  readonly nodeDir?: string;
  /** What is missing first; empty where nothing is. */
  readonly why: string;
}

const SCRIPT = join(import.meta.dirname, '..', '..', '..', 'scripts', 'install-toolchain.mjs');
const { findToolchain } = (await import(pathToFileURL(SCRIPT).href)) as {
  findToolchain: (env: { readonly PATH: string }) => Toolchain;
};

/** With nothing of the environment but its PATH, as tests install. */
export const toolchain = findToolchain({ PATH: process.env['PATH'] ?? '' });
