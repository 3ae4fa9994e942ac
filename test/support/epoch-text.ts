/** A table set as text that says what lookups answer, whatever rows things lie in. */
import assert from 'node:assert/strict';
import { formatIpv4 } from '../../src/addr/ipv4.js';
import { dumpFlows } from '../../src/dump/openflow.js';
import { ruleText } from '../../src/engine/explain.js';
import { ADDRESS_KIND, findAddress } from '../../src/tables/addresses.js';
import { DnsKind, lookupDnsName } from '../../src/tables/dns-table.js';
import type { Epoch } from '../../src/tables/epoch.js';
import { classify, FLOW_KEY_SIZE, OFPORT, policyRuleOf } from '../../src/tables/flows.js';
import { FRONT_KIND, findFront } from '../../src/tables/fronts.js';
import { NONE, PORT_KIND } from '../../src/tables/nodes.js';
import { ANY_NODE, findExternal, findService, SCOPE } from '../../src/tables/services.js';

/** Lines, in an order that does not depend on the rows of pods, rules, Services, fronts, endpoints, names and strings. */
export const epochText = (epoch: Epoch): string[] => [
  ...placeLines(epoch),
  ...podLines(epoch),
  ...ruleLines(epoch),
  ...flowLines(epoch),
  ...serviceLines(epoch),
  ...frontLines(epoch),
  ...dnsLines(epoch),
];

/** The columns of a table's row, names as text. */
function rowLines(
  epoch: Epoch,
  title: string,
  table: { readonly rows: number },
  texts: readonly string[] = ['name'],
): string[] {
  const columns = Object.entries(table).filter(([, column]) => ArrayBuffer.isView(column));
  return Array.from({ length: table.rows }, (_, row) => {
    const fields = columns.map(([name, column]) => {
      const value = (column as unknown as ArrayLike<number>)[row]!;
      return `${name}=${texts.includes(name) ? epoch.text(value) : value}`;
    });
    return `${title} ${row}: ${fields.join(' ')}`;
  });
}

/** Addresses from outside: which Service's port, which choices, which ranges. */
function frontLines(epoch: Epoch): string[] {
  const { fronts, frontSlots, services, ranges } = epoch.tables;
  const choice = (row: number): string =>
    row === NONE ? 'none' : `${epoch.text(services.name[row]!)}/${services.scope[row]}/${services.node[row]}`;
  const found = new Map<string, number>();
  const lines: string[] = [];
  for (let row = 0; row < fronts.rows; row++) {
    const kind = fronts.kind[row]!;
    if (kind === 0) continue;
    const first = fronts.rangeFirst[row]!;
    const from = Array.from(
      { length: fronts.rangeCount[row]! },
      (_, i) => `${ranges.base[first + i]}/${ranges.mask[first + i]}`,
    );
    const [ip, portProto] = [fronts.ip[row]!, fronts.portProto[row]!];
    // Where several claim one address and port, one of them is found.
    const key = `${ip} ${portProto}`;
    if (kind !== FRONT_KIND.HEALTH_CHECK) found.set(key, findFront(fronts, frontSlots, ip, portProto));
    const isFound = found.get(key) === row;
    const choices = `${choice(fronts.cluster[row]!)} ${choice(fronts.local[row]!)}`;
    lines.push(`front ${kind} ${key} ${choices} from ${from.join(' ')} ${isFound ? 'found' : ''}`);
  }
  for (const [key, row] of found) assert.ok(row >= 0 && fronts.kind[row] !== 0, `front ${key} is found`);
  assert.equal(used(frontSlots.row), found.size, 'a slot for each address and port');
  assert.ok(found.size * 2 <= frontSlots.capacity, 'at most one half of the slots is in use');
  return lines.sort();
}

const used = (slots: Uint32Array): number => slots.reduce((count, row) => count + (row === 0 ? 0 : 1), 0);

function placeLines(epoch: Epoch): string[] {
  const { config, networks, nodes, ports, namespaces, addresses, pods } = epoch.tables;
  const port = (row: number): string => epoch.text(ports.name[row]!);
  const lines = [
    ...rowLines(epoch, 'config', config),
    ...rowLines(epoch, 'network', networks),
    ...Array.from({ length: nodes.rows }, (_, row) => {
      const { nicPort, tunPort, ofportFirst: _first, ...rest } = nodes;
      const [line] = rowLines(epoch, 'node', { ...rest, rows: row + 1 }).slice(row);
      return `${line} ${port(nicPort[row]!)} ${port(tunPort[row]!)}`;
    }),
    ...rowLines(epoch, 'namespace', namespaces),
  ];
  let count = 0;
  for (let slot = 0; slot < addresses.capacity; slot++) {
    const [address, kind, row] = [addresses.address[slot]!, addresses.kind[slot]!, addresses.row[slot]!];
    if (kind === 0) continue;
    count++;
    const found = findAddress(addresses, address);
    assert.ok(found >= 0 && addresses.address[found] === address, `${formatIpv4(address)} is found`);
    // Nothing asks for a ClusterIP's row.
    const isCluster = kind === ADDRESS_KIND.CLUSTER_IP;
    const what = kind === ADDRESS_KIND.POD ? epoch.text(pods.name[row]!) : isCluster ? '' : row;
    lines.push(`address ${formatIpv4(address)} ${kind} ${what}`);
  }
  assert.ok(count * 2 <= addresses.capacity, 'at most one half of the slots is in use');
  return lines.sort();
}

/** Each pod with its port, OpenFlow port, ports that listen, and what policies know of it. */
function podLines(epoch: Epoch): string[] {
  const { pods, ports, ofports, listen, nodes, flows } = epoch.tables;
  const { policies } = flows;
  const lines: string[] = [];
  const ofIdentity = new Map<number, number>();
  for (let row = 0; row < pods.rows; row++) {
    const [node, port, ofport] = [pods.node[row]!, pods.port[row]!, pods.ofport[row]!];
    if (node === NONE) {
      assert.equal(policies.pods.identity[row], NONE, 'no pod, no identity');
      continue;
    }
    const name = epoch.text(pods.name[row]!);
    assert.equal(ofports.pod[nodes.ofportFirst[node]! + ofport - OFPORT.FIRST_POD], row, `${name} by ofport`);
    assert.deepEqual([ports.node[port], ports.pod[port], ports.kind[port]], [node, row, PORT_KIND.POD], name);
    const first = pods.listenFirst[row]!;
    const open = Array.from(listen.portProto.subarray(first, first + pods.listenCount[row]!));
    const identity = policies.pods.identity[row]!;
    ofIdentity.set(identity, (ofIdentity.get(identity) ?? 0) + 1);
    const place = `${epoch.text(nodes.name[node]!)} ${pods.vni[row]} ${ofport} ${epoch.text(ports.name[port]!)}`;
    const mac = `${pods.macHi[row]} ${pods.macLo[row]}`;
    lines.push(`pod ${name} ${formatIpv4(pods.address[row]!)} ${place} ${mac} ${pods.flags[row]} [${open}]`);
  }
  for (let port = 0; port < ports.rows; port++)
    if (ports.kind[port] === PORT_KIND.POD)
      assert.equal(pods.port[ports.pod[port]!], port, 'a pod knows its port');
  for (const [identity, count] of ofIdentity) {
    let met = 0;
    for (let pod = policies.identities.podFirst[identity]!; pod !== NONE; pod = policies.pods.next[pod]!) {
      assert.equal(policies.pods.identity[pod], identity);
      met++;
    }
    assert.deepEqual(
      [met, policies.identities.podCount[identity]],
      [count, count],
      'all pods are in the chain',
    );
  }
  return lines.sort();
}

/** Rules of br0. Those of policies that speak of no pod match nothing: they may be there or not. */
function ruleLines(epoch: Epoch): string[] {
  const { flows, nodes } = epoch.tables;
  const { rule, subtable } = flows;
  const lines: string[] = [];
  for (let row = 0; row < rule.rows; row++) {
    const s = rule.subtable[row]!;
    if (s === NONE) continue;
    const { priority, match, actions, cookie, object, quirk } = ruleText(epoch, row);
    if (policyRuleOf(flows, row) >= 0 && /\{\}|\{0 pods\}/.test(match)) continue;
    assert.equal(findRow(epoch, row), row, `${subtable.table[s]} ${match} is found`);
    const node = rule.node[row] === NONE ? '' : epoch.text(nodes.name[rule.node[row]!]!);
    lines.push(
      `rule ${node} ${subtable.table[s]} ${priority} ${match} ${actions} ${cookie} ${object} ${quirk} ${rule.reason[row]}`,
    );
  }
  return lines.sort();
}

/** The row that a packet finds which has exactly the values that rule `row` asks for, among those of its subtable. */
function findRow(epoch: Epoch, row: number): number {
  const { flows } = epoch.tables;
  const { rule, subtable, field, value, table } = flows;
  const s = rule.subtable[row]!;
  if (policyRuleOf(flows, row) >= 0) return row;
  const key = new Int32Array(FLOW_KEY_SIZE);
  for (let i = 0; i < subtable.fieldCount[s]!; i++)
    key[field.field[subtable.fieldFirst[s]! + i]!]! |= value.value[rule.valueFirst[row]! + i]!;
  const number = subtable.table[s]!;
  // Only its own subtable is asked.
  const only = { first: table.first.slice(), count: table.count.slice() };
  only.first[number] = s;
  only.count[number] = 1;
  return classify({ ...flows, table: { ...table, ...only } }, number, key);
}

/** The flows that each node has. */
const flowLines = (epoch: Epoch): string[] =>
  Array.from({ length: epoch.tables.nodes.rows }, (_, node) => node).flatMap((node) =>
    dumpFlows(epoch, node, (rule) => ruleText(epoch, rule, node)).map(
      ({ text, object }) => `flow ${node} ${text} ${object}`,
    ),
  );

function podName(epoch: Epoch, row: number): string {
  if (row === NONE) return '';
  assert.notEqual(epoch.tables.pods.node[row], NONE, 'an endpoint’s pod is there');
  return epoch.text(epoch.tables.pods.name[row]!);
}

function serviceLines(epoch: Epoch): string[] {
  const { services, serviceSlots, endpoints, nodes } = epoch.tables;
  const inRuns = new Set<number>();
  const lines: string[] = [];
  let ports = 0;
  for (let row = 0; row < services.rows; row++) {
    const [ip, portProto, node] = [services.ip[row]!, services.portProto[row]!, services.node[row]!];
    const name = epoch.text(services.name[row]!);
    if (portProto === 0) {
      assert.deepEqual([ip, node, services.count[row]], [0, ANY_NODE, 0], `Service row ${row} is nobody's`);
      continue;
    }
    ports++;
    const list: string[] = [];
    for (let i = 0; i < services.count[row]!; i++) {
      const at = services.first[row]! + i;
      assert.ok(!inRuns.has(at), `endpoint row ${at} is in two runs`);
      assert.ok(at < endpoints.rows, `endpoint row ${at} is one of ${endpoints.rows}`);
      assert.equal(endpoints.service[at], row, `endpoint row ${at} knows its Service`);
      inRuns.add(at);
      list.push(
        `${formatIpv4(endpoints.address[at]!)}:${endpoints.port[at]} node=${endpoints.node[at]} pod=${podName(epoch, endpoints.pod[at]!)} ${epoch.text(endpoints.name[at]!)}`,
      );
    }
    lines.push(
      `service ${name} ${formatIpv4(ip)} ${portProto} ${node} ${services.scope[row]} ${services.affinity[row]} ${services.flags[row]} [${list.join(', ')}]`,
    );
    const find = services.scope[row] === SCOPE.EXTERNAL ? findExternal : findService;
    const asker = node === ANY_NODE ? nodes.rows : node;
    assert.equal(find(services, serviceSlots, ip, portProto, asker), row, `${name} is found`);
    // Those of single nodes stand behind the one for any, by which they are looked for.
    if (node !== ANY_NODE) assert.equal(services.ip[row - 1], ip, `${name} has its rows together`);
  }
  for (let at = 0; at < endpoints.capacity; at++)
    if (!inRuns.has(at)) assert.equal(endpoints.service[at], NONE, `endpoint row ${at} is nobody's`);
  assert.equal(used(serviceSlots.row), ports, 'a slot for each row');
  assert.ok(ports * 2 <= serviceSlots.capacity, 'at most one half of the slots is in use');
  return lines.sort();
}

function dnsLines(epoch: Epoch): string[] {
  const { names, addresses, bytes, zone } = epoch.tables.dns;
  const textAt = (at: number, size: number): string =>
    Buffer.from(bytes.octet.slice(at, at + size)).toString('latin1');
  const lines = [`zone ${zone.serial[0]} ${zone.ttl[0]} ${textAt(zone.nameAt[0]!, zone.nameSize[0]!)}`];
  const answered = new Set<number>();
  let count = 0;
  for (let row = 0; row < names.capacity; row++) {
    const kind = names.kind[row]!;
    if (kind === DnsKind.Unused) continue;
    count++;
    const [at, size, first, length] = [
      names.nameAt[row]!,
      names.nameSize[row]!,
      names.first[row]!,
      names.count[row]!,
    ];
    const key = Uint8Array.from(bytes.octet.slice(at, at + size));
    assert.equal(lookupDnsName(names, bytes.octet, key, 0, size), row, `${textAt(at, size)} is found`);
    const rows = kind === DnsKind.Alias ? bytes.rows : addresses.rows;
    assert.ok(
      length === 0 || first + length <= rows,
      `what ${textAt(at, size)} answers is among the ${rows}`,
    );
    for (let i = first; i < first + length && kind === DnsKind.Addresses; i++) {
      assert.ok(!answered.has(i), `address row ${i} is in two runs`);
      answered.add(i);
    }
    const answer =
      kind === DnsKind.Alias
        ? textAt(first, length)
        : Array.from(addresses.address.subarray(first, first + length), formatIpv4).join(' ');
    lines.push(`name ${textAt(at, size)} ${kind} ${answer}`);
  }
  assert.ok(count * 2 <= names.capacity, 'at most one half of the slots is in use');
  return lines.sort();
}
