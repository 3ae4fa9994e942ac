/** A table set as text that says what lookups answer, whatever rows things lie in. */
import assert from 'node:assert/strict';
import { formatIpv4 } from '../../src/addr/ipv4.js';
import { ruleText } from '../../src/engine/explain.js';
import { ADDRESS_KIND } from '../../src/tables/addresses.js';
import { DnsKind, lookupDnsName } from '../../src/tables/dns-table.js';
import type { Epoch } from '../../src/tables/epoch.js';
import { NONE } from '../../src/tables/nodes.js';
import { ANY_NODE, findService } from '../../src/tables/services.js';

/** Lines, in an order that does not depend on the rows of Services, endpoints, names and strings. */
export const epochText = (epoch: Epoch): string[] => [
  ...placeLines(epoch),
  ...ruleLines(epoch),
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
  const { fronts, services, ranges } = epoch.tables;
  const choice = (row: number): string =>
    row === NONE ? 'none' : `${epoch.text(services.name[row]!)}/${services.scope[row]}`;
  return Array.from({ length: fronts.rows }, (_, row) => {
    const first = fronts.rangeFirst[row]!;
    const from = Array.from({ length: fronts.rangeCount[row]! }, (_, i) => ranges.base[first + i]);
    const asked = `${fronts.kind[row]} ${fronts.ip[row]} ${fronts.portProto[row]}`;
    return `front ${asked} ${choice(fronts.cluster[row]!)} ${choice(fronts.local[row]!)} from ${from.join(' ')}`;
  });
}

function placeLines(epoch: Epoch): string[] {
  const { config, networks, nodes, pods, ofports, listen, ports, namespaces, addresses } = epoch.tables;
  const lines = [
    ...rowLines(epoch, 'config', config),
    ...rowLines(epoch, 'network', networks),
    ...rowLines(epoch, 'node', nodes),
    ...rowLines(epoch, 'pod', pods),
    ...rowLines(epoch, 'ofport', ofports),
    ...rowLines(epoch, 'listen', listen),
    ...rowLines(epoch, 'port', ports),
    ...rowLines(epoch, 'namespace', namespaces),
  ];
  for (let slot = 0; slot < addresses.capacity; slot++)
    if (addresses.kind[slot] !== 0 && addresses.kind[slot] !== ADDRESS_KIND.CLUSTER_IP)
      lines.push(`address ${addresses.address[slot]} ${addresses.kind[slot]} ${addresses.row[slot]}`);
  return lines;
}

function ruleLines(epoch: Epoch): string[] {
  const { rule, subtable } = epoch.tables.flows;
  return Array.from({ length: rule.rows }, (_, row) => {
    const { priority, match, actions, cookie, object } = ruleText(epoch, row);
    const table = subtable.table[rule.subtable[row]!];
    return `rule ${rule.node[row]} ${table} ${priority} ${match} ${actions} ${cookie} ${object} ${rule.reason[row]}`;
  });
}

function serviceLines(epoch: Epoch): string[] {
  const { services, serviceSlots, endpoints, nodes } = epoch.tables;
  const used = new Set<number>();
  const lines: string[] = [];
  for (let row = 0; row < services.rows; row++) {
    const [ip, portProto, node] = [services.ip[row]!, services.portProto[row]!, services.node[row]!];
    const list: string[] = [];
    for (let i = 0; i < services.count[row]!; i++) {
      const at = services.first[row]! + i;
      assert.ok(!used.has(at), `endpoint row ${at} is in two runs`);
      assert.ok(at < endpoints.rows, `endpoint row ${at} is one of ${endpoints.rows}`);
      assert.equal(endpoints.service[at], row, `endpoint row ${at} knows its Service`);
      used.add(at);
      list.push(
        `${formatIpv4(endpoints.address[at]!)}:${endpoints.port[at]} node=${endpoints.node[at]} pod=${endpoints.pod[at]} ${epoch.text(endpoints.name[at]!)}`,
      );
    }
    lines.push(
      `service ${row} ${epoch.text(services.name[row]!)} ${formatIpv4(ip)} ${portProto} ${node} ${services.flags[row]} [${list.join(', ')}]`,
    );
    assert.equal(
      findService(services, serviceSlots, ip, portProto, node === ANY_NODE ? nodes.rows : node),
      row,
    );
  }
  for (let at = 0; at < endpoints.capacity; at++)
    if (!used.has(at)) assert.equal(endpoints.service[at], NONE, `endpoint row ${at} is nobody's`);
  return lines;
}

function dnsLines(epoch: Epoch): string[] {
  const { names, addresses, bytes, zone } = epoch.tables.dns;
  const textAt = (at: number, size: number): string =>
    Buffer.from(bytes.octet.slice(at, at + size)).toString('latin1');
  const lines = [`zone ${zone.serial[0]} ${zone.ttl[0]} ${textAt(zone.nameAt[0]!, zone.nameSize[0]!)}`];
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
    const answer =
      kind === DnsKind.Alias
        ? textAt(first, length)
        : Array.from(addresses.address.subarray(first, first + length), formatIpv4).join(' ');
    lines.push(`name ${textAt(at, size)} ${kind} ${answer}`);
  }
  assert.ok(count * 2 <= names.capacity, 'at most one half of the slots is in use');
  return lines.sort();
}
