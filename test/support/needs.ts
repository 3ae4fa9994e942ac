/** Says which tests need a tool or root, so that a plain machine skips them by name and CI may not. */
import { spawnSync } from 'node:child_process';
import { toolchain } from './toolchain.js';

const REQUIRED = new Set((process.env['PODPLANE_REQUIRE'] ?? '').split(/[ ,]+/).filter(Boolean));

function has(need: string): boolean {
  if (need === 'root') return process.getuid?.() === 0;
  if (need === 'toolchain') return toolchain.why === '';
  return spawnSync('sh', ['-c', `command -v ${need}`], { stdio: 'ignore' }).status === 0;
}

/** Options for node:test: skipped, and named, where one of `wanted` is absent: a program's name, `root`, or `toolchain`, all that
 *  the addon is built with, Node's headers among it.
 *  @throws Error when PODPLANE_REQUIRE lists the absent one: there a skip is a failure. */
export function needs(...wanted: string[]): { skip: string | false } {
  const absent = wanted.filter((need) => !has(need));
  const demanded = absent.filter((need) => REQUIRED.has(need));
  if (demanded.length > 0)
    throw new Error(`PODPLANE_REQUIRE asks for ${demanded.join(', ')}, which is not here`);
  return { skip: absent.length > 0 ? `needs ${absent.join(', ')}` : false };
}
