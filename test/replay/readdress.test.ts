/** A re-addressed packet is the one that its new server would have built: checksums by difference are the full ones. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createArena } from '../../src/packet/batch.js';
import { buildTcp, buildUdp } from '../../src/packet/build.js';
import { readdress } from '../../src/replay/readdress.js';

const u32 = fc.integer({ min: 0, max: 0xffffffff });
const port = fc.nat(65_535);
const ends = fc.record({ server: u32, serverPort: port, client: u32, clientPort: port });
const payload = fc.uint8Array({ maxLength: 40 });

const macs = (server: number, hi: number, lo: number) => ({
  srcMacHi: 0x0a58,
  srcMacLo: server,
  dstMacHi: hi,
  dstMacLo: lo,
});

for (const [name, isUdp] of [
  ['TCP', false],
  ['UDP', true],
] as const)
  test(`${name}: bytes equal those of a packet built anew`, () => {
    fc.assert(
      fc.property(ends, ends, payload, u32, (from, to, data, lo) => {
        const arena = createArena(4096);
        const build = (end: typeof from) => {
          const { server, serverPort, client, clientPort } = end;
          const fields = {
            ...macs(server, 0x0102, lo),
            src: server,
            dst: client,
            sport: serverPort,
            dport: clientPort,
            payload: data,
          };
          return isUdp ? buildUdp(arena, fields) : buildTcp(arena, { ...fields, flags: 0x12 });
        };
        const [packet, expected] = [build(from), build(to)];
        const isChanged = readdress(arena.view, packet.offset, to, 0x0102, lo);
        const bytes = ({ offset, length }: typeof packet) => arena.bytes.subarray(offset, offset + length);
        assert.deepEqual(bytes(packet), bytes(expected));
        assert.equal(isChanged, JSON.stringify(from) !== JSON.stringify(to));
      }),
    );
  });

test('a UDP checksum of zero stays zero', () => {
  const arena = createArena(256);
  const fields = { ...macs(1, 2, 3), src: 1, dst: 2, sport: 3, dport: 4 };
  const { offset } = buildUdp(arena, fields);
  arena.view.setUint16(offset + 14 + 20 + 6, 0);
  readdress(arena.view, offset, { server: 9, serverPort: 9, client: 2, clientPort: 4 }, 2, 3);
  assert.equal(arena.view.getUint16(offset + 14 + 20 + 6), 0);
});
