/** What a run of the witness has on this machine, and how the next run clears it away when that one was killed.
 *
 *  A run's files lie in podplane-oracle/PID under the temporary folder, its namespaces are called ppPID-…; so what belongs to
 *  a process that is no more can be told by its name. A run that merely fails takes its things down itself. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const RUNS = join(tmpdir(), 'podplane-oracle');
const SPACES = '/run/netns';

/** Folder of the run with process number `pid`. */
export const runFolder = (pid = process.pid): string => join(RUNS, String(pid));

/** Two runs on one machine must not meet. */
export const spacePrefix = (pid = process.pid): string => `pp${pid}-`;

/** Namespaces of the run with process number `pid`. */
export const spacesOf = (pid: number): string[] =>
  existsSync(SPACES) ? readdirSync(SPACES).filter((name) => name.startsWith(spacePrefix(pid))) : [];

/** Running Open vSwitch daemons whose process numbers lie in the folder of run `pid`. */
export function daemonsOf(pid: number): number[] {
  const folder = runFolder(pid);
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.pid'))
    .map((name) => Number(readFileSync(join(folder, name), 'utf8')))
    .filter(isSwitch);
}

/** Clear away what killed runs have left. Returns their process numbers. */
export function sweep(): number[] {
  const runs = existsSync(RUNS) ? readdirSync(RUNS).map(Number) : [];
  const dead = runs.filter((pid) => Number.isInteger(pid) && !existsSync(`/proc/${pid}`));
  for (const pid of dead) {
    for (const daemon of daemonsOf(pid)) process.kill(daemon, 'SIGKILL');
    for (const space of spacesOf(pid)) spawnSync('ip', ['netns', 'del', space]);
    rmSync(runFolder(pid), { recursive: true, force: true });
  }
  return dead;
}

/** The number may have gone to another program by now; one that ended and was not waited for has no command line. */
function isSwitch(pid: number): boolean {
  const file = `/proc/${pid}/cmdline`;
  return existsSync(file) && /ovs(db-server|-vswitchd)/.test(readFileSync(file, 'utf8'));
}
