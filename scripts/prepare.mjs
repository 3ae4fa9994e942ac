// What the two commands share: the packages that the lock file names, and the compiled TypeScript.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const STAMP = 'node_modules/.podplane-lock';

/** Run `npm ci`, unless the packages of this very lock file are there. */
export function installIfMissing() {
  const lock = createHash('sha256').update(readFileSync('package-lock.json')).digest('hex');
  // npm writes its own copy of the lock last of all, so a broken install has none.
  const isInstalled = existsSync('node_modules/.package-lock.json');
  const known = existsSync(STAMP) ? readFileSync(STAMP, 'utf8') : '';
  if (isInstalled && (known === lock || known === '')) {
    if (known === '') writeFileSync(STAMP, lock);
    return;
  }
  run('npm', ['ci']);
  writeFileSync(STAMP, lock);
}

/** Compile, unless nothing changed since the last time. */
export function build() {
  const newest = Math.max(...['src', 'test', 'bench', 'examples'].flatMap(times), mtime('tsconfig.json'));
  if (existsSync('dist/.built') && mtime('dist/.built') >= newest) return;
  rmSync('dist', { recursive: true, force: true });
  run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json']);
  writeFileSync('dist/.built', '');
}

const mtime = (path) => statSync(path).mtimeMs;

function times(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => mtime(join(entry.path, entry.name)));
}

function run(command, args) {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit' });
  if (status === 0) return;
  console.error(error ? error.message : `${command} ${args.join(' ')} ended with ${status}`);
  process.exit(1);
}
