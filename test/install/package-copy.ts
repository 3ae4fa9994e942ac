/** A copy of the package in a temporary folder, to install there without touching the checkout. */
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
/** The compiled sources that belong to this test run. */
const COMPILED = join(here, '..', '..', 'src');
const ROOT = rootAbove(here);

export interface PackageCopy {
  readonly folder: string;
  /** Where the addon lies once it is installed. */
  readonly addon: string;
  /** A PATH with no program at all. */
  readonly emptyPath: string;
  /** Run the install script; `env` is the whole environment beside PATH. Never rejects on a bad exit. */
  install(env: Readonly<Record<string, string>>): Promise<Ran>;
  /** Which back end a process of this package gets, and why. */
  backend(): Promise<{ name: string; why: string }>;
  /** Run node-pre-gyp in the package. */
  preGyp(...args: string[]): Promise<Ran>;
}

export interface Ran {
  readonly code: number | null;
  readonly lines: readonly string[];
  readonly errors: string;
}

/** Copy what the packed package holds; the folder is removed when the test ends. */
export function copyPackage(t: TestContext): PackageCopy {
  const folder = mkdtempSync(join(tmpdir(), 'podplane-install-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const part of ['package.json', 'binding.gyp', 'native', 'scripts']) {
    cpSync(join(ROOT, part), join(folder, part), { recursive: true });
  }
  cpSync(COMPILED, join(folder, 'dist', 'src'), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  const emptyPath = join(folder, 'no-programs');
  mkdirSync(emptyPath);
  const backendUrl = join(folder, 'dist', 'src', 'kernels', 'backend.js');
  return {
    folder,
    addon: join(folder, 'build', 'addon', 'podplane.node'),
    emptyPath,
    install: (env) => runNode(folder, ['scripts/install.mjs'], env),
    preGyp: (...args) => runNode(folder, ['node_modules/@mapbox/node-pre-gyp/bin/node-pre-gyp', ...args], {}),
    async backend() {
      const source = `const { name, why } = (await import(${JSON.stringify(backendUrl)})).loadKernels();
        console.log(JSON.stringify({ name, why }));`;
      const ran = await runNode(folder, ['--input-type=module', '-e', source], {});
      if (ran.code !== 0) throw new Error(`the back end cannot be loaded: ${ran.errors}`);
      return JSON.parse(ran.lines.join('')) as { name: string; why: string };
    },
  };
}

/** The outcome that the install script left. */
export const outcomeOf = (copy: PackageCopy): { state: string; why: string } =>
  JSON.parse(readFileSync(join(copy.folder, 'build', 'addon.json'), 'utf8'));

/** The environment is given whole: a proxy, an npm setting or a compiler of the machine must not leak in. */
function runNode(cwd: string, args: string[], env: Readonly<Record<string, string>>): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const base = { PATH: process.env['PATH'] ?? '', HOME: cwd };
    const child = spawn(process.execPath, args, {
      cwd,
      env: { ...base, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    let errors = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      errors += chunk.toString();
    });
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, lines: output.split('\n').filter(Boolean), errors }));
  });
}

function rootAbove(folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : rootAbove(dirname(folder));
}
