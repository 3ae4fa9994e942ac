/** Lookups against the plainest way to find the same: a scan of all rows. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ADDRESS_KIND, findAddress } from '../../src/tables/addresses.js';
import type { Epoch } from '../../src/tables/epoch.js';
import { classify, Field, FLOW_KEY_SIZE, type FlowTables, IN_POLICIES } from '../../src/tables/flows.js';
import { podListens } from '../../src/tables/nodes.js';
import { ANY_NODE, findService, SERVICE_FLAG } from '../../src/tables/services.js';
import { testEpoch } from '../support/cluster.js';

const EPOCHS: readonly Epoch[] = [
  testEpoch(),
  testEpoch({ mode: 'multitenant' }),
  testEpoch({ mode: 'subnet' }),
  testEpoch({ internalPolicy: 'Local' }),
];

/** A counterexample names the number, not the whole table set. */
const anEpoch = fc.nat({ max: EPOCHS.length - 1 });

/** Highest priority among all rules of the table that match, those of NetworkPolicies apart (test/policy has these); two of the same priority must do the same. */
function scan(flows: FlowTables, table: number, key: Int32Array): { priority: number; rules: number[] } {
  let priority = -1;
  let rules: number[] = [];
  for (let row = 0; row < flows.rule.rows; row++) {
    const s = flows.rule.subtable[row]!;
    if (flows.subtable.onlyRule[s] === IN_POLICIES) continue;
    if (flows.subtable.table[s] !== table || !matches(flows, row, key)) continue;
    const own = flows.subtable.priority[s]!;
    if (own > priority) {
      priority = own;
      rules = [];
    }
    if (own === priority) rules.push(row);
  }
  return { priority, rules };
}

function matches(flows: FlowTables, row: number, key: Int32Array): boolean {
  const s = flows.rule.subtable[row]!;
  for (let i = 0; i < flows.subtable.fieldCount[s]!; i++) {
    const at = flows.subtable.fieldFirst[s]! + i;
    const value = flows.value.value[flows.rule.valueFirst[row]! + i]!;
    if ((key[flows.field.field[at]!]! & flows.field.mask[at]!) !== value) return false;
  }
  return true;
}

const TABLES = [0, 10, 20, 25, 27, 30, 31, 40, 50, 60, 70, 80, 90, 99, 100, 101, 110, 120];
const some = (...values: number[]): fc.Arbitrary<number> => fc.constantFrom(...values.map((v) => v | 0));
const address = fc.oneof(
  fc.constantFrom(
    ...[0x0a800001, 0x0a800002, 0x0a810002, 0x0a810005, 0x0a830002, 0xac1e0a14, 0xc0a80165, 0xe0000001].map(
      (value) => value | 0,
    ),
  ),
  fc.integer(),
);
const key = fc
  .tuple(
    some(0, 1),
    some(1, 2, 3, 4, 5, 6),
    some(0x0800, 0x0806, 0x86dd),
    address,
    address,
    some(1, 6, 17),
    some(53, 4789, 8080),
    some(0, 0x21, 0x22, 0x2a, 0x30),
    some(0, 1001, 1002),
    some(0, 1001, 1002),
    address,
    address,
  )
  .map(([node, inPort, type, src, dst, proto, port, ct, reg0, reg1, tunSrc, sha]) => {
    const one = new Int32Array(FLOW_KEY_SIZE);
    one[Field.NODE] = node;
    one[Field.IN_PORT] = inPort;
    one[Field.ETH_TYPE] = type;
    one[Field.NW_SRC] = src;
    one[Field.NW_DST] = dst;
    one[Field.NW_PROTO] = proto;
    one[Field.TP_DST] = port;
    one[Field.CT_STATE] = ct;
    one[Field.REG0] = reg0;
    one[Field.REG1] = reg1;
    one[Field.TUN_SRC] = tunSrc;
    one[Field.ARP_SHA_LO] = sha;
    return one;
  });

test('the classifier finds what a scan of all rules finds', () => {
  let hits = 0;
  fc.assert(
    fc.property(anEpoch, fc.constantFrom(...TABLES), key, (epoch, table, one) => {
      const { tables } = EPOCHS[epoch]!;
      const found = classify(tables.flows, table, one);
      const { rules } = scan(tables.flows, table, one);
      // Table 31 has last rules for IP and ARP alone; nothing else reaches it.
      if (rules.length === 0) {
        assert.deepEqual([found, table], [-1, 31]);
        return;
      }
      assert.ok(rules.includes(found), `rule ${found} is none of ${rules}`);
      const actions = new Set(rules.map((rule) => tables.flows.rule.actionFirst[rule]));
      assert.equal(actions.size, 1, 'rules of one priority that overlap do the same');
      if (tables.flows.subtable.priority[tables.flows.rule.subtable[found]!]! > 0) hits++;
    }),
    { numRuns: 3000 },
  );
  assert.ok(hits > 500, `${hits} keys met more than a last rule`);
});

test('every rule is found by a key made of its own match, or one of higher priority is', () => {
  for (const { tables } of EPOCHS) {
    const { flows } = tables;
    for (let row = 0; row < flows.rule.rows; row++) {
      const one = new Int32Array(FLOW_KEY_SIZE);
      const s = flows.rule.subtable[row]!;
      if (flows.subtable.onlyRule[s] === IN_POLICIES) continue;
      for (let i = 0; i < flows.subtable.fieldCount[s]!; i++)
        one[flows.field.field[flows.subtable.fieldFirst[s]! + i]!] =
          flows.value.value[flows.rule.valueFirst[row]! + i]!;
      const found = classify(flows, flows.subtable.table[s]!, one);
      assert.ok(scan(flows, flows.subtable.table[s]!, one).rules.includes(found));
    }
  }
});

test('findService finds what a scan finds: the node’s own row before the common one', () => {
  const known = EPOCHS.flatMap(({ tables }) =>
    Array.from({ length: tables.services.rows }, (_, row) => [
      tables.services.ip[row]!,
      tables.services.portProto[row]!,
    ]),
  );
  const arbitrary = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...known) },
    fc.tuple(fc.integer({ min: 0, max: 0xffffffff }), fc.integer({ min: 0, max: 0xffffffff })),
  );
  fc.assert(
    fc.property(anEpoch, arbitrary, fc.nat({ max: 2 }), (epoch, [ip, portProto], node) => {
      const { services, serviceSlots } = EPOCHS[epoch]!.tables;
      const rows = Array.from({ length: services.rows }, (_, row) => row).filter(
        (row) => services.ip[row] === ip && services.portProto[row] === portProto,
      );
      const common = rows.find((row) => services.node[row] === ANY_NODE) ?? -1;
      const own = rows.find((row) => services.node[row] === node);
      const perNode = common >= 0 && (services.flags[common]! & SERVICE_FLAG.PER_NODE) !== 0;
      const expected = perNode && own !== undefined ? own : common;
      assert.equal(findService(services, serviceSlots, ip!, portProto!, node), expected);
    }),
    { numRuns: 1000 },
  );
});

test('every address of the cluster is found as what it is, and no other', () => {
  const { tables } = EPOCHS[0]!;
  const { pods, nodes, addresses } = tables;
  const wanted = new Map<number, readonly [number, number]>();
  for (let row = 0; row < pods.rows; row++) wanted.set(pods.address[row]!, [ADDRESS_KIND.POD, row]);
  for (let row = 0; row < nodes.rows; row++) {
    wanted.set(nodes.gateway[row]!, [ADDRESS_KIND.GATEWAY, row]);
    wanted.set(nodes.address[row]!, [ADDRESS_KIND.NODE, row]);
  }
  for (const [value, [kind, row]] of wanted) {
    const slot = findAddress(addresses, value);
    assert.deepEqual([addresses.kind[slot], addresses.row[slot]], [kind, row]);
  }
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 0xffffffff }), (value) => {
      const slot = findAddress(addresses, value);
      if (slot < 0) assert.ok(!wanted.has(value));
      else assert.equal(addresses.address[slot], value);
    }),
  );
});

test('a pod listens on what it declares, and on everything when it declares nothing', () => {
  const { tables, text } = { tables: EPOCHS[0]!.tables, text: (id: number) => EPOCHS[0]!.text(id) };
  const row = (name: string): number =>
    Array.from({ length: tables.pods.rows }, (_, i) => i).find((i) => text(tables.pods.name[i]!) === name)!;
  const listens = (name: string, port: number, protocol: number): boolean =>
    podListens(tables.pods, tables.listen, row(name), ((port << 16) | protocol) >>> 0);
  assert.ok(listens('web/a', 8080, 6) && listens('web/a', 9000, 17));
  assert.ok(!listens('web/a', 8080, 17) && !listens('web/a', 81, 6));
  assert.ok(listens('web/s', 1, 6) && listens('web/s', 65_535, 17));
});
