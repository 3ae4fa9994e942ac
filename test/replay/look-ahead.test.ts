/** The look-ahead: packets come out as they went in, and the recorded endpoint is found among those inside. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseIpv4 } from '../../src/addr/ipv4.js';
import { PacketView } from '../../src/packet/packet-view.js';
import { type CapturedPacket, LookAhead } from '../../src/replay/look-ahead.js';
import { ServiceIndex } from '../../src/replay/service-index.js';
import { findService } from '../../src/tables/services.js';
import { frame, NAMES, twoNodes } from './traces.js';

const epoch = await twoNodes();
const services = new ServiceIndex(epoch.tables);
const view = new PacketView();

const empty = (): CapturedPacket => ({
  offset: 0,
  length: 0,
  originalLength: 0,
  tsNs: 0,
  source: 0,
  kind: 0,
  isTruncated: false,
});

function push(ahead: LookAhead, bytes: Uint8Array, tsNs = 0): boolean {
  const offset = ahead.reserve(bytes.length);
  if (offset < 0) return false;
  ahead.arena.bytes.set(bytes, offset);
  view.read(ahead.arena.view, offset, bytes.length, 4789);
  ahead.push({ ...empty(), offset, length: bytes.length, tsNs }, view, services);
  return true;
}

test('packets come out whole and in order, however full the ring is', () => {
  const steps = fc.array(fc.oneof(fc.nat(300), fc.constant(-1)), { maxLength: 200 });
  fc.assert(
    fc.property(steps, (sizes) => {
      const ahead = new LookAhead(8, 1000);
      const expected: { readonly bytes: Uint8Array; readonly tsNs: number }[] = [];
      const packet = empty();
      sizes.forEach((size, i) => {
        if (size >= 0) {
          const bytes = new Uint8Array(size).fill(i);
          if (push(ahead, bytes, i)) expected.push({ bytes, tsNs: i });
          else assert.notEqual(expected.length, 0, 'an empty ring takes a packet');
          return;
        }
        const next = expected.shift();
        if (next === undefined) return;
        ahead.shift(packet);
        assert.equal(packet.tsNs, next.tsNs);
        const { offset, length } = packet;
        assert.deepEqual(ahead.arena.bytes.subarray(offset, offset + length), next.bytes);
      });
      assert.equal(ahead.count, expected.length);
    }),
  );
});

const { services: table, serviceSlots } = epoch.tables;
const WEB = findService(table, serviceSlots, parseIpv4(NAMES.web), ((8080 << 16) | 6) >>> 0, 0);

const revealed = (ahead: LookAhead, client: string, port: number): string => {
  const row = ahead.endpointOf(services, WEB, parseIpv4(client), port, 6);
  return row < 0 ? '' : epoch.text(epoch.tables.endpoints.name[row]!);
};

for (const { why, ahead: lines, endpoint } of [
  { why: "the endpoint's reply", ahead: ['pod-3:8080 > shell:4000 SYNACK'], endpoint: 'pod:web/pod-3' },
  {
    why: "the client's packet after DNAT",
    ahead: ['shell:4000 > pod-1:8080 SYN'],
    endpoint: 'pod:web/pod-1',
  },
  { why: "another client's reply", ahead: ['pod-3:8080 > shell:4001 SYNACK'], endpoint: '' },
  { why: "another port of the endpoint's", ahead: ['pod-3:81 > shell:4000 SYNACK'], endpoint: '' },
  { why: 'a pod that is no ready endpoint', ahead: ['pod-2:8080 > shell:4000 SYNACK'], endpoint: '' },
  {
    why: 'the first of two, as a port may be used again',
    ahead: ['pod-1:8080 > shell:4000 SYNACK', 'pod-3:8080 > shell:4000 SYNACK'],
    endpoint: 'pod:web/pod-1',
  },
])
  test(`revealed by ${why}: ${endpoint === '' ? 'nothing' : endpoint}`, () => {
    const ahead = new LookAhead(16, 1 << 16);
    for (const line of lines) assert.ok(push(ahead, frame(line)));
    assert.equal(revealed(ahead, NAMES.shell, 4000), endpoint);
  });

test('what has been taken out reveals nothing any more', () => {
  const ahead = new LookAhead(2, 1 << 16);
  const packet = empty();
  for (const line of ['pod-1:8080 > shell:4000 SYNACK', 'pod-3:8080 > shell:4000 SYNACK'])
    push(ahead, frame(line));
  ahead.shift(packet);
  assert.equal(revealed(ahead, NAMES.shell, 4000), 'pod:web/pod-3');
  ahead.shift(packet);
  assert.equal(revealed(ahead, NAMES.shell, 4000), '');
});
