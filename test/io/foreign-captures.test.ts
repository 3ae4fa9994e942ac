/** Captures that nobody here wrote: all are read, with as many packets as Wireshark finds. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { InputError } from '../../src/verdict/input-error.js';
import { needs } from '../support/needs.js';
import { readAll } from './capture-bytes.js';

const SHIPPED = 'test/captures';
const MORE = process.env['PODPLANE_CAPTURES'] ?? '../shared/captures';

const isCapture = (name: string): boolean => /\.(pcap|pcapng)$/.test(name);

const capturesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(isCapture)
    .sort()
    .map((name) => join(folder, name));

for (const [name, packets, first, kinds] of [
  ['LINKTYPE_RAW_ipv6.pcap', 1, 1_751_997_557_215_270_000n, [1]],
  ['dhcp-option-108.pcapng', 2, 1_742_291_025_393_317_000n, [0]],
  ['dns-badcookie.pcap', 4, 1_550_020_603_306_396_000n, [1]],
  ['isup.pcap', 6, 1_089_032_999_862_196_000n, [0]],
  ['mptcp-aa-echo.pcap', 2, 1_601_550_140_402_400_000n, [1]],
  ['tcp-handshake-nano.pcap', 3, 1_418_145_369_924_505_488n, [1]],
  ['time_2107.pcapng', 1, 4_323_283_200_000_000_000n, [0]],
  ['vxlan.pcap', 10, 1_368_908_504_837_063_000n, [0]],
] as const) {
  test(`${name} is read with its packets, times and link types`, async () => {
    const result = await readAll(join(SHIPPED, name));
    assert.equal(result.error, null);
    assert.equal(result.packets.length, packets);
    assert.equal(result.packets[0]?.tsNs, first);
    assert.deepEqual([...new Set(result.packets.map((p) => p.kind))], kinds);
  });
}

const more = existsSync(MORE) ? { skip: false as const } : { skip: `needs captures in ${MORE}` };

test('no capture gives anything but packets and at most an InputError', more, async () => {
  for (const path of capturesBelow(MORE)) {
    const { error } = await readAll(path, 64, 64);
    assert.ok(error === null || error instanceof InputError, `${path}: ${error?.stack}`);
  }
});

for (const [folder, skip] of [
  [SHIPPED, false],
  [MORE, more.skip],
] as const) {
  test(`what Wireshark reads to the end has as many packets here: ${folder}`, {
    skip: skip || needs('capinfos').skip,
  }, async () => {
    const paths = capturesBelow(folder);
    const { stdout } = spawnSync('capinfos', ['-c', '-M', '-T', '-r', ...paths], { encoding: 'utf8' });
    const rows = stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split('\t'));
    assert.ok(rows.length > paths.length / 2, `${rows.length} of ${paths.length} captures were read`);
    for (const [path, count] of rows) {
      const { packets, error } = await readAll(path!, 64, 64);
      assert.equal(`${path}: ${packets.length}`, `${path}: ${count}`, error?.message);
    }
  });
}
