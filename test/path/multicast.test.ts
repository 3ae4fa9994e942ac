/** Multicast: where a namespace may, every other pod of it gets a copy, on all nodes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseIpv4 } from '../../src/addr/ipv4.js';
import { compile } from '../../src/compile/compile.js';
import { Engine } from '../../src/engine/engine.js';
import { ruleText } from '../../src/engine/explain.js';
import type { Cluster } from '../../src/model/cluster.js';
import { createArena, createInput, createOutput, HEADROOM, ROWS_PER_PACKET } from '../../src/packet/batch.js';
import { isBalanced } from '../../src/packet/ledger.js';
import type { Epoch } from '../../src/tables/epoch.js';
import { cases } from '../support/cases.js';
import { type ClusterOptions, testCluster, testEpoch } from '../support/cluster.js';
import { findPort, frameOf, Journey } from '../support/journey.js';

const GROUP = '239.1.2.3';
const OVER =
  'node1: eth0 br0[0 0 20 27 30 31 110 111] vxlan0 eth0 | node2: eth0 vxlan0 br0[0 0 10 30 31 120]';

const withMulticast = (namespaces: string[], options: ClusterOptions = {}): Cluster => {
  const base = testCluster(options);
  return { ...base, network: { ...base.network, multicast: namespaces } };
};
const epochOf = (namespaces: string[], options: ClusterOptions = {}): Epoch =>
  compile(withMulticast(namespaces, options));

for (const mode of ['networkpolicy', 'multitenant'] as const)
  cases(`${mode}: a, c and s are on node1, b on node2`, epochOf(['web'], { mode }), [
    {
      why: 'the other node first, then the pods of the own one by their ports as text; TTL and MACs stay',
      at: 'a',
      in: `a:5000 > ${GROUP}:5001 udp "hi" ttl=1`,
      ends: 'delivered b',
      frame: `a > ${GROUP} | a:5000 > ${GROUP}:5001 udp "hi" ttl=1`,
      path: `${OVER} eth0`,
      causes: [
        {
          ends: 'delivered c',
          frame: `a > ${GROUP} | a:5000 > ${GROUP}:5001 udp "hi" ttl=1`,
          path: 'node1: br0[120] eth0',
        },
        { ends: 'delivered s', path: 'node1: br0[120] eth0' },
      ],
    },
    {
      why: 'a namespace that may not',
      at: 'p',
      in: `p:5000 > ${GROUP}:5001 udp "hi"`,
      ends: 'dropped multicast-disabled',
    },
    {
      why: 'a copy that the tunnel brings for a NetID that may not',
      at: 'nic2',
      in: `vxlan n1 > n2 vni 1004 | a:5000 > ${GROUP}:5001 udp "hi"`,
      ends: 'dropped multicast-no-receiver',
    },
    {
      why: 'one that comes by the tunnel stays on the node',
      at: 'nic1',
      in: `vxlan n2 > n1 vni 1001 | b:5000 > ${GROUP}:5001 udp "hi"`,
      ends: 'delivered a',
      causes: [{ ends: 'delivered c' }, { ends: 'delivered s' }],
    },
    {
      why: 'no stack takes TCP to a group',
      at: 'b',
      in: `b:5000 > ${GROUP}:5001 SYN`,
      ends: 'dropped broadcast-unserved',
      causes: [{ ends: 'dropped broadcast-unserved' }, { ends: 'dropped broadcast-unserved' }],
    },
  ]);

cases('subnet mode has none', epochOf(['web'], { mode: 'subnet' }), [
  { why: 'from a pod', at: 'a', in: `a:5000 > ${GROUP}:5001 udp "hi"`, ends: 'dropped multicast-disabled' },
]);

cases('the only pod of its namespace in a cluster of one node', onePod(), [
  {
    why: 'nobody else is there',
    at: 'a',
    in: `a:5000 > ${GROUP}:5001 udp "hi"`,
    ends: 'dropped multicast-no-receiver',
  },
]);

function onePod(): Epoch {
  const cluster = withMulticast(['web']);
  const pods = cluster.pods.filter(({ name }) => name === 'a');
  return compile({ ...cluster, nodes: cluster.nodes.slice(0, 1), pods, services: [] });
}

test('namespaces that share a NetID must all have it', () => {
  const joined = (multicast: string[]): Epoch => {
    const cluster = withMulticast(multicast, { mode: 'multitenant' });
    const namespaces = cluster.namespaces.map((one) =>
      one.name === 'monitoring' ? { ...one, vni: 1001 } : one,
    );
    return compile({ ...cluster, namespaces });
  };
  const exits = (epoch: Epoch): string[] =>
    new Journey(epoch)
      .send('a', `a:5000 > ${GROUP}:5001 udp "hi"`)
      .map(({ verdict, exit, reason }) => `${verdict} ${exit || reason}`);
  assert.deepEqual(exits(joined(['web'])), ['dropped multicast-disabled']);
  assert.deepEqual(exits(joined(['monitoring', 'web'])), [
    'delivered pod:web/b',
    'delivered pod:monitoring/p',
    'delivered pod:web/c',
    'delivered pod:web/s',
  ]);
});

test('copies name the packet that they are copies of, and the namespace that allows them', () => {
  const [first, ...copies] = new Journey(epochOf(['web'])).send('a', `a:5000 > ${GROUP}:5001 udp "hi"`);
  assert.deepEqual(
    copies.map(({ parent }) => parent),
    [first!.packet, first!.packet],
  );
  const objects = copies.flatMap(({ trace }) =>
    trace!.hops.map((hop) => hop.rule?.object ?? '').filter(Boolean),
  );
  assert.deepEqual(objects, ['NetNamespace web (multicast)', 'NetNamespace web (multicast)']);
});

/** A namespace of `count` pods, half of them on each node. */
function crowd(count: number): Epoch {
  const base = withMulticast(['web']);
  const pods = Array.from({ length: count }, (_, i) => ({
    ...base.pods.find(({ name }) => name === 'a')!,
    name: `m${String(i).padStart(4, '0')}`,
    node: i % 2 === 0 ? 'node1' : 'node2',
    address: parseIpv4(i % 2 === 0 ? '10.128.0.0' : '10.129.0.0') + 2 + (i >> 1),
  }));
  return compile({ ...base, pods, services: [] });
}

/** Every row in order, walked with this much room. */
function rowsWith(epoch: Epoch, capacity: number, arenaSize: number): { rows: string[]; calls: number } {
  using engine = new Engine(epoch);
  const arena = createArena(arenaSize);
  const input = createInput(arena, 2);
  for (const text of [
    `10.128.0.2:5000 > ${GROUP}:5001 udp "one"`,
    `10.129.0.2:5000 > ${GROUP}:5001 udp "two"`,
  ]) {
    const bytes = frameOf(text);
    const i = input.count++;
    const at = arena.used + HEADROOM + 2;
    arena.bytes.set(bytes, at);
    arena.used = at + bytes.length;
    input.offset[i] = at;
    input.length[i] = bytes.length;
    input.port[i] = findPort(epoch, i === 0 ? 'pod:web/m0000' : 'pod:web/m0001');
  }
  const { used } = arena;
  const output = createOutput(capacity);
  const rows: string[] = [];
  let calls = 0;
  while (input.next < input.count) {
    const before = input.next;
    assert.ok(engine.process(input, output) > 0 || input.next > before, 'each call gets on');
    calls++;
    for (let i = 0; i < output.count; i++) {
      const at = output.offset[i]!;
      const bytes = Buffer.from(arena.bytes.subarray(at, at + output.length[i]!)).toString('hex');
      const { origin, packet, parent, verdict, exit } = output;
      rows.push(`${origin[i]} ${packet[i]} ${parent[i]} ${verdict[i]} ${exit[i]} ${bytes}`);
    }
    output.count = 0;
    arena.used = used;
  }
  assert.ok(isBalanced(engine.ledger), JSON.stringify(engine.ledger));
  assert.equal(engine.ledger.copies, rows.length - 2);
  return { rows, calls };
}

test('any number of copies, whatever room there is: the same rows in the same order', () => {
  const epoch = crowd(600);
  const wide = rowsWith(epoch, 4096, 1 << 20);
  assert.equal(wide.calls, 1);
  assert.equal(wide.rows.length, 2 * 599);
  const exits = new Set(wide.rows.slice(0, 599).map((row) => row.split(' ')[4]));
  assert.equal(exits.size, 599, 'each pod but the sender once');
  const narrow = rowsWith(epoch, ROWS_PER_PACKET, 8192);
  assert.ok(narrow.calls > 600, `${narrow.calls} calls`);
  assert.deepEqual(narrow.rows, wide.rows);
  // The arena runs out before the output does.
  assert.deepEqual(rowsWith(epoch, 4096, 10_240).rows, wide.rows);
});

test('an engine that goes back in the middle of the copies makes the same ones', () => {
  const epoch = crowd(40);
  using engine = new Engine(epoch);
  const arena = createArena(1 << 16);
  const input = createInput(arena, 1);
  const bytes = frameOf(`10.128.0.2:5000 > ${GROUP}:5001 udp "one"`);
  arena.bytes.set(bytes, HEADROOM + 2);
  arena.used = HEADROOM + 2 + bytes.length;
  [input.offset[0], input.length[0], input.port[0]] = [
    HEADROOM + 2,
    bytes.length,
    findPort(epoch, 'pod:web/m0000'),
  ];
  input.count = 1;
  const output = createOutput(ROWS_PER_PACKET + 4);
  engine.process(input, output);
  assert.equal(input.next, 0, 'copies are left');
  assert.throws(() => engine.install(epoch), RangeError);
  const state = engine.saveState();
  const rest = (): number[] => {
    const exits: number[] = [];
    input.next = 0;
    while (input.next < 1) {
      output.count = 0;
      engine.process(input, output);
      exits.push(...output.exit.subarray(0, output.count));
    }
    return exits;
  };
  const first = rest();
  state.rewind();
  engine.restoreState(state);
  assert.deepEqual(rest(), first);
  assert.ok(first.length > 20, `${first.length} left`);
});

test('ports are put out in the order of their text: 10 before 3', () => {
  const epoch = crowd(24);
  const { rule, subtable } = epoch.tables.flows;
  const row = Array.from({ length: rule.rows }, (_, i) => i).find(
    (i) => subtable.table[rule.subtable[i]!] === 120 && rule.node[i] === 0,
  )!;
  assert.equal(
    ruleText(epoch, row).actions,
    [10, 11, 12, 13, 14, 3, 4, 5, 6, 7, 8, 9].map((port) => `output:${port}`).join(),
  );
});

test('without the annotation br0 has no such flows but that of table 111', () => {
  const { rule, subtable } = testEpoch().tables.flows;
  const tables = Array.from({ length: rule.rows }, (_, row) => subtable.table[rule.subtable[row]!]!);
  assert.deepEqual(tables.filter((table) => table >= 110).sort(), [110, 111, 120]);
});
