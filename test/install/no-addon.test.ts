/** Tests of an installation that ends without the addon: one line, exit 0, TypeScript carries on. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { listen } from './loopback.js';
import { copyPackage, outcomeOf } from './package-copy.js';

test('without a compiler the install says so in one line, and TypeScript runs', async (t) => {
  const copy = copyPackage(t);
  const ran = await copy.install({ PATH: copy.emptyPath });
  assert.deepEqual(ran, {
    code: 0,
    errors: '',
    lines: [
      'podplane: no native addon: no C++ compiler (looked for c++, g++, clang++); the TypeScript back end runs',
    ],
  });
  assert.equal(outcomeOf(copy).state, 'skipped');
  assert.deepEqual(await copy.backend(), {
    name: 'typescript',
    why: 'addon not built: no C++ compiler (looked for c++, g++, clang++)',
  });
});

test('PODPLANE_NO_ADDON skips the addon, compiler or not', async (t) => {
  const copy = copyPackage(t);
  const ran = await copy.install({ PODPLANE_NO_ADDON: '1' });
  assert.equal(ran.code, 0);
  assert.deepEqual(ran.lines, [
    'podplane: no native addon: PODPLANE_NO_ADDON is set; the TypeScript back end runs',
  ]);
  assert.equal(existsSync(copy.addon), false);
});

test('a package whose install script never ran says that', async (t) => {
  assert.deepEqual(await copyPackage(t).backend(), {
    name: 'typescript',
    why: 'addon not built: the install script has not run',
  });
});

test('a host that refuses connections costs one line', async (t) => {
  const copy = copyPackage(t);
  const server = createServer();
  const { host } = await listen(t, server);
  await new Promise((resolve) => server.close(resolve));
  const ran = await copy.install({ PATH: copy.emptyPath, PODPLANE_BINARY_HOST: `http://${host}` });
  assert.equal(ran.code, 0);
  assert.deepEqual(ran.lines, [
    `podplane: no native addon: ${host} gave no addon (ECONNREFUSED); ` +
      'no C++ compiler (looked for c++, g++, clang++); the TypeScript back end runs',
  ]);
  assert.equal((await copy.backend()).name, 'typescript');
});

test('a host that takes the connection and never answers is given up after the bound', async (t) => {
  const copy = copyPackage(t);
  let connections = 0;
  const server = createServer((socket) => {
    connections++;
    t.after(() => socket.destroy());
  });
  const { host } = await listen(t, server);
  const ran = await copy.install({
    PATH: copy.emptyPath,
    npm_config_podplane_binary_host_mirror: `http://${host}`,
    PODPLANE_DOWNLOAD_TIMEOUT: '2',
  });
  assert.equal(ran.code, 0);
  assert.equal(connections, 1);
  assert.match(
    ran.lines.join('|'),
    new RegExp(`^podplane: no native addon: ${host} gave no addon within 2 s; [^|]*$`),
  );
  assert.equal((await copy.backend()).name, 'typescript');
});

test('a host setting that is no URL is named, not followed', async (t) => {
  const copy = copyPackage(t);
  const ran = await copy.install({ PATH: copy.emptyPath, PODPLANE_BINARY_HOST: 'somewhere' });
  assert.match(
    ran.lines.join('|'),
    /^podplane: no native addon: the configured binary host is no URL; [^|]*$/,
  );
});
