/** The addon built with sanitizers, in a copy of the package, and tests that run on it there. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { toolchain } from '../support/toolchain.js';
import { copyPackage } from './package-copy.js';

const SANITIZERS = ['asan', 'ubsan'] as const;
/** Folders of compiled tests. */
const TESTS = join(import.meta.dirname, '..');

/** Build it, and run compiled tests on it: all of a folder, or one file `folder/name`. All must pass, none be skipped. */
export async function runChecked(t: TestContext, tests: readonly string[]): Promise<void> {
  const copy = copyPackage(t);
  const root = join(TESTS, '..', '..');
  for (const part of ['dist', 'examples', join('test', 'captures')])
    if (existsSync(join(root, part))) cpSync(join(root, part), join(copy.folder, part), { recursive: true });
  const built = await copy.preGyp(
    'configure',
    'build',
    `--nodedir=${toolchain.nodeDir}`,
    '--sanitize=address,undefined',
  );
  assert.equal(built.code, 0, built.errors);
  assert.ok(readFileSync(copy.addon).includes('__asan_'), 'the addon is a checked one');
  const files = tests.flatMap(filesOf).map((file) => join('dist', 'test', file));
  const { status, stdout } = spawnSync(process.execPath, ['--test', '--test-reporter=tap', ...files], {
    cwd: copy.folder,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
    env: {
      PATH: process.env['PATH'] ?? '',
      LD_PRELOAD: SANITIZERS.map(libraryOf).join(' '),
      // What Node itself never frees is none of the kernels'.
      ASAN_OPTIONS: 'detect_leaks=0',
      UBSAN_OPTIONS: 'halt_on_error=1',
      PODPLANE_BACKEND: 'native',
    },
  });
  const wrong = stdout
    .split('\n')
    .filter((line) => /^ *not ok|ERROR: AddressSanitizer|runtime error:/.test(line));
  assert.deepEqual([status, wrong], [0, []]);
  const count = (what: string): number => Number(new RegExp(`^# ${what} (\\d+)$`, 'm').exec(stdout)?.[1]);
  assert.equal(count('skipped'), 0);
  assert.ok(count('pass') >= files.length, `${count('pass')} tests of ${files.length} files`);
  t.diagnostic(`${count('pass')} tests on the checked addon`);
}

const filesOf = (test: string): string[] =>
  test.includes('/')
    ? [`${test}.test.js`]
    : readdirSync(join(TESTS, test))
        .filter((name) => name.endsWith('.test.js'))
        .map((name) => join(test, name));

/** Where the compiler has the sanitizer's library. */
function libraryOf(sanitizer: (typeof SANITIZERS)[number]): string {
  const { stdout } = spawnSync('g++', [`-print-file-name=lib${sanitizer}.so`], { encoding: 'utf8' });
  return stdout.trim();
}
