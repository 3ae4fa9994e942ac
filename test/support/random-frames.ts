/** Random frames for fast-check: well-formed ones between known and unknown ends, damaged ones, and plain noise. */
import fc from 'fast-check';
import { internetChecksum } from './checksum.js';
import { NAMES } from './cluster.js';
import { frameOf } from './journey.js';
import { macOf } from './macs.js';

const NAME_LIST = Object.keys(NAMES) as (keyof typeof NAMES)[];
const WHAT = [
  'SYN',
  'SYNACK',
  'ACK',
  'PSHACK "data"',
  'FIN',
  'RST',
  'RSTACK',
  'udp',
  'udp "data"',
  'ping',
  'pong',
];
const MACS = ['tun1', 'tun2', 'nic1', 'nic2', 'all', ...NAME_LIST];

const name = fc.constantFrom(...NAME_LIST);
const port = fc.constantFrom(53, 80, 90, 91, 8080, 9000, 5353, 40_000, 40_001, 4789);

/** A well-formed IPv4 or ARP frame; most MACs are those that lead somewhere. */
const plain = fc
  .record({
    src: name,
    dst: name,
    what: fc.constantFrom(...WHAT),
    sport: port,
    dport: port,
    ttl: fc.constantFrom(0, 1, 2, 63, 64, 255),
    tos: fc.constantFrom(0, 1, 2, 3, 184),
    mac: fc.option(fc.constantFrom(...MACS), { nil: undefined }),
  })
  .map(({ src, dst, what, sport, dport, ttl, tos, mac }) => {
    const to = mac ?? (/^172|^192|^203/.test(NAMES[dst]) || dst.startsWith('g') ? 'tun1' : dst);
    return frameOf(`${src}:${sport} > ${dst}:${dport} ${what} ttl=${ttl} tos=${tos}`, {
      srcMac: macOf(src),
      dstMac: macOf(to),
    });
  });

const arp = fc.tuple(name, name).map(([asker, asked]) => frameOf(`arp ${asker} who-has ${asked}`));

const quoting = fc
  .tuple(plain, name, name, fc.constantFrom(0x0301, 0x0303, 0x0304, 0x0b00, 0x0c00))
  .map(([quoted, src, dst, typeAndCode]) => {
    const quote = quoted.subarray(14, 14 + 60);
    const frame = frameOf(`${src} > ${dst} ping "${' '.repeat(quote.length)}"`);
    frame.set([typeAndCode >> 8, typeAndCode & 255, 0, 0, 0, 0, 0, 0, ...quote], 34);
    const sum = internetChecksum(frame.subarray(34));
    frame.set([sum >> 8, sum & 255], 36);
    return frame;
  });

const inner = fc.oneof({ weight: 4, arbitrary: plain }, arp, quoting);

const tunnelled = fc
  .tuple(inner, fc.constantFrom('n1 > n2', 'n2 > n1', 'out > n1'), fc.integer({ min: 0, max: 2000 }))
  .map(([frame, ends, vni]) => {
    // The outer headers are built around any inner packet; then the real one takes its place.
    const wrapped = frameOf(`vxlan ${ends} vni ${vni} | a:1 > b:2 udp "${' '.repeat(frame.length)}"`);
    const outer = wrapped.slice(0, 50 + frame.length);
    outer.set(frame, 50);
    const total = outer.length - 14;
    outer.set([total >> 8, total & 255], 16);
    outer.set([(total - 20) >> 8, (total - 20) & 255], 38);
    outer.set([0, 0], 24);
    const sum = internetChecksum(outer.subarray(14, 34));
    outer.set([sum >> 8, sum & 255], 24);
    return outer;
  });

const sound = fc.oneof({ weight: 6, arbitrary: plain }, arp, quoting, { weight: 2, arbitrary: tunnelled });

/** Some octets changed, perhaps cut. */
const damaged = fc
  .tuple(
    sound,
    fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 4 }),
    fc.option(fc.nat()),
  )
  .map(([frame, changes, cut]) => {
    const copy = Uint8Array.from(frame);
    for (const [at, octet] of changes) copy[at % copy.length] = octet;
    return cut === null ? copy : copy.slice(0, cut % (copy.length + 1));
  });

const noise = fc
  .tuple(fc.uint8Array({ maxLength: 200 }), fc.constantFrom(0x0800, 0x0806, 0x86dd, 0x8100))
  .map(([bytes, type]) => {
    const copy = Uint8Array.from(bytes);
    if (copy.length >= 14) copy.set([type >> 8, type & 255], 12);
    return copy;
  });

export const soundFrame: fc.Arbitrary<Uint8Array> = sound;
export const anyFrame: fc.Arbitrary<Uint8Array> = fc.oneof(
  { weight: 4, arbitrary: sound },
  { weight: 3, arbitrary: damaged },
  noise,
);
