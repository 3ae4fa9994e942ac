/** Captures out of lines of text, for the replay's tests: who saw which packet, in order, `stepMs` apart. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseIpv4 } from '../../src/addr/ipv4.js';
import { loadCluster } from '../../src/cluster.js';
import { compile } from '../../src/compile/compile.js';
import { createCapture } from '../../src/io/capture-writer.js';
import type { Epoch } from '../../src/tables/epoch.js';
import { packetBytes } from '../support/packets.js';

/** The cluster of examples/two-nodes. */
export const NAMES = {
  'pod-1': '10.128.0.2',
  'pod-2': '10.128.0.3',
  shell: '10.128.0.5',
  'pod-3': '10.129.0.2',
  prometheus: '10.129.0.4',
  vault: '10.129.0.5',
  web: '172.30.10.20',
  n1: '192.168.1.101',
  n2: '192.168.1.102',
  gw1: '10.128.0.1',
  gw2: '10.129.0.1',
  nobody: '10.130.0.9',
  world: '203.0.113.7',
} as const;

export const EXAMPLE = fileURLToPath(new URL('../../../examples/two-nodes', import.meta.url));
/** 2026-01-01T00:00:00Z */
export const START_NS = 1_767_225_600_000_000_000n;

export async function twoNodes(): Promise<Epoch> {
  return (await loadCluster(EXAMPLE)).compile();
}

/** The same, where namespace web leaves the cluster by this address of node2. */
export async function twoNodesWithEgressIp(dotted: string): Promise<Epoch> {
  const { model } = await loadCluster(EXAMPLE);
  const addresses = [parseIpv4(dotted)];
  const egressIps = [{ namespace: 'web', addresses }];
  const hostedIps = [{ node: 'node2', addresses }];
  return compile({ ...model, network: { ...model.network, egressIps, hostedIps } });
}

/** A packet and the interface that saw it. */
export type Seen = readonly [on: string, packet: string | Uint8Array];

/** tun0 of the node whose pod sends; derived as the compiler derives it, since no manifest names it. */
const tun0 = (sender: string): { hi: number; lo: number } => ({
  hi: 0xc200,
  lo: parseIpv4(sender.startsWith('10.128.') ? NAMES.gw1 : NAMES.gw2),
});

/** Frame bytes of a line of test/support/packets, with the MACs that its sender would write. */
export function frame(text: string): Uint8Array {
  const [from, to] = text.split(' > ').map((end) => addressOf(end));
  const isOutside = to !== undefined && !to.startsWith('10.') && !text.startsWith('vxlan');
  return packetBytes(text, { names: NAMES, ...(isOutside ? { dstMac: tun0(from ?? '') } : {}) });
}

const addressOf = (end: string): string => {
  const name = /^[^\s:]+/.exec(end)?.[0] ?? '';
  return (NAMES as Readonly<Record<string, string>>)[name] ?? name;
};

/** Write what was seen into a capture of its own; returns its path. */
export async function writeTrace(
  seen: readonly Seen[],
  name = 'trace.pcapng',
  startMs = 0,
  stepMs = 1,
): Promise<string> {
  const path = join(mkdtempSync(join(tmpdir(), 'podplane-replay-')), name);
  await using writer = await createCapture(path, { epochNs: START_NS });
  const interfaces = new Map<string, number>();
  seen.forEach(([on, packet], i) => {
    let id = interfaces.get(on);
    if (id === undefined) {
      id = writer.addInterface({ name: on });
      interfaces.set(on, id);
    }
    const bytes = typeof packet === 'string' ? frame(packet) : packet;
    writer.write(id, (startMs + i * stepMs) * 1e6, bytes, 0, bytes.length);
  });
  return path;
}
