/** Loads an addon file and says whether it is the one that this release means.
 *
 *  The one place that decides it, for the install script (in a child process, since a damaged library may kill
 *  the process that loads it) and for the library itself. CommonJS, so that both can load it before any build. */
'use strict';

const { createHash } = require('node:crypto');
const { existsSync, readFileSync } = require('node:fs');

/** Raised whenever a column, a mark or an argument of the kernels changes; then: npm run header. */
const LAYOUT_VERSION = 4;
/** Name of the file beside an addon that holds its SHA-256, as sha256sum writes it. */
const CHECKSUM_SUFFIX = '.sha256';

/** A TCP segment 10.128.0.2:40000 > 172.30.10.20:8080 and an ICMP echo request, identifier 0x1234, one after the other. */
const FRAMES = Buffer.from(
  '0a580a8000030a580a80000208004500002800004000400600000a800002ac1e0a149c401f90000000000000000050020000' +
    '00000000' +
    '0a580a8000030a580a80000208004500001c00004000400100000a8000020a8100020800000012340001',
  'hex',
);
const EXPECTED = {
  keys: [0x0a800002, 0xac1e0a14, 0x9c401f90, 0x106, 0x0a800002, 0x0a810002, 0x12340800, 0x201],
  hashes: [0x1fa7c186, 0x8c23990a],
};
const SEED = 0x5eed;

const sha256 = (file) => createHash('sha256').update(readFileSync(file)).digest('hex');

/** Why the object is not an addon of this layout with working kernels, or '' when it is. */
function whyUnfit(addon) {
  if (addon === null || typeof addon !== 'object') return 'it exports no object';
  if (addon.layoutVersion !== LAYOUT_VERSION) {
    return `its table layout is ${addon.layoutVersion}, this release has ${LAYOUT_VERSION}`;
  }
  const keys = new Int32Array(8);
  const hashes = new Uint32Array(2);
  const rows = new Int32Array(2);
  addon.fiveTupleBatch(
    new Uint8Array(FRAMES),
    Uint32Array.of(0, 54),
    Uint32Array.of(54, 42),
    Int32Array.of(1, 0),
    Uint32Array.of(1, 0),
    2,
    1,
    0,
    2,
    SEED,
    keys,
    hashes,
  );
  if (EXPECTED.keys.some((word, i) => keys[i] !== (word | 0)))
    return 'its five-tuple kernel gives wrong keys';
  if (EXPECTED.hashes.some((hash, i) => hashes[i] !== hash))
    return 'its five-tuple kernel gives wrong hashes';
  const slots = new Int32Array(4);
  slots[hashes[0] & 3] = -1;
  slots[(hashes[0] + 1) & 3] = 2;
  addon.conntrackLookupBatch(
    slots,
    Int32Array.of(0, 0, 0, 0, 0, 0, ...keys.subarray(0, 4)),
    2,
    keys,
    hashes,
    0,
    2,
    rows,
  );
  return rows[0] === 1 && rows[1] === -1 ? '' : 'its connection lookup kernel gives wrong rows';
}

/** Load `file`. Returns { addon, why: '' }, or { addon: undefined, why } with the reason in a few words. */
function loadAddon(file) {
  const refused = (why) => ({ addon: undefined, why });
  if (!existsSync(file)) return refused('not there');
  try {
    const checksum = file + CHECKSUM_SUFFIX;
    if (existsSync(checksum) && readFileSync(checksum, 'utf8').slice(0, 64) !== sha256(file)) {
      return refused('its checksum differs');
    }
    const addon = require(file);
    const why = whyUnfit(addon);
    return why === '' ? { addon, why } : refused(why);
  } catch (error) {
    return refused(String(error instanceof Error ? error.message : error).split('\n')[0]);
  }
}

module.exports = { CHECKSUM_SUFFIX, LAYOUT_VERSION, loadAddon, sha256, whyUnfit };

if (require.main === module) {
  const { why } = loadAddon(process.argv[2]);
  process.stdout.write(why);
  process.exitCode = why === '' ? 0 : 1;
}
