/** npm's install script: gets the addon if this machine allows it, within bounds, and says in one line what it did.
 *
 *  It never fails an installation: without the addon the TypeScript back end does the same work. In this order:
 *    1. PODPLANE_NO_ADDON=1           nothing (and one that is there is removed)
 *    2. a sound addon is there        kept (unless the sources changed since)
 *    3. a binary host is configured   downloaded, checked in a child process, refused where damaged
 *       (PODPLANE_BINARY_HOST, or npm's podplane_binary_host_mirror; no other host is ever asked)
 *    4. compiler and headers here     built; headers are never downloaded
 *    5. else                          nothing
 *  The outcome lies in build/addon.json for `podplane version`, what the tools said in build/install.log. */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from './install-run.mjs';
import { findToolchain } from './install-toolchain.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const require = createRequire(join(root, 'package.json'));
const { CHECKSUM_SUFFIX, sha256 } = require('./scripts/addon-load.cjs');
const { binary } = require('./package.json');

const addon = join(root, binary.module_path, `${binary.module_name}.node`);
const outcomeFile = join(root, 'build', 'addon.json');
const logFile = join(root, 'build', 'install.log');

const CHECK_MS = 20_000;
const DOWNLOAD_MS = 1000 * secondsOf('PODPLANE_DOWNLOAD_TIMEOUT', 15);
const BUILD_MS = 1000 * secondsOf('PODPLANE_BUILD_TIMEOUT', 180);

const outcome = await getAddon().catch((error) => without([error.message]));
try {
  writeFileSync(outcomeFile, `${JSON.stringify(outcome, null, 2)}\n`);
} catch {
  // A read-only folder keeps no outcome; the line below says it.
}
console.log(
  outcome.isNative
    ? `podplane: native addon ${outcome.why}; the native back end runs`
    : `podplane: no native addon: ${outcome.why}; the TypeScript back end runs`,
);

/** The outcome as written: { isNative, state, why, sources }, `sources` being the digest of what the addon is of. */
async function getAddon() {
  mkdirSync(dirname(outcomeFile), { recursive: true });
  if (isSet('PODPLANE_NO_ADDON')) {
    rmSync(dirname(addon), { recursive: true, force: true });
    return without(['PODPLANE_NO_ADDON is set']);
  }
  rmSync(logFile, { force: true });
  if (isOfTheseSources() && (await whyUnsound()) === '') return withAddon('kept', 'already in place');
  const failures = [];
  for (const step of [download, build]) {
    rmSync(dirname(addon), { recursive: true, force: true });
    const { done, why } = await step();
    if (done) {
      writeFileSync(addon + CHECKSUM_SUFFIX, `${sha256(addon)}  ${binary.module_name}.node\n`);
      return withAddon(done, [why, ...failures].join('; '));
    }
    if (why) failures.push(why);
  }
  rmSync(dirname(addon), { recursive: true, force: true });
  return without(failures);
}

function withAddon(state, why) {
  return { isNative: true, state, why, sources: sourcesDigest() };
}

function without(reasons) {
  return { isNative: false, state: 'skipped', why: reasons.join('; ') };
}

/** Step 3. `why` is empty where no host is configured: then nothing was tried. */
async function download() {
  const host = process.env.PODPLANE_BINARY_HOST || process.env.npm_config_podplane_binary_host_mirror;
  if (!host || isSet('npm_config_build_from_source')) return { why: '' };
  if (!URL.canParse(host)) return { why: 'the configured binary host is no URL' };
  const name = new URL(host).host || host;
  const { outcome: result, output } = await preGyp(['install', '--fallback-to-build=false'], DOWNLOAD_MS, {
    npm_config_podplane_binary_host_mirror: host,
  });
  if (result === 'timeout') return { why: `${name} gave no addon within ${DOWNLOAD_MS / 1000} s` };
  if (result === 'failed') {
    const [hint] = /response status \d+|E[A-Z_]{5,}/.exec(output) ?? ['see build/install.log'];
    return { why: `${name} gave no addon (${hint})` };
  }
  const why = await whyUnsound();
  return why === ''
    ? { done: 'downloaded', why: `taken from ${name}` }
    : { why: `addon from ${name} refused (${why})` };
}

/** Step 4. */
async function build() {
  const tools = findToolchain(process.env);
  if (tools.why) return { why: tools.why };
  // The copy may be a hard link to make's own product: what damaged the one has damaged the other.
  rmSync(join(root, 'build', 'Release'), { recursive: true, force: true });
  const { outcome: result } = await preGyp(['configure', 'build', `--nodedir=${tools.nodeDir}`], BUILD_MS, {
    CXX: tools.compiler,
    PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH}`,
  });
  if (result === 'timeout') return { why: `the build took more than ${BUILD_MS / 1000} s` };
  if (result === 'failed') return { why: 'the build failed, see build/install.log' };
  const why = await whyUnsound();
  return why === ''
    ? { done: 'built', why: `built with ${tools.compiler}` }
    : { why: `the addon built here is refused (${why})` };
}

function preGyp(args, timeoutMs, more) {
  const env = { ...process.env, ...more };
  // node-pre-gyp would obey these and build where it is asked to download only.
  for (const name of ['build_from_source', 'fallback_to_build', 'argv']) delete env[`npm_config_${name}`];
  const program = require.resolve('@mapbox/node-pre-gyp/bin/node-pre-gyp');
  return run(process.execPath, [program, ...args], { cwd: root, env, timeoutMs, logFile });
}

/** Why the addon file is not to be used, or ''. Asked of a child process: a damaged library may kill who loads it. */
async function whyUnsound() {
  const check = join(root, 'scripts', 'addon-load.cjs');
  const { outcome: result, output } = await run(process.execPath, [check, addon], {
    cwd: root,
    env: process.env,
    timeoutMs: CHECK_MS,
    logFile,
  });
  return result === 'ok' ? '' : output.trim().replace(`${addon}: `, '') || 'it cannot be loaded';
}

/** Was the addon in place made from the sources that lie here now? Yes where nothing is on record. */
function isOfTheseSources() {
  try {
    const { sources } = JSON.parse(readFileSync(outcomeFile, 'utf8'));
    return sources === undefined || sources === sourcesDigest();
  } catch {
    return true;
  }
}

function sourcesDigest() {
  const hash = createHash('sha256').update(readFileSync(join(root, 'binding.gyp')));
  const files = readdirSync(join(root, 'native')).filter((name) => /\.(cc|h)$/.test(name));
  for (const file of files.sort()) hash.update(file).update(readFileSync(join(root, 'native', file)));
  return hash.digest('hex');
}

function isSet(name) {
  return !['', '0', 'false'].includes(process.env[name] ?? '');
}

function secondsOf(name, otherwise) {
  const seconds = Number(process.env[name]);
  return seconds > 0 ? seconds : otherwise;
}
