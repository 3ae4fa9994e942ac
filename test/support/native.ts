/** Says which tests need the addon, so that a machine without it skips them by name and CI may not. */
import { loadKernels } from '../../src/kernels/backend.js';

const auto = loadKernels('auto');

/** Options for node:test: skipped, with the reason, where the addon is not there.
 *  @throws Error when PODPLANE_REQUIRE lists `native`: there a skip is a failure. */
export function needsNative(): { skip: string | false } {
  if (auto.name === 'native') return { skip: false };
  const isDemanded = (process.env['PODPLANE_REQUIRE'] ?? '').split(/[ ,]+/).includes('native');
  if (isDemanded) throw new Error(`PODPLANE_REQUIRE asks for native, but: ${auto.why}`);
  return { skip: `needs native (${auto.why})` };
}
