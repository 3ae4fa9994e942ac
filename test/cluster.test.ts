/** The library's front door: what loadCluster takes, and an epoch that is saved and read again. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  type ClusterInput,
  createArena,
  createInput,
  createOutput,
  Engine,
  Epoch,
  InputError,
  LayoutError,
  loadCluster,
  VERDICT_NAMES,
} from '../src/index.js';
import { TWO_NODES } from './cli/run-cli.js';
import { buildPacket } from './support/packets.js';

const NODE = {
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'node1' },
  status: { addresses: [{ type: 'InternalIP', address: '192.168.1.101' }] },
};

test('a path, a text, an object and a list of objects all make the same node', async () => {
  const inputs: readonly (readonly [why: string, input: ClusterInput | readonly ClusterInput[]])[] = [
    ['object', NODE],
    ['list', [NODE]],
    ['text', { text: JSON.stringify(NODE), name: 'node.json' }],
    ['objects', { objects: [NODE], name: 'memory' }],
  ];
  for (const [why, input] of inputs) {
    const { model } = await loadCluster(input);
    assert.deepEqual(
      model.nodes.map((node) => node.name),
      ['node1'],
      why,
    );
  }
  assert.equal((await loadCluster(TWO_NODES)).model.nodes.length, 2);
});

test('what is no input is a TypeError; what is wrong in one is an InputError with its place', async () => {
  await assert.rejects(loadCluster(7 as unknown as ClusterInput), TypeError);
  await assert.rejects(loadCluster([null as unknown as ClusterInput]), TypeError);
  await assert.rejects(loadCluster('/no/such/path'), InputError);
  const wrong = { ...NODE, status: { addresses: [{ type: 'InternalIP', address: 'x' }] } };
  await assert.rejects(loadCluster({ objects: [wrong], name: 'memory' }), (error) => {
    assert.ok(error instanceof InputError);
    assert.equal(error.problems[0]!.file, 'memory');
    assert.match(error.problems[0]!.subject, /node1/);
    return true;
  });
});

test('the order of the files does not change the compiled bytes', async () => {
  const files = ['cluster', 'dns', 'isolated', 'monitoring', 'web'].map((name) =>
    join(TWO_NODES, `${name}.yaml`),
  );
  const forward = (await loadCluster(files)).compile().save();
  const backward = (await loadCluster([...files].reverse())).compile().save();
  assert.ok(Buffer.from(forward).equals(Buffer.from(backward)));
});

test('a saved epoch walks packets as the first one does, and a damaged one is refused', async () => {
  const epoch = (await loadCluster(TWO_NODES)).compile();
  const saved = epoch.save();
  assert.equal(firstVerdict(Epoch.load(saved)), 'delivered');
  assert.equal(firstVerdict(epoch), 'delivered');
  saved[saved.length >> 1]! ^= 1;
  assert.throws(() => Epoch.load(saved), LayoutError);
});

test('a mistake of the caller is a RangeError', async () => {
  const epoch = (await loadCluster(TWO_NODES)).compile();
  assert.throws(() => new Engine(epoch, { node: 'node9' }), RangeError);
  assert.throws(() => firstVerdict(epoch, 999), RangeError);
});

/** The verdict of a SYN from pod-1 to pod-3, sent at `port` (pod-1's own if not given). */
function firstVerdict(epoch: Epoch, port?: number): string {
  using engine = new Engine(epoch);
  const arena = createArena(65_536);
  const input = createInput(arena, 1);
  const output = createOutput(16);
  const { offset, length } = buildPacket(arena, '10.128.0.2:40000 > 10.129.0.2:8080 SYN');
  const { pods } = epoch.tables;
  input.offset[0] = offset;
  input.length[0] = length;
  input.port[0] = port ?? pods.port[pods.address.indexOf(0x0a800002)]!;
  input.count = 1;
  engine.process(input, output);
  return VERDICT_NAMES[output.verdict[0]!]!;
}
