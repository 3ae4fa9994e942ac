/** A seeded run of frames over the test cluster: connections to Services and pods, replies, noise; the same for a seed. */
import fc from 'fast-check';
import type { Epoch } from '../../src/tables/epoch.js';
import type { SentFrame } from './batches.js';
import { findPort, frameOf } from './journey.js';
import { sentMacs } from './macs.js';
import { anyFrame } from './random-frames.js';

const CLIENTS = ['a', 'b', 'c', 's', 'v'] as const;
const TARGETS = [
  'web:8080 SYN',
  'far:80 SYN',
  'near:80 SYN',
  'own:80 SYN',
  'near:90 udp "query"',
  'far:91 udp "query"',
  'none:80 SYN',
  'dns:53 udp "?"',
  'c:8080 SYN',
  'b:9000 udp "data"',
  'v:8200 SYN',
  'out:443 SYN',
  'n2:22 SYN',
  'web ping',
  'b ping',
  'far:80 SYN ttl=1',
] as const;

/** `count` frames: two in three from clients to targets, again and again over few ports, the rest anything anywhere. */
export function seededTraffic(epoch: Epoch, count: number, seed: number): SentFrame[] {
  const ports = epoch.tables.ports.rows;
  const noise = fc.sample(anyFrame, { seed, numRuns: Math.ceil(count / 3) });
  const draws = fc.sample(fc.nat({ max: 0x7fffffff }), { seed, numRuns: count });
  return draws.map((draw, i) => {
    const tsNs = i * 2e6;
    if (i % 3 === 2) return { bytes: noise[(i - 2) / 3]!, port: draw % ports, tsNs };
    const client = CLIENTS[draw % CLIENTS.length]!;
    const target = TARGETS[(draw >>> 4) % TARGETS.length]!;
    const source = target.endsWith('ping') ? client : `${client}:${40_000 + ((draw >>> 9) % 16)}`;
    const text = `${source} > ${target}`;
    return { bytes: frameOf(text, sentMacs(client, text)), port: findPort(epoch, client), tsNs };
  });
}
