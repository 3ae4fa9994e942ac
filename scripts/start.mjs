// The main job on any machine: install what is missing, build, replay the shipped trace through the shipped cluster.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { build, installIfMissing } from './prepare.mjs';

const TRACE = 'examples/two-nodes/trace.pcapng.gz';
const OUT = 'out/replay.pcapng';

installIfMissing();
build();
mkdirSync('out', { recursive: true });
const options = process.argv.slice(2);
const replay = ['dist/src/cli.js', 'replay', '-c', 'examples/two-nodes', TRACE, '-o', OUT, ...options];
const { status } = spawnSync(process.execPath, replay, { stdio: 'inherit' });
if (status === 0 && !options.includes('--json'))
  console.log(`\nwritten: ${OUT} (open it with Wireshark or tcpdump)`);
process.exit(status ?? 1);
