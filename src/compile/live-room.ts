/** Lays a compiled table set out anew with room for what may come. */
import { regrowTables } from '../layout/regrow.js';
import { ADDRESS_TABLE, mix32, slotsFor } from '../tables/addresses.js';
import { DNS_ADDRESSES, DNS_BYTES, DNS_NAMES } from '../tables/dns-table.js';
import { EPOCH_ORDER, Epoch, type Tables } from '../tables/epoch.js';
import { FLOW_ACTION, FLOW_RULE, FLOW_SLOTS, FLOW_VALUE, hashStep } from '../tables/flows.js';
import { FRONT_SLOTS, FRONT_TABLE, frontHash, RANGE_TABLE } from '../tables/fronts.js';
import { LISTEN_TABLE, NONE, OFPORT_TABLE, POD_TABLE, PORT_TABLE } from '../tables/nodes.js';
import { POLICY_IDENTITIES, POLICY_PODS, POLICY_SLOTS, slotHash } from '../tables/policies.js';
import { ANY_NODE, ENDPOINT_TABLE, SERVICE_SLOTS, SERVICE_TABLE, serviceHash } from '../tables/services.js';
import { STRING_BYTES, STRING_INDEX } from '../tables/strings.js';
import { spareNameSlots, spreadNames } from './delta-dns.js';
import { POLICY_RULE_TABLES } from './delta-policy-rules.js';

/** Rows kept free, beside a quarter of those in use. When they are used up, the whole cluster is compiled anew. */
const SPARE = new Map<unknown, number>([
  [POD_TABLE, 256],
  [PORT_TABLE, 256],
  [POLICY_PODS, 256],
  [OFPORT_TABLE, 4096],
  [LISTEN_TABLE, 1024],
  [POLICY_IDENTITIES, 256],
  [SERVICE_TABLE, 256],
  [ENDPOINT_TABLE, 1024],
  [FRONT_TABLE, 256],
  [RANGE_TABLE, 64],
  [FLOW_RULE, 2048],
  [FLOW_VALUE, 8192],
  [FLOW_ACTION, 4096],
  [STRING_INDEX, 2048],
  [STRING_BYTES, 65_536],
  [DNS_ADDRESSES, 2048],
  [DNS_BYTES, 65_536],
  ...POLICY_RULE_TABLES.map((table) => [table, 1024] as const),
]);

/** A live copy of `epoch`, with room. Slots are spread over the larger tables. */
export function withRoom(epoch: Epoch): SharedArrayBuffer {
  const { dns, addresses, flows, services, fronts } = epoch.tables;
  const spareNames = spareNameSlots(dns.names);
  // A pod is one address, and up to seven rules; a Service is one address, and some rows.
  const more = (rows: number, least: number): number => rows + (rows >> 2) + least;
  const addressSlots = slotsFor(more(used(addresses.kind), 256));
  const ruleSlots = slotsFor(more(used(flows.slots.row), 2048));
  const policySlots = slotsFor(more(used(flows.policies.slots.list), 512));
  const serviceSlots = slotsFor(more(services.rows, 256));
  const frontSlots = slotsFor(more(fronts.rows, 256));
  const buffer = regrowTables(epoch.buffer, EPOCH_ORDER, (layout, rows) => {
    if (layout === DNS_NAMES) return spareNames;
    if (layout === ADDRESS_TABLE) return Math.max(0, addressSlots - rows);
    if (layout === SERVICE_SLOTS) return Math.max(0, serviceSlots - rows);
    if (layout === FRONT_SLOTS) return Math.max(0, frontSlots - rows);
    if (layout === FLOW_SLOTS) return Math.max(0, ruleSlots - rows);
    if (layout === POLICY_SLOTS) return Math.max(0, policySlots - rows);
    const least = SPARE.get(layout);
    return least === undefined ? 0 : (rows >> 2) + least;
  });
  const { tables } = new Epoch(buffer);
  if (spareNames > 0) spreadNames(tables.dns.names);
  spreadAddresses(tables);
  spreadRules(tables);
  spreadPolicies(tables);
  spreadServices(tables);
  // A row that belongs to no run is no Service's.
  tables.endpoints.service.fill(NONE, tables.endpoints.rows);
  tables.services.node.fill(ANY_NODE, tables.services.rows);
  for (const column of ['cluster', 'local'] as const) tables.fronts[column].fill(NONE, tables.fronts.rows);
  return buffer;
}

const used = (column: ArrayLike<number>): number => {
  let count = 0;
  for (let i = 0; i < column.length; i++) if (column[i] !== 0) count++;
  return count;
};

function spreadAddresses({ addresses }: Tables): void {
  const { address, row, kind, capacity } = addresses;
  const old = { address: address.slice(), row: row.slice(), kind: kind.slice() };
  for (const column of [address, row, kind]) column.fill(0);
  for (let from = 0; from < capacity; from++) {
    if (old.kind[from] === 0) continue;
    let slot = mix32(old.address[from]!) & (capacity - 1);
    while (kind[slot] !== 0) slot = (slot + 1) & (capacity - 1);
    address[slot] = old.address[from]!;
    row[slot] = old.row[from]!;
    kind[slot] = old.kind[from]!;
  }
}

function spreadServices({ services, serviceSlots, fronts, frontSlots }: Tables): void {
  const { ip, portProto, node, scope } = services;
  respread(serviceSlots.row, (row) => serviceHash(ip[row]!, portProto[row]!, node[row]!, scope[row]!));
  respread(frontSlots.row, (row) => frontHash(fronts.ip[row]!, fronts.portProto[row]!));
}

/** Slots that hold a row's number plus one: rows that had none, as another has their key, still have none. */
function respread(slots: Uint32Array, hashOf: (row: number) => number): void {
  const rows = slots.filter((row) => row !== 0);
  const mask = slots.length - 1;
  slots.fill(0);
  for (const row of rows) {
    let slot = hashOf(row - 1) & mask;
    while (slots[slot] !== 0) slot = (slot + 1) & mask;
    slots[slot] = row;
  }
}

function spreadPolicies({ flows }: Tables): void {
  const { scope, value, list, kind, capacity } = flows.policies.slots;
  const columns = [scope, value, list, kind];
  const old = columns.map((column) => column.slice());
  for (const column of columns) column.fill(0);
  const [scopes, values, lists, kinds] = old as [Uint32Array, Uint32Array, Uint32Array, Uint8Array];
  for (let from = 0; from < capacity; from++) {
    if (lists[from] === 0) continue;
    let slot = slotHash(scopes[from]!, kinds[from]!, values[from]!) & (capacity - 1);
    while (list[slot] !== 0) slot = (slot + 1) & (capacity - 1);
    for (const [i, column] of columns.entries()) column[slot] = old[i]![from]!;
  }
}

function spreadRules({ flows }: Tables): void {
  const { subtable, rule, value, slots } = flows;
  const mask = slots.capacity - 1;
  slots.row.fill(0);
  for (let row = 0; row < rule.rows; row++) {
    const s = rule.subtable[row]!;
    const first = rule.valueFirst[row]!;
    let hash = hashStep(0, s);
    for (let i = subtable.sameCount[s]!; i < subtable.fieldCount[s]!; i++)
      hash = hashStep(hash, value.value[first + i]!);
    let slot = hash & mask;
    while (slots.row[slot] !== 0) slot = (slot + 1) & mask;
    slots.row[slot] = row + 1;
  }
}
