/** Lanes: whatever form a packet of a connection has, its lane is the client's. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createArena } from '../../src/packet/batch.js';
import { PacketView } from '../../src/packet/packet-view.js';
import { entryPort } from '../../src/replay/entry.js';
import { LaneChooser } from '../../src/replay/lane.js';
import { ServiceIndex } from '../../src/replay/service-index.js';
import { frame, type NAMES, twoNodes, twoNodesWithEgressIp } from './traces.js';

const { tables } = await twoNodes();
const EGRESS_IP = '192.168.1.200';
const withEgressIp = (await twoNodesWithEgressIp(EGRESS_IP)).tables;
const LANES = 64;

function lanesOf(lines: readonly string[], lanes = LANES, tablesOf = tables): number[] {
  const chooser = new LaneChooser(tablesOf, new ServiceIndex(tablesOf), lanes);
  const view = new PacketView();
  return lines.map((line) => {
    const bytes = frame(line);
    const arena = createArena(bytes.length);
    arena.bytes.set(bytes);
    view.read(arena.view, 0, bytes.length, 4789);
    const port = entryPort(tablesOf, arena.view, 0, view);
    return chooser.laneOf(arena.view, view, Math.max(port, 0));
  });
}

for (const { why, lines } of [
  {
    why: 'to a Service, after DNAT, in the tunnel, the reply, the reply after un-NAT',
    lines: [
      'shell:4000 > web:8080 SYN',
      'shell:4000 > pod-3:8080 SYN',
      'vxlan n1 > n2 vni 1001 | shell:4000 > pod-3:8080 SYN',
      'pod-3:8080 > shell:4000 SYNACK',
      'web:8080 > shell:4000 SYNACK',
    ],
  },
  {
    why: 'between pods, both ways',
    lines: ['shell:4000 > prometheus:4001 SYN', 'prometheus:4001 > shell:4000 SYNACK'],
  },
  { why: 'a masqueraded reply', lines: ['shell:4000 > world:443 SYN', 'world:443 > n1:4000 SYNACK'] },
  { why: 'echo and its reply', lines: ['shell > pod-3 ping', 'pod-3 > shell pong'] },
])
  test(`one lane: ${why}`, () => {
    const lanes = lanesOf(lines);
    assert.deepEqual(
      lanes,
      lines.map(() => lanes[0]),
    );
  });

test('one lane: a connection under an egress address, and its reply', () => {
  // Enough of them that no pair is in one lane by chance.
  for (let host = 1; host <= 8; host++) {
    const world = `203.0.113.${host}`;
    const [out, back] = lanesOf(
      [`shell:4000 > ${world}:443 SYN`, `${world}:443 > ${EGRESS_IP}:4000 SYNACK`],
      LANES,
      withEgressIp,
    );
    assert.equal(back, out, world);
  }
});

test('a node port: the client is who the endpoint sees, both ways, in the tunnel and in errors', () => {
  const lines = [
    'world:4000 > n1:30080 SYN',
    'vxlan n1 > n2 vni 0 | gw1:5000 > pod-3:8080 SYN',
    'pod-3:8080 > gw1:5000 SYNACK',
    'n1:30080 > world:4000 SYNACK',
  ];
  const lanes = lanesOf(lines);
  assert.deepEqual(
    lanes,
    lines.map(() => lanes[0]),
  );
  assert.deepEqual(
    lanesOf(['shell:4000 > n2:30080 SYN', 'pod-3:8080 > gw2:5000 SYNACK']),
    lanesOf(['gw2:1 > web:8080 SYN', 'gw2:2 > pod-1:8080 SYN']),
    'the second node masquerades',
  );
});

test('both ends a server: lane 0', () => {
  assert.deepEqual(lanesOf(['pod-1:8080 > web:8080 SYN']), [0]);
});

test('clients spread over lanes', () => {
  const clients = ['shell', 'pod-1', 'pod-2', 'prometheus', 'vault'] satisfies (keyof typeof NAMES)[];
  const lanes = lanesOf(clients.map((client) => `${client}:4000 > web:8080 SYN`));
  assert.ok(new Set(lanes).size > 2, lanes.join());
  assert.deepEqual(
    new Set(
      lanesOf(
        clients.map((client) => `${client}:4000 > web:8080 SYN`),
        1,
      ),
    ),
    new Set([0]),
  );
});
