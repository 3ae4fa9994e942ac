/** Ways to make a sent packet unlike the ones before it, by name. Each takes a random u32 and answers what is sent instead. */
import { ICMP } from '../../src/wire/icmp.js';
import { IPV4, PROTOCOL } from '../../src/wire/ipv4.js';
import { fillTcpChecksum, TCP, TCP_FLAG } from '../../src/wire/tcp.js';
import { UDP } from '../../src/wire/udp.js';
import { internetChecksum } from '../support/checksum.js';
import { epoch, type Sent } from './cache-trace.js';

const L3 = 14;
const SECOND = 1e9;
/** Just before and after the timeouts of conntrack's states. */
const JUMPS = [1.9, 2.1, 29, 31, 61, 119, 121, 299, 301, 601, 86_399, 86_401].map((s) => s * SECOND);

type Change = (sent: Sent, r: number) => Sent[];

const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const l4Of = (bytes: Uint8Array): number => L3 + (bytes[L3]! & 15) * 4;
const isTcp = (bytes: Uint8Array): boolean =>
  bytes[L3 + IPV4.PROTOCOL] === PROTOCOL.TCP && bytes.length >= l4Of(bytes) + TCP.MIN_SIZE;
const pick = <T>(list: readonly T[], r: number): T => list[r % list.length]!;

/** A copy with `change` made to it. */
const edited =
  (
    change: (p: DataView, r: number, bytes: Uint8Array) => void,
    fix: (p: DataView) => void = () => {},
  ): Change =>
  (sent, r) => {
    const bytes = sent.bytes.slice();
    change(view(bytes), r, bytes);
    fix(view(bytes));
    return [{ ...sent, bytes }];
  };

const inHeader = (change: (p: DataView, r: number) => void): Change => edited(change, fixIpv4);
/** TCP's own fields; other packets stay as they are. */
const inTcp = (change: (p: DataView, l4: number, r: number) => void): Change =>
  edited((p, r, bytes) => {
    if (isTcp(bytes)) change(p, l4Of(bytes), r);
  }, fixAll);

/** The frame with `added` put in at `at`, both headers' lengths to match. */
function grown(sent: Sent, at: number, added: Uint8Array): Sent {
  const bytes = new Uint8Array(sent.bytes.length + added.length);
  bytes.set(sent.bytes.subarray(0, at));
  bytes.set(added, at);
  bytes.set(sent.bytes.subarray(at), at + added.length);
  const p = view(bytes);
  p.setUint16(L3 + IPV4.LENGTH, p.getUint16(L3 + IPV4.LENGTH) + added.length);
  return { ...sent, bytes };
}

function fixed(sent: Sent): Sent[] {
  fixAll(view(sent.bytes));
  return [sent];
}

export const CHANGES: Readonly<Record<string, Change>> = {
  'any byte': edited((p, r) => p.setUint8(r % p.byteLength, r >>> 24)),
  'transport checksum': edited((p, r, bytes) => {
    const at = Math.min(l4Of(bytes) + (r % 40), p.byteLength - 1);
    p.setUint8(at, p.getUint8(at) ^ 1);
  }),
  'no checksum': edited((p, _, bytes) => {
    if (bytes[L3 + IPV4.PROTOCOL] === PROTOCOL.UDP) p.setUint16(l4Of(bytes) + UDP.CHECKSUM, 0);
  }),
  'checksum left to offload': edited((p, _, bytes) => {
    if (!isTcp(bytes)) return;
    const l4 = l4Of(bytes);
    const pseudo = new Uint8Array(12);
    pseudo.set(bytes.subarray(L3 + IPV4.SRC, L3 + IPV4.SRC + 8));
    view(pseudo).setUint16(8, PROTOCOL.TCP);
    view(pseudo).setUint16(10, p.getUint16(L3 + IPV4.LENGTH) - (l4 - L3));
    p.setUint16(l4 + TCP.CHECKSUM, 0xffff - internetChecksum(pseudo));
  }),
  'header checksum': edited((p, r) => p.setUint16(L3 + IPV4.CHECKSUM, r)),
  ttl: inHeader((p, r) => p.setUint8(L3 + IPV4.TTL, r % 4)),
  tos: inHeader((p, r) => p.setUint8(L3 + IPV4.TOS, r)),
  fragment: inHeader((p, r) =>
    p.setUint16(L3 + IPV4.FRAGMENT, pick([0, 0x2000, 0x6000, 0x8000, 5, r], r >>> 8)),
  ),
  identification: inHeader((p, r) => p.setUint16(L3 + IPV4.ID, r)),
  'total length': inHeader((p, r) => p.setUint16(L3 + IPV4.LENGTH, r % 80)),
  'cut short': (sent, r) => [{ ...sent, bytes: sent.bytes.slice(0, 14 + (r % (sent.bytes.length - 13))) }],
  'other size': (sent, r) => {
    const shortest = l4Of(sent.bytes) + 20;
    if (sent.bytes.length <= shortest) return fixed(grown({ ...sent }, sent.bytes.length, Uint8Array.of(r)));
    const bytes = sent.bytes.slice(0, shortest + (r % (sent.bytes.length - shortest)));
    view(bytes).setUint16(L3 + IPV4.LENGTH, bytes.length - L3);
    return fixed({ ...sent, bytes });
  },
  jumbo: (sent, r) =>
    fixed(grown(sent, sent.bytes.length, new Uint8Array(pick([1_400, 1_460, 2_000, 9_000, 65_440], r)))),
  padding: (sent, r) => {
    const bytes = new Uint8Array(sent.bytes.length + pick([1, 6, 18, 1_500, 65_440, 65_500], r)).fill(r);
    bytes.set(sent.bytes);
    return [{ ...sent, bytes }];
  },
  'IPv4 options': (sent, r) => {
    const header = l4Of(sent.bytes) - L3;
    if (header > 56) return [sent];
    const longer = grown(sent, L3 + header, new Uint8Array(4).fill(pick([1, 0, 7], r)));
    longer.bytes[L3] = 0x40 | ((header + 4) / 4);
    return fixed(longer);
  },
  'destination MAC': edited((p, r) => p.setUint8(r % 6, r >>> 8)),
  'source MAC': edited((p, r) => p.setUint8(6 + (r % 6), r >>> 8)),
  'ethernet type': edited((p, r) => p.setUint16(12, pick([0x0806, 0x86dd, 0x8100], r))),
  'other port': (sent, r) => [{ ...sent, port: r % epoch.tables.ports.rows }],
  flags: inTcp((p, l4, r) => p.setUint8(l4 + TCP.FLAGS, pick(FLAG_SETS, r))),
  'sequence number': inTcp((p, l4, r) =>
    p.setUint32(l4 + TCP.SEQ, (p.getUint32(l4 + TCP.SEQ) + pick(STEPS, r)) >>> 0),
  ),
  acknowledgement: inTcp((p, l4, r) =>
    p.setUint32(l4 + TCP.ACK, (p.getUint32(l4 + TCP.ACK) + pick(STEPS, r)) >>> 0),
  ),
  window: inTcp((p, l4, r) => p.setUint16(l4 + TCP.WINDOW, pick([0, 1, 2, 0xffff, r], r >>> 16))),
  'data offset': inTcp((p, l4, r) => p.setUint8(l4 + TCP.OFFSET, (r & 15) << 4)),
  'SACK blocks': (sent, r) => {
    const { bytes } = sent;
    const l4 = l4Of(bytes);
    if (!isTcp(bytes) || bytes[l4 + TCP.OFFSET]! >>> 4 > 11) return [sent];
    const option = Uint8Array.of(1, 1, 5, 10 + (r & 1), 0, 0, 0, 0, 0, 0, 0, 0, 5, 2, 0, 1);
    const edge = (view(bytes).getUint32(l4 + TCP.ACK) + pick(STEPS, r)) >>> 0;
    view(option).setUint32(8, edge);
    const longer = grown(sent, l4 + TCP.MIN_SIZE, option);
    longer.bytes[l4 + TCP.OFFSET]! += 0x40;
    return fixed(longer);
  },
  'the same again': (sent, r) => [sent, ...Array<Sent>(r % 6).fill({ ...sent, gapNs: 1_000 })],
  'pure acknowledgements': (sent, r) => {
    if (!isTcp(sent.bytes)) return [sent];
    const l4 = l4Of(sent.bytes);
    const bytes = sent.bytes.slice(0, l4 + TCP.MIN_SIZE);
    bytes[l4 + TCP.OFFSET] = 0x50;
    bytes[l4 + TCP.FLAGS] = TCP_FLAG.ACK;
    view(bytes).setUint16(L3 + IPV4.LENGTH, bytes.length - L3);
    const ack = fixed({ ...sent, bytes, gapNs: 1_000 })[0]!;
    return [sent, ...Array<Sent>(1 + (r % 5)).fill(ack)];
  },
  'resets, exact and not': (sent, r) => {
    if (!isTcp(sent.bytes)) return [sent];
    const reset = (step: number): Sent => {
      const bytes = sent.bytes.slice();
      const l4 = l4Of(bytes);
      const p = view(bytes);
      p.setUint8(l4 + TCP.FLAGS, TCP_FLAG.RST | TCP_FLAG.ACK);
      p.setUint32(l4 + TCP.SEQ, (p.getUint32(l4 + TCP.SEQ) + step) >>> 0);
      return fixed({ ...sent, bytes, gapNs: 1_000 })[0]!;
    };
    const size = view(sent.bytes).getUint16(L3 + IPV4.LENGTH);
    return [sent, reset(5), { ...sent, gapNs: 1_000 }, reset(pick([5, 1, 10, size - 40], r)), sent];
  },
  'checksum of all ones': edited((p, _, bytes) => {
    const l4 = l4Of(bytes);
    const at = CHECKSUM_AT[bytes[L3 + IPV4.PROTOCOL]!];
    const last = (bytes.length - 2) & ~1;
    if (at === undefined || last < l4 + TCP.MIN_SIZE + 2 || bytes.length % 2 !== 0) return;
    // The field's value moves into the payload: the sum stays, and the field may as well be all ones.
    const sum = p.getUint16(last) + p.getUint16(l4 + at);
    p.setUint16(last, (sum & 0xffff) + (sum >>> 16));
    p.setUint16(l4 + at, 0xffff);
  }),
  'a pause': (sent, r) => [{ ...sent, gapNs: sent.gapNs + pick(JUMPS, r) }],
  'back in time': (sent, r) => [{ ...sent, gapNs: -(r % 1_000_000) }],
};

const CHECKSUM_AT: Readonly<Record<number, number>> = {
  [PROTOCOL.ICMP]: ICMP.CHECKSUM,
  [PROTOCOL.TCP]: TCP.CHECKSUM,
  [PROTOCOL.UDP]: UDP.CHECKSUM,
};
const { FIN, SYN, RST, PSH, ACK, URG, ECE, CWR } = TCP_FLAG;
const FLAG_SETS = [
  SYN,
  SYN | ACK,
  FIN | ACK,
  FIN,
  RST,
  RST | ACK,
  0,
  URG | ACK,
  PSH | ACK,
  ECE | CWR | ACK,
  0xff,
];
const STEPS = [1, -1, 10, -10, 1_000, -1_000, 66_001, -66_001, 0x100000, -0x100000, 0x7fffffff, 0x80000000];

function fixIpv4(p: DataView): void {
  const size = Math.min((p.getUint8(L3) & 15) * 4, p.byteLength - L3);
  if (size < 20) return;
  p.setUint16(L3 + IPV4.CHECKSUM, 0);
  const header = new Uint8Array(p.buffer, p.byteOffset + L3, size);
  p.setUint16(L3 + IPV4.CHECKSUM, internetChecksum(header));
}

function fixAll(p: DataView): void {
  fixIpv4(p);
  const l4 = L3 + (p.getUint8(L3) & 15) * 4;
  const end = Math.min(L3 + p.getUint16(L3 + IPV4.LENGTH), p.byteLength);
  const src = p.getUint32(L3 + IPV4.SRC);
  const dst = p.getUint32(L3 + IPV4.DST);
  const protocol = p.getUint8(L3 + IPV4.PROTOCOL);
  if (protocol === PROTOCOL.TCP && end - l4 >= TCP.MIN_SIZE) fillTcpChecksum(p, l4, end, src, dst);
  if (protocol !== PROTOCOL.UDP || end - l4 < UDP.SIZE) return;
  p.setUint16(l4 + UDP.LENGTH, end - l4);
  p.setUint16(l4 + UDP.CHECKSUM, 0);
}
