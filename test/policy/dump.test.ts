/** The flows that a dump writes for NetworkPolicies decide as the tables do: every flow is tried on every packet, as OVS
 *  would, by highest priority. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadCluster } from '../../src/cluster.js';
import { dumpFlows } from '../../src/dump/openflow.js';
import { ruleText } from '../../src/engine/explain.js';
import type { Epoch } from '../../src/tables/epoch.js';
import { CT, classify, Field, FLOW_KEY_SIZE, Op } from '../../src/tables/flows.js';
import { Random, randomWorld } from './random-world.js';

const WORLDS = 60;
const PACKETS = 60;
const PROTOCOLS: Readonly<Record<string, number>> = { tcp: 6, udp: 17, sctp: 132 };
const u32 = (dotted: string): number =>
  dotted.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0);

interface DumpFlow {
  readonly table: number;
  readonly priority: number;
  readonly fields: readonly (readonly [field: number, value: number, mask: number])[];
  readonly isDrop: boolean;
}

/** What a line asks of the fields that these tables look at. */
function parse(line: string): DumpFlow {
  const [, table, priority, match, actions] = /table=(\d+),priority=(\d+),?(.*?),?actions=(.*)$/.exec(line)!;
  const fields = match!.split(',').flatMap((part): [number, number, number][] => {
    const [name = '', value = ''] = part.split('=');
    const [base = '', length] = value.split('/');
    const prefix = length === undefined ? -1 : length === '0' ? 0 : -1 << (32 - Number(length));
    if (name in PROTOCOLS) return [[Field.NW_PROTO, PROTOCOLS[name]!, -1]];
    if (name === 'nw_src') return [[Field.NW_SRC, u32(base) | 0, prefix]];
    if (name === 'nw_dst') return [[Field.NW_DST, u32(base) | 0, prefix]];
    if (name === 'tp_dst') return [[Field.TP_DST, Number(base), length === undefined ? -1 : Number(length)]];
    if (name === 'reg0') return [[Field.REG0, Number(base), -1]];
    if (name === 'reg1') return [[Field.REG1, Number(base), -1]];
    if (name === 'ct_state') return [[Field.CT_STATE, CT.RPL, CT.RPL]];
    assert.ok(name === 'ip' || name === '', `${name} of ${line}`);
    return [];
  });
  return { table: Number(table), priority: Number(priority), fields, isDrop: actions === 'drop' };
}

const isHit = ({ fields }: DumpFlow, key: Int32Array): boolean =>
  fields.every(([field, value, mask]) => (key[field]! & mask) === (value & mask));

function isDropped(flows: readonly DumpFlow[], table: number, key: Int32Array): boolean {
  const hits = flows.filter((flow) => flow.table === table && isHit(flow, key));
  const highest = Math.max(...hits.map(({ priority }) => priority));
  return hits.find(({ priority }) => priority === highest)!.isDrop;
}

function isDroppedByTables(epoch: Epoch, table: number, key: Int32Array): boolean {
  const { flows } = epoch.tables;
  const row = classify(flows, table, Int32Array.from(key));
  return flows.action.op[flows.rule.actionFirst[row]!] === Op.Drop;
}

/** A packet of table 27 or 80 at `node`, registers as the tables before would have set them. */
function randomKey(random: Random, epoch: Epoch, node: number, table: number): Int32Array | null {
  const { pods, nodes } = epoch.tables;
  const rows = Array.from({ length: pods.rows }, (_, row) => row);
  const here = rows.filter((row) => pods.node[row] === node);
  if (here.length === 0) return null;
  const own = random.of(here);
  const others = rows.filter((row) => row !== own);
  const other = random.one(3) ? -1 : random.of(others);
  const address =
    other < 0
      ? random.of([
          u32('203.0.113.5'),
          u32('198.51.100.7'),
          nodes.gateway[1 - node]!,
          nodes.address[1 - node]!,
        ])
      : pods.address[other]!;
  const key = new Int32Array(FLOW_KEY_SIZE);
  const isEgress = table === 27;
  key[Field.NODE] = node;
  key[Field.ETH_TYPE] = 0x0800;
  key[isEgress ? Field.NW_SRC : Field.NW_DST] = pods.address[own]! | 0;
  key[isEgress ? Field.NW_DST : Field.NW_SRC] = address | 0;
  key[Field.NW_PROTO] = random.of([1, 6, 6, 17, 132]);
  if (key[Field.NW_PROTO] !== 1) key[Field.TP_DST] = random.of([0, 1, 79, 80, 81, 1023, 1024, 8080, 65_535]);
  key[Field.CT_STATE] = CT.TRK | CT.NEW;
  if (isEgress) key[Field.REG0] = pods.vni[own]!;
  else {
    // Now and then a NetID that is not the sender's: only a forged tunnel packet has that.
    key[Field.REG0] = random.one(4) ? random.of([0, 11, 12]) : other < 0 ? 0 : pods.vni[other]!;
    key[Field.REG1] = pods.vni[own]!;
  }
  return key;
}

for (const policy of ['sdn', 'api'] as const)
  test(`--policy ${policy}: the dumped flows decide as the tables do`, async () => {
    let dropped = 0;
    let asked = 0;
    for (let seed = 0; seed < WORLDS; seed++) {
      const random = new Random(seed);
      const { objects } = randomWorld(random);
      const epoch = (await loadCluster({ objects }, { policy })).compile();
      for (const node of [0, 1]) {
        const flows = dumpFlows(epoch, node, (rule) => ruleText(epoch, rule))
          .filter(({ table }) => table === 27 || table === 80)
          .map(({ text }) => parse(text));
        for (let i = 0; i < PACKETS; i++) {
          const table = random.of([27, 80]);
          const key = randomKey(random, epoch, node, table);
          if (key === null) continue;
          asked++;
          const isDenied = isDropped(flows, table, key);
          if (isDenied) dropped++;
          assert.equal(
            isDroppedByTables(epoch, table, key),
            isDenied,
            `world ${seed}, node ${node}, table ${table}, key ${key.join(' ')}`,
          );
        }
      }
    }
    assert.ok(dropped > asked / 6 && dropped < asked, `${dropped} of ${asked} dropped`);
  });
