/** Tests of an addon that is built here, packed, and installed elsewhere without a compiler. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { needs } from '../support/needs.js';
import { serve } from './loopback.js';
import { copyPackage, outcomeOf } from './package-copy.js';

test('an addon built with the compiler of this machine', needs('toolchain'), async (suite) => {
  const builder = copyPackage(suite);
  const built = (await builder.install({})).lines;
  const ran = await builder.preGyp('package');
  assert.equal(ran.code, 0, ran.errors);
  const stage = join(builder.folder, 'build', 'stage');
  const [file] = readdirSync(stage, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.gz'),
  );
  const path = `/${file}`;
  const packed = readFileSync(join(stage, file!));

  /** Install a copy that has no compiler from a host that serves `bytes`. */
  async function installFrom(t: TestContext, bytes: Uint8Array) {
    const copy = copyPackage(t);
    const { host, asked } = await serve(t, new Map([[path, bytes]]));
    const ran = await copy.install({ PATH: copy.emptyPath, PODPLANE_BINARY_HOST: `http://${host}` });
    return { copy, host, asked, ran };
  }

  await suite.test('the build says it in one line, and the native back end runs', async () => {
    assert.equal(built.length, 1);
    assert.match(built[0]!, /^podplane: native addon built with \S+; the native back end runs$/);
    assert.equal((await builder.backend()).name, 'native');
  });

  await suite.test('a second install keeps it', async () => {
    assert.deepEqual((await builder.install({})).lines, [
      'podplane: native addon already in place; the native back end runs',
    ]);
  });

  await suite.test('the packed binary installs without a compiler', async (t) => {
    const { copy, host, asked, ran } = await installFrom(t, packed);
    assert.equal(ran.code, 0);
    assert.deepEqual(ran.lines, [`podplane: native addon taken from ${host}; the native back end runs`]);
    assert.deepEqual(asked, [path]);
    assert.equal(outcomeOf(copy).state, 'downloaded');
    assert.equal((await copy.backend()).name, 'native');
  });

  const damages: { why: string; damage: (bytes: Buffer) => Uint8Array }[] = [
    { why: 'cut in the middle', damage: (bytes) => bytes.subarray(0, bytes.length >> 1) },
    { why: 'one byte flipped in the archive', damage: (bytes) => flip(bytes, bytes.length >> 1) },
    { why: 'one byte flipped in the library, sound gzip', damage: (bytes) => flipInLibrary(bytes) },
    {
      why: 'the library cut short, sound gzip',
      damage: (bytes) => gzipSync(gunzipSync(bytes).subarray(0, 20_480)),
    },
    { why: 'a page of an error in place of the archive', damage: () => Buffer.from('<html>sorry</html>') },
    { why: 'empty', damage: () => Buffer.alloc(0) },
  ];
  for (const { why, damage } of damages) {
    await suite.test(`a corrupted one is refused and TypeScript carries on: ${why}`, async (t) => {
      const { copy, host, ran } = await installFrom(t, damage(packed));
      assert.equal(ran.code, 0);
      assert.equal(ran.lines.length, 1);
      assert.match(
        ran.lines[0]!,
        new RegExp(`^podplane: no native addon: .*${host} (gave no addon|refused) .*TypeScript`),
      );
      assert.equal((await copy.backend()).name, 'typescript');
    });
  }

  await suite.test('an addon damaged after its installation is refused before it is loaded', async (t) => {
    const { copy } = await installFrom(t, packed);
    writeFileSync(copy.addon, flip(readFileSync(copy.addon), 5000));
    assert.deepEqual(await copy.backend(), {
      name: 'typescript',
      why: 'addon refused: its checksum differs',
    });
    const again = await copy.install({ PATH: copy.emptyPath });
    assert.match(again.lines.join('|'), /^podplane: no native addon: no C\+\+ compiler[^|]*$/);
  });

  await suite.test('changed sources are built again', async (t) => {
    const { copy } = await installFrom(t, packed);
    const header = join(copy.folder, 'native', 'tables.h');
    writeFileSync(
      header,
      readFileSync(header, 'utf8').replace(/kLayoutVersion = \d+/, 'kLayoutVersion = 99'),
    );
    const ran = await copy.install({});
    assert.match(
      ran.lines.join('|'),
      /^podplane: no native addon: the addon built here is refused \(its table layout is 99/,
    );
  });
});

function flip(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at]! ^= 0xff;
  return copy;
}

/** Flip a byte of the code: the archive stays sound, so that only the checksum can tell. */
function flipInLibrary(bytes: Buffer): Buffer {
  const tar = gunzipSync(bytes);
  return gzipSync(flip(tar, tar.indexOf('\x7fELF') + 16_384));
}
