/** Two nodes inside a simulator of your own: podplane walks each node, you own the link between them and the clock.
 *
 *    npm run build && node dist/examples/embed.js
 *
 *  Each node is an Engine in the one-node form: a packet goes in at a port (a pod's eth0, the node's NIC), and what the
 *  NIC sends comes out as `left`. The link below takes 500 µs and loses every tenth packet or so. */
import {
  buildEcho,
  buildTcp,
  createArena,
  createInput,
  createOutput,
  decodeFrame,
  Engine,
  type Epoch,
  HEADROOM,
  loadCluster,
  REASONS,
  VERDICT_NAMES,
  Verdict,
} from '../src/index.js';

const LINK_DELAY_NS = 500_000;
const LINK_LOSS = 0.1;
const CONNECTIONS = 20;
const SYN = 0x02;

/** A frame on its way: when it arrives, at which port of which node. */
interface Arrival {
  readonly tsNs: number;
  readonly node: string;
  readonly port: number;
  readonly frame: Uint8Array;
}

const cluster = await loadCluster('examples/two-nodes');
const epoch = cluster.compile();
const ports = portNumbers(epoch);
const other: Readonly<Record<string, string>> = { node1: 'node2', node2: 'node1' };
const engines = new Map(
  Object.keys(other).map((node) => [node, new Engine(epoch, { node, seed: 7, respond: true })]),
);
const lose = seededChance(7);

const arena = createArena(1 << 20);
const input = createInput(arena, 1);
const output = createOutput(64);
const queue: Arrival[] = [];
const counts = { sent: 0, answered: 0, lost: 0 };

for (let i = 0; i < CONNECTIONS; i++)
  queue.push({
    tsNs: i * 200_000,
    node: 'node1',
    port: ports('pod:web/pod-1'),
    frame: synTo('172.30.10.20', 8080, 40_000 + i),
  });
counts.sent = queue.length;
// Nobody owns a ClusterIP: the node asks three times for its MAC, then tells the pod that there is no such host.
queue.push({ tsNs: 0, node: 'node1', port: ports('pod:web/pod-1'), frame: pingTo('172.30.10.20') });

// The clock: whatever comes first, a frame's arrival or a node's timer.
for (;;) {
  queue.sort((a, b) => a.tsNs - b.tsNs);
  const [node, timerNs] = firstTimer();
  if (queue.length > 0 && queue[0]!.tsNs <= timerNs) handle(queue.shift()!);
  else if (timerNs < Number.POSITIVE_INFINITY) fire(node, timerNs);
  else break;
}
console.log(
  `${counts.sent} connections tried, ${counts.answered} answered, ${counts.lost} frames lost on the link`,
);
for (const engine of engines.values()) engine[Symbol.dispose]();

/** Give one frame to its node. */
function handle({ tsNs, node, port, frame }: Arrival): void {
  arena.bytes.set(frame, HEADROOM);
  arena.used = HEADROOM + frame.length;
  input.offset[0] = HEADROOM;
  input.length[0] = frame.length;
  input.tsNs[0] = tsNs;
  input.port[0] = port;
  input.count = 1;
  input.next = 0;
  output.count = 0;
  engines.get(node)!.process(input, output);
  takeOutput(node);
}

/** The node whose timer is due first, and when. */
function firstTimer(): [node: string, tsNs: number] {
  let first: [string, number] = ['', Number.POSITIVE_INFINITY];
  for (const [node, engine] of engines) {
    const tsNs = engine.nextTimerNs();
    if (tsNs < first[1]) first = [node, tsNs];
  }
  return first;
}

function fire(node: string, tsNs: number): void {
  arena.used = 0;
  output.count = 0;
  engines.get(node)!.advance(tsNs, output, arena);
  takeOutput(node);
}

/** Put on the link what leaves by the NIC; the rest has reached its end. */
function takeOutput(node: string): void {
  for (let row = 0; row < output.count; row++) {
    const bytes = arena.bytes.slice(output.offset[row]!, output.offset[row]! + output.length[row]!);
    const tsNs = output.tsNs[row]!;
    tell(tsNs, node, row, bytes);
    if (output.verdict[row] === Verdict.Left) send(tsNs, other[node]!, bytes);
    else if (output.exit[row] === ports('pod:web/pod-1') && isAnswer(bytes)) counts.answered++;
  }
}

function send(tsNs: number, node: string, frame: Uint8Array): void {
  if (lose(LINK_LOSS)) {
    counts.lost++;
    console.log(`${time(tsNs)}  link   lost a frame of ${frame.length} bytes to ${node}`);
    return;
  }
  queue.push({ tsNs: tsNs + LINK_DELAY_NS, node, port: ports(`${node}:eth0`), frame });
}

function tell(tsNs: number, node: string, row: number, bytes: Uint8Array): void {
  const exit = output.exit[row]!;
  const place = exit < 0 ? '' : ` at ${epoch.text(epoch.tables.ports.name[exit]!)}`;
  const reason = output.reason[row] === 0 ? '' : ` (${REASONS[output.reason[row]!]!.name})`;
  const verdict = VERDICT_NAMES[output.verdict[row]!]!;
  console.log(`${time(tsNs)}  ${node}  ${bytes.length} bytes ${verdict}${place}${reason}`);
}

/** From the Service, not from the pod itself: a SYN-ACK that was translated back. */
function isAnswer(bytes: Uint8Array): boolean {
  const ip = decodeFrame(bytes)?.ip;
  return ip?.sport === 8080 && ip.src === addressOf('172.30.10.20');
}

function synTo(address: string, dport: number, sport: number): Uint8Array {
  const scratch = createArena(512);
  const { offset, length } = buildTcp(scratch, { ...fromPod1(address), sport, dport, flags: SYN });
  return scratch.bytes.slice(offset, offset + length);
}

function pingTo(address: string): Uint8Array {
  const scratch = createArena(512);
  const { offset, length } = buildEcho(scratch, { ...fromPod1(address), identifier: 1, sequence: 1 });
  return scratch.bytes.slice(offset, offset + length);
}

/** A ClusterIP is outside the pod network: the pod sends to its gateway, node1's tun0. */
function fromPod1(address: string) {
  const src = addressOf('10.128.0.2');
  const { nodes } = epoch.tables;
  const macs = {
    srcMacHi: 0x0a58,
    srcMacLo: src,
    dstMacHi: nodes.tunMacHi[0]!,
    dstMacLo: nodes.tunMacLo[0]!,
  };
  return { ...macs, src, dst: addressOf(address) };
}

/** Port rows by name. */
function portNumbers({ tables, text }: Epoch): (name: string) => number {
  const rows = new Map<string, number>();
  for (let row = 0; row < tables.ports.rows; row++) rows.set(text.call(epoch, tables.ports.name[row]!), row);
  return (name) => rows.get(name)!;
}

function addressOf(dotted: string): number {
  return dotted.split('.').reduce((value, octet) => value * 256 + Number(octet), 0);
}

/** True with probability `p`, the same sequence for the same seed (Marsaglia's xorshift32). */
function seededChance(seed: number): (p: number) => boolean {
  let state = seed;
  return (p) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32 < p;
  };
}

function time(tsNs: number): string {
  return `${(tsNs / 1e6).toFixed(3).padStart(8)} ms`;
}
