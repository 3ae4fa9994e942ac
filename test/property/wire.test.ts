/** What a wire module writes it reads back, bit for bit, and nothing beside it is touched. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import * as arp from '../../src/wire/arp.js';
import * as ethernet from '../../src/wire/ethernet.js';
import { fillIcmpChecksum } from '../../src/wire/icmp.js';
import * as ipv4 from '../../src/wire/ipv4.js';
import * as tcp from '../../src/wire/tcp.js';
import * as udp from '../../src/wire/udp.js';
import { vxlanVni, writeVxlan } from '../../src/wire/vxlan.js';
import { internetChecksum } from '../support/checksum.js';

const u8 = fc.integer({ min: 0, max: 0xff });
const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffffffff });
const at = fc.nat({ max: 30 });

/** Run `write` over noise and see that only [offset, offset + size) changed. */
function written(offset: number, size: number, write: (p: DataView) => void): DataView {
  const bytes = Uint8Array.from({ length: 120 }, (_, i) => (i * 151 + 7) & 255);
  const before = Uint8Array.from(bytes);
  const p = new DataView(bytes.buffer);
  write(p);
  assert.deepEqual(bytes.subarray(0, offset), before.subarray(0, offset), 'what is in front stays');
  assert.deepEqual(bytes.subarray(offset + size), before.subarray(offset + size), 'what is behind stays');
  return p;
}

test('Ethernet', () => {
  fc.assert(
    fc.property(at, u16, u32, u16, u32, u16, (o, dstHi, dstLo, srcHi, srcLo, type) => {
      const p = written(o, 14, (view) => {
        ethernet.writeEthernet(view, o, dstHi, dstLo, srcHi, srcLo, type);
      });
      assert.deepEqual(
        [ethernet.ethDstHi(p, o), ethernet.ethDstLo(p, o), ethernet.ethSrcHi(p, o), ethernet.ethSrcLo(p, o)],
        [dstHi, dstLo, srcHi, srcLo],
      );
      assert.equal(ethernet.etherType(p, o), type);
    }),
  );
});

test('IPv4, with a checksum that is right', () => {
  fc.assert(
    fc.property(
      at,
      u8,
      u16,
      u16,
      u16,
      u8,
      u8,
      u32,
      u32,
      (o, tos, length, id, fragment, ttl, proto, src, dst) => {
        const p = written(o, 20, (view) => {
          ipv4.writeIpv4(view, o, tos, length, id, fragment, ttl, proto, src, dst);
        });
        assert.deepEqual(
          [ipv4.ipv4Tos(p, o), ipv4.ipv4TotalLength(p, o), ipv4.ipv4Id(p, o), ipv4.ipv4Fragment(p, o)],
          [tos, length, id, fragment],
        );
        assert.deepEqual(
          [ipv4.ipv4Ttl(p, o), ipv4.ipv4Protocol(p, o), ipv4.ipv4Src(p, o), ipv4.ipv4Dst(p, o)],
          [ttl, proto, src, dst],
        );
        assert.equal(internetChecksum(new Uint8Array(p.buffer, o, 20)), 0);
        assert.equal(ipv4.isFragment(p, o), (fragment & 0x3fff) !== 0);
        assert.equal(ipv4.isLaterFragment(p, o), (fragment & 0x1fff) !== 0);
      },
    ),
  );
});

test('IPv4 rewrites by difference keep the checksum right', () => {
  fc.assert(
    fc.property(u32, u32, u32, fc.integer({ min: 1, max: 255 }), u8, (src, dst, other, ttl, tos) => {
      const p = new DataView(new ArrayBuffer(20));
      ipv4.writeIpv4(p, 0, tos, 40, 7, 0x4000, ttl, 6, src, dst);
      ipv4.decrementTtl(p, 0);
      ipv4.replaceIpv4Address(p, 0, ipv4.IPV4.SRC, other);
      ipv4.replaceIpv4Address(p, 0, ipv4.IPV4.DST, src);
      assert.deepEqual([ipv4.ipv4Ttl(p, 0), ipv4.ipv4Src(p, 0), ipv4.ipv4Dst(p, 0)], [ttl - 1, other, src]);
      assert.equal(internetChecksum(new Uint8Array(p.buffer)), 0);
    }),
  );
});

test('TCP', () => {
  fc.assert(
    fc.property(at, u16, u16, u32, u32, u8, u16, (o, sport, dport, seq, ack, flags, window) => {
      const p = written(o, 20, (view) => {
        tcp.writeTcp(view, o, sport, dport, seq, ack, flags, window);
      });
      assert.deepEqual(
        [p.getUint16(o), p.getUint16(o + 2), tcp.tcpSeq(p, o), tcp.tcpAck(p, o), tcp.tcpFlags(p, o)],
        [sport, dport, seq, ack, flags],
      );
      assert.equal(p.getUint16(o + tcp.TCP.WINDOW), window);
      assert.equal(tcp.tcpHeaderSize(p, o), 20);
    }),
  );
});

test('UDP: a computed checksum is never zero, which would mean none', () => {
  fc.assert(
    fc.property(
      at,
      u16,
      u16,
      fc.uint8Array({ maxLength: 40 }),
      u32,
      u32,
      (o, sport, dport, data, src, dst) => {
        const size = 8 + data.length;
        const p = written(o, size, (view) => {
          new Uint8Array(view.buffer).set(data, o + 8);
          udp.writeUdp(view, o, sport, dport, size);
          udp.fillUdpChecksum(view, o, o + size, src, dst);
        });
        assert.deepEqual([p.getUint16(o), p.getUint16(o + 2), udp.udpLength(p, o)], [sport, dport, size]);
        assert.notEqual(p.getUint16(o + 6), 0);
        const pseudo = new DataView(new ArrayBuffer(12));
        pseudo.setUint32(0, src);
        pseudo.setUint32(4, dst);
        pseudo.setUint16(8, 17);
        pseudo.setUint16(10, size);
        const whole = Uint8Array.of(...new Uint8Array(pseudo.buffer), ...new Uint8Array(p.buffer, o, size));
        assert.equal(internetChecksum(whole), 0);
      },
    ),
    { numRuns: 300 },
  );
});

test('ICMP checksum', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 8, maxLength: 100 }), (bytes) => {
      const copy = Uint8Array.from(bytes);
      fillIcmpChecksum(new DataView(copy.buffer), 0, copy.length);
      assert.equal(internetChecksum(copy), 0);
    }),
  );
});

test('ARP', () => {
  fc.assert(
    fc.property(at, u16, u16, u32, u32, u16, u32, u32, (o, oper, shaHi, shaLo, spa, thaHi, thaLo, tpa) => {
      const p = written(o, 28, (view) => {
        arp.writeArp(view, o, oper, shaHi, shaLo, spa, thaHi, thaLo, tpa);
      });
      assert.ok(arp.isArpIpv4(p, o, o + 28));
      assert.ok(!arp.isArpIpv4(p, o, o + 27), 'one byte less is not whole');
      assert.deepEqual(
        [arp.arpOper(p, o), arp.arpShaHi(p, o), arp.arpShaLo(p, o), arp.arpSpa(p, o), arp.arpTpa(p, o)],
        [oper, shaHi, shaLo, spa, tpa],
      );
    }),
  );
});

test('VXLAN: the I flag and 24 bits, all else zero', () => {
  fc.assert(
    fc.property(at, fc.integer({ min: 0, max: 0xffffff }), (o, vni) => {
      const p = written(o, 8, (view) => {
        writeVxlan(view, o, vni);
      });
      assert.equal(vxlanVni(p, o), vni);
      assert.deepEqual([p.getUint32(o), p.getUint8(o + 7)], [0x08000000, 0]);
    }),
  );
});
