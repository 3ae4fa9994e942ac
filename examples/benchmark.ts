/** How fast your own traffic goes through your own cluster: batches of prepared packets, nanoseconds per packet.
 *
 *    npm run build && node dist/examples/benchmark.js [ROUNDS]
 *
 *  The engine changes packets in place, so each round starts by copying the prepared bytes back; that copy alone is
 *  measured too, as the floor. */
import {
  buildUdp,
  createArena,
  createInput,
  createOutput,
  Engine,
  loadCluster,
  ROWS_PER_PACKET,
} from '../src/index.js';

const PACKETS = 1024;
const ARENA_SIZE = 1 << 20;
const ROUNDS = Number(process.argv[2] ?? 500);

const epoch = (await loadCluster('examples/two-nodes')).compile();
const { pods } = epoch.tables;
const arena = createArena(ARENA_SIZE);
const input = createInput(arena, PACKETS);
const output = createOutput(PACKETS * ROWS_PER_PACKET);

// Connections from the first pod to all others, each with a source port of its own.
for (let i = 0; i < PACKETS; i++) {
  const to = 1 + (i % (pods.rows - 1));
  const { offset, length } = buildUdp(arena, {
    srcMacHi: pods.macHi[0]!,
    srcMacLo: pods.macLo[0]!,
    dstMacHi: pods.macHi[to]!,
    dstMacLo: pods.macLo[to]!,
    src: pods.address[0]!,
    dst: pods.address[to]!,
    sport: 40_000 + i,
    dport: 8080,
    payload: new Uint8Array(22),
  });
  input.offset[i] = offset;
  input.length[i] = length;
  input.port[i] = pods.port[0]!;
}
const offsets = input.offset.slice();
const used = arena.used;
const prepared = arena.bytes.slice(0, used);

using engine = new Engine(epoch);
const floor = measure(() => arena.bytes.set(prepared));
const walk = measure((round) => {
  arena.bytes.set(prepared);
  arena.used = used;
  input.offset.set(offsets);
  input.tsNs.fill(round * 1e6);
  input.count = PACKETS;
  input.next = 0;
  while (input.next < input.count) {
    output.count = 0;
    arena.used = used;
    engine.process(input, output);
  }
});

console.log(`back end   ${engine.backend}`);
console.log(`copy       ${floor.toFixed(1)} ns per packet`);
console.log(`engine     ${walk.toFixed(1)} ns per packet, ${(1e3 / walk).toFixed(2)} Mpps`);
console.log(`connections ${engine.connections}`);

/** Median time of a round, ns per packet, after a warm-up. */
function measure(round: (number: number) => void): number {
  const times: number[] = [];
  for (let i = 0; i < ROUNDS; i++) {
    const start = process.hrtime.bigint();
    round(i);
    times.push(Number(process.hrtime.bigint() - start));
  }
  const warm = times.slice(Math.floor(ROUNDS / 5)).sort((a, b) => a - b);
  return warm[Math.floor(warm.length / 2)]! / PACKETS;
}
