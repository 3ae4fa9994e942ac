/** Runs the built command line as a child process and gives what it said. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));

/** The cli.js that was built together with this test. */
export const CLI = join(here, '..', '..', 'src', 'cli.js');

/** The checkout: the folder above that has package.json. */
export const ROOT = packageRoot(here);
export const TWO_NODES = join(ROOT, 'examples', 'two-nodes');

export interface CliRun {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Run `podplane ...args` with `input` on stdin and `env` on top of the environment. */
export function runCli(args: readonly string[], input = '', env: NodeJS.ProcessEnv = {}): CliRun {
  const { PODPLANE_DEBUG: _debug, ...rest } = process.env;
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], {
    encoding: 'utf8',
    input,
    cwd: ROOT,
    env: { ...rest, ...env },
    maxBuffer: 64 * 1024 * 1024,
  });
  return { code: status, out: stdout, err: stderr };
}

/** Run with --json and read the answer. */
export function runJson<T>(args: readonly string[], input = ''): T {
  const { code, out, err } = runCli([...args, '--json'], input);
  if (code !== 0) throw new Error(`exit ${code}: ${err}`);
  return JSON.parse(out) as T;
}

function packageRoot(folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : packageRoot(dirname(folder));
}
