/** A capture through a cluster with the library alone: read, walk, count, write.
 *
 *    npm run build && node dist/examples/replay.js [CAPTURE [OUT.pcapng]]
 *
 *  Every packet whose source is a pod goes in at that pod; the others are passed over. `podplane replay` does more:
 *  it tells copies from packets, takes the endpoints that the capture shows, and works on several cores. */
import {
  columnsOfInput,
  createArena,
  createCapture,
  createInput,
  createOutput,
  decodeFrame,
  Engine,
  loadCluster,
  openCapture,
  VERDICT_NAMES,
} from '../src/index.js';

const ARENA_SIZE = 1 << 23;
/** The engine writes answers and moved packets behind the packets that were read. */
const READ_SIZE = ARENA_SIZE / 2;
const BATCH = 1024;

const [path = 'examples/two-nodes/trace.pcapng.gz', out] = process.argv.slice(2);

const epoch = (await loadCluster('examples/two-nodes')).compile();
const { pods, ports } = epoch.tables;
const portOfPod = new Map<number, number>();
for (let row = 0; row < pods.rows; row++) portOfPod.set(pods.address[row]!, pods.port[row]!);

await using capture = await openCapture(path);
await using writer = out === undefined ? null : await createCapture(out, { epochNs: capture.epochNs });
const interfaces = new Map<number, number>();
using engine = new Engine(epoch, { seed: 1, epochNs: capture.epochNs });

const arena = createArena(ARENA_SIZE);
const input = createInput(arena, BATCH);
const output = createOutput(8 * BATCH);
const columns = columnsOfInput(input, READ_SIZE);
const verdicts = new Map<string, number>();
let passedOver = 0;

while ((await capture.read(columns)) > 0) {
  input.count = keepPodPackets(columns.count);
  input.next = 0;
  while (input.next < input.count) {
    output.count = 0;
    engine.process(input, output);
    await report();
  }
}
output.count = 0;
arena.used = 0;
engine.advance(Number.POSITIVE_INFINITY, output, arena);
await report();

for (const [verdict, count] of verdicts) console.log(`${verdict.padEnd(10)} ${count}`);
console.log(`${passedOver} packets of the capture come from no pod; ${engine.connections} connections`);

/** Move the rows of pods' packets together; returns how many there are. */
function keepPodPackets(count: number): number {
  let kept = 0;
  for (let row = 0; row < count; row++) {
    const frame = decodeFrame(arena.bytes, input.offset[row]!, input.length[row]!);
    const port = portOfPod.get(frame?.ip?.src ?? frame?.arp?.sender ?? 0);
    if (port === undefined) {
      passedOver++;
      continue;
    }
    input.offset[kept] = input.offset[row]!;
    input.length[kept] = input.length[row]!;
    input.tsNs[kept] = input.tsNs[row]!;
    input.port[kept] = port;
    kept++;
  }
  return kept;
}

async function report(): Promise<void> {
  for (let row = 0; row < output.count; row++) {
    const verdict = VERDICT_NAMES[output.verdict[row]!]!;
    verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1);
    writer?.write(
      interfaceOf(output.exit[row]!),
      output.tsNs[row]!,
      arena.bytes,
      output.offset[row]!,
      output.length[row]!,
      verdict,
    );
  }
  await writer?.drain();
}

/** One interface for each port where packets end; what ends at none goes to `dropped`. */
function interfaceOf(exit: number): number {
  let id = interfaces.get(exit);
  if (id === undefined) {
    const name = exit < 0 ? 'dropped' : epoch.text(ports.name[exit]!);
    id = writer!.addInterface({ name });
    interfaces.set(exit, id);
  }
  return id;
}
