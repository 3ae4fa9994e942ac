/** Packets of other link types become Ethernet frames, or stay as they are and are named. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FrameKind } from '../../src/io/capture-columns.js';
import { linkTypeName } from '../../src/io/link-types.js';
import { pcapHeader, pcapRecord, readAll } from './capture-bytes.js';

const V4 = '4500001400000000400100000a8000020a810002';
const V6 = '600000000000114000';
const SLL = '0000000100060123456789ab0000';
const SLL_NETLINK = '0000033800060123456789ab0000';
const made = (etherType: string, rest: string): string => `${'00'.repeat(12)}${etherType}${rest}`;

for (const [why, linkType, packet, expected] of [
  ['raw IPv4', 101, V4, made('0800', V4)],
  ['raw IPv6', 101, V6, made('86dd', V6)],
  ['raw by the BSD number', 12, V4, made('0800', V4)],
  ['raw, IPv4 only', 228, V4, made('0800', V4)],
  ['raw, IPv6 only', 229, V6, made('86dd', V6)],
  ['raw of neither version', 101, '7500', null],
  ['raw without a byte', 101, '', null],
  ['NULL of a little-endian host', 0, `02000000${V4}`, made('0800', V4)],
  ['NULL of a big-endian host', 0, `00000002${V4}`, made('0800', V4)],
  ['NULL with IPv6 as Darwin numbers it', 0, `1e000000${V6}`, made('86dd', V6)],
  ['NULL with IPX', 0, '17000000ffff', null],
  ['NULL cut inside its header', 0, '0200', null],
  ['LOOP with IPv6 as OpenBSD numbers it', 108, `00000018${V6}`, made('86dd', V6)],
  ['SLL with IPv4', 113, `${SLL}0800${V4}`, made('0800', V4)],
  ['SLL with a VLAN tag', 113, `${SLL}8100002a0800${V4}`, made('8100', `002a0800${V4}`)],
  ['SLL with 802.2', 113, `${SLL}0004424203`, null],
  ['SLL of netlink, whose protocol is no EtherType', 113, `${SLL_NETLINK}0800${V4}`, null],
  ['SLL cut inside its header', 113, SLL, null],
  ['SLL2 with IPv6', 276, `86dd00000000000200010006${'11'.repeat(8)}${V6}`, made('86dd', V6)],
  ['SLL2 with ARP', 276, `080600000000000200010006${'11'.repeat(8)}0001`, made('0806', '0001')],
  ['radiotap', 127, '00000900', null],
] as const) {
  test(`${why} (${linkTypeName(linkType)}) ${expected === null ? 'stays as it is' : 'gets an Ethernet header'}`, async () => {
    const data = Buffer.from(packet, 'hex');
    const file = Buffer.concat([
      pcapHeader(true, 0xa1b2c3d4, linkType),
      pcapRecord(true, 1, 0, data, data.length + 100),
    ]);
    const { packets, interfaces } = await readAll(file);
    const bytes = expected ?? packet;
    assert.deepEqual(
      packets.map((p) => [p.data.toString('hex'), p.kind]),
      [[bytes, expected === null ? FrameKind.Unsupported : FrameKind.Made]],
    );
    assert.equal(packets[0]?.originalLength, bytes.length / 2 + 100);
    assert.equal(interfaces[0]?.unsupported, expected === null ? 1 : 0);
  });
}

test('every link type has a name, the unknown their number', () => {
  assert.deepEqual([1, 113, 127, 147, 162, 276, 9999].map(linkTypeName), [
    'ETHERNET',
    'LINUX_SLL',
    'IEEE802_11_RADIOTAP',
    'USER0',
    'USER15',
    'LINUX_SLL2',
    'UNKNOWN_9999',
  ]);
});
