/** Captures that nobody here wrote, at every kind of port: nothing throws, every packet is accounted for. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Engine } from '../../src/engine/engine.js';
import { FrameKind } from '../../src/io/capture-columns.js';
import { isBalanced } from '../../src/packet/ledger.js';
import { readAll } from '../io/capture-bytes.js';
import { runFrames, type SentFrame } from '../support/batches.js';
import { testEpoch } from '../support/cluster.js';
import { findPort } from '../support/journey.js';

const FOLDER = process.env['PODPLANE_CAPTURES'] ?? '../shared/captures';
const skip = existsSync(FOLDER) ? false : `no captures at ${FOLDER} (PODPLANE_CAPTURES names the folder)`;
/** Larger ones would make the test slow and show nothing new. */
const SIZE_MAX = 2_000_000;
const FRAMES_MAX = 400;

function captures(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return captures(path);
    return /\.(pcap|pcapng|cap)$/.test(entry.name) && statSync(path).size < SIZE_MAX ? [path] : [];
  });
}

/** The capture's first frames, damaged files up to the damage; made Ethernet headers count too. */
async function framesOf(path: string): Promise<readonly Uint8Array[]> {
  const { packets } = await readAll(path, 64);
  return packets
    .filter(({ kind }) => kind !== FrameKind.Unsupported)
    .slice(0, FRAMES_MAX)
    .map(({ data }) => data);
}

for (const at of ['a', 'nic1', 'tun1'])
  test(`foreign captures at ${at}`, { skip }, async () => {
    const epoch = testEpoch();
    const port = findPort(epoch, at);
    let walked = 0;
    for (const path of captures(FOLDER)) {
      const frames: SentFrame[] = (await framesOf(path)).map((bytes, i) => ({ bytes, port, tsNs: i * 1e6 }));
      if (frames.length === 0) continue;
      const engine = new Engine(epoch, { respond: true });
      const rows = runFrames(engine, frames);
      const { ledger } = engine;
      assert.ok(isBalanced(ledger), `${path}: ${JSON.stringify(ledger)}`);
      assert.equal(ledger.in, frames.length, path);
      assert.equal(rows.length, ledger.in + ledger.generated + ledger.copies, path);
      walked += frames.length;
    }
    assert.ok(walked > 1000, `${walked} frames`);
  });
