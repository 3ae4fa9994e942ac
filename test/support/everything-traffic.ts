/** Seeded traffic for the cluster that has everything. It listens to an engine: what arrives somewhere is answered from there,
 *  quoted by ICMP errors, cut into fragments or damaged, so that the traffic meets the translations that were made. */
import { Engine } from '../../src/engine/engine.js';
import type { Epoch } from '../../src/tables/epoch.js';
import { Verdict } from '../../src/verdict/verdict.js';
import { type OutputRow, runFrames, type SentFrame } from './batches.js';
import { internetChecksum } from './checksum.js';
import { NAMES } from './cluster.js';
import { EGRESS_IPS, EXTERNAL, FORBIDDEN, GROUP, LOAD_BALANCER } from './everything.js';
import { NODE_PORTS } from './external.js';
import { findPort, frameOf } from './journey.js';
import { macsOf, sentMacs } from './macs.js';

const PODS = ['a', 'b', 'c', 's', 'v', 'p', 'd', 'e'] as const;
const OUTSIDERS = ['203.0.113.9', '203.0.113.10', '198.51.100.7', '192.168.1.50'] as const;
const TARGETS: readonly string[] = [
  ...Object.values(NODE_PORTS).flatMap((port) =>
    ['n1', 'n2', 'g1'].flatMap((node) => [`${node}:${port}`, `${node}:${port + 100}`]),
  ),
  ...[LOAD_BALANCER, EXTERNAL, NAMES.n2].flatMap((address) => [`${address}:80`, `${address}:90`]),
  ...['web:8080', 'far:80', 'far:90', 'near:80', 'near:90', 'own:80', 'own:90', 'none:80', 'dns:53'],
  ...['a:8080', 'b:9000', 'c:8080', 'v:8200', 'p:9090', 'n1:8080', 'n1:22', 'n2:10250'],
  ...['out:443', 'out:53', `${FORBIDDEN}:443`, '198.51.100.8:443', `${EGRESS_IPS[0]}:443`],
  ...[`${GROUP}:5000`, '224.0.0.251:5353'],
];
const WHAT = [
  'SYN',
  'SYN',
  'udp "query"',
  'udp "query"',
  'ACK seq=101 ack=9',
  'ping',
  'RST',
  'udp ttl=1',
  'SYN ttl=1',
];

/** `count` frames or a few more. */
export function everythingTraffic(epoch: Epoch, count: number, seed: number): SentFrame[] {
  using engine = new Engine(epoch, { seed: 9, respond: seed % 2 === 0, backend: 'typescript', cache: false });
  const random = drawer(seed);
  const pick = <T>(list: readonly T[]): T => list[random(list.length)]!;
  const sent: SentFrame[] = [];
  const seen: OutputRow[] = [];
  let tsNs = 0;
  while (sent.length < count) {
    const isAnswer = seen.length > 0 && random(3) > 0;
    const made = isAnswer
      ? answers(epoch, seen[seen.length - 1 - random(Math.min(seen.length, 24))]!, random)
      : [fresh()];
    for (const { bytes, port } of made) {
      tsNs += pick([1e5, 1e6, 1e6, 1e6, 3e7, 4e9 * (random(40) === 0 ? 9 : 0)]);
      sent.push({ bytes, port, tsNs });
      seen.push(
        ...runFrames(engine, [sent.at(-1)!], { isGoingOn: true }).filter(
          (row) => row.exit >= 0 && row.bytes.length > 33,
        ),
      );
    }
  }
  return sent;

  function fresh(): { bytes: Uint8Array; port: number } {
    const what = pick(WHAT);
    const target = pick(TARGETS);
    const to = what === 'ping' ? target.split(':')[0]! : target;
    const at = random(4) > 0 ? pick(PODS) : pick(['nic1', 'nic2', 'tun1', 'tun2']);
    if (at.length === 1) {
      const text = `${at}:${40_000 + random(6)} > ${to} ${what}`;
      return { bytes: frameOf(text, sentMacs(at, text)), port: findPort(epoch, at) };
    }
    const source = at.startsWith('nic') ? pick(OUTSIDERS) : NAMES[at === 'tun1' ? 'g1' : 'g2'];
    const text = `${source}:${40_000 + random(6)} > ${to} ${what}`;
    if (at.startsWith('tun'))
      return { bytes: frameOf(text, macsOf(`${at} > ${pick(PODS)}`)), port: findPort(epoch, at) };
    if (random(4) > 0) return { bytes: frameOf(text, macsOf(`router > ${at}`)), port: findPort(epoch, at) };
    const ends = at === 'nic1' ? 'n2 > n1' : 'n1 > n2';
    const vni = pick([0, 1001, 1002, 1003, 1004, 77]);
    const inner = `${pick(PODS)}:${40_000 + random(6)} > ${pick(TARGETS)} ${pick(WHAT.filter((one) => one !== 'ping'))}`;
    return { bytes: frameOf(`vxlan ${ends} vni ${vni} | ${inner}`), port: findPort(epoch, at) };
  }
}

type Draw = (below: number) => number;

/** xorshift32. */
function drawer(seed: number): Draw {
  let state = (seed * 2654435761) >>> 0 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** What the place at which `row` came out may send because of it. */
function answers(epoch: Epoch, row: OutputRow, random: Draw): { bytes: Uint8Array; port: number }[] {
  const port = random(12) === 0 ? random(epoch.tables.ports.rows) : row.exit;
  const at = (...all: Uint8Array[]) => all.map((bytes) => ({ bytes, port }));
  if (row.bytes[12] !== 8 || row.bytes[13] !== 0) return at(row.bytes);
  const isTunnel = row.bytes[23] === 17 && row.bytes.length > 98 && word(row.bytes, 36) === 4789;
  const reply = reversed(row.bytes);
  switch (random(isTunnel ? 4 : 9)) {
    case 0:
      return at(quoting(row.bytes, [0x0301, 0x0303, 0x0304, 0x0b00, 0x0c00][random(5)]!));
    case 1:
      return at(damaged(reply, random));
    case 2:
      return at(isTunnel ? tunnelReply(row.bytes) : reply, isTunnel ? tunnelReply(row.bytes) : reply);
    case 3:
      return at(...fragments(isTunnel ? tunnelReply(row.bytes) : reply, random));
    case 4:
      return row.verdict === Verdict.Left ? at(row.bytes) : at(reply);
    default:
      return at(reply);
  }
}

const word = (bytes: Uint8Array, at: number): number => (bytes[at]! << 8) | bytes[at + 1]!;
const copyRange = (to: Uint8Array, at: number, from: Uint8Array, start: number, size: number): void =>
  to.set(from.subarray(start, start + size), at);

/** Ends of both layers swapped, checksums as they are; SYN becomes SYN+ACK, an echo its reply. */
function reversed(bytes: Uint8Array): Uint8Array {
  const out = bytes.slice();
  copyRange(out, 0, bytes, 6, 6);
  copyRange(out, 6, bytes, 0, 6);
  copyRange(out, 26, bytes, 30, 4);
  copyRange(out, 30, bytes, 26, 4);
  const l4 = 14 + (bytes[14]! & 15) * 4;
  out[22] = 64;
  if ((bytes[23] === 6 || bytes[23] === 17) && bytes.length >= l4 + 8) {
    copyRange(out, l4, bytes, l4 + 2, 2);
    copyRange(out, l4 + 2, bytes, l4, 2);
  }
  if (bytes[23] === 6 && bytes.length >= l4 + 20) {
    copyRange(out, l4 + 4, bytes, l4 + 8, 4);
    copyRange(out, l4 + 8, bytes, l4 + 4, 4);
    out[l4 + 11]!++;
    if (bytes[l4 + 13] === 2) out[l4 + 13] = 0x12;
  }
  if (bytes[23] === 1 && bytes[l4] === 8) out[l4] = 0;
  return summed(out);
}

function tunnelReply(bytes: Uint8Array): Uint8Array {
  const outer = bytes.slice();
  copyRange(outer, 0, bytes, 6, 6);
  copyRange(outer, 6, bytes, 0, 6);
  copyRange(outer, 26, bytes, 30, 4);
  copyRange(outer, 30, bytes, 26, 4);
  outer.set(reversed(bytes.slice(50)), 50);
  return outer;
}

/** Header's and transport's checksums as they must be. */
function summed(out: Uint8Array): Uint8Array {
  const l4 = 14 + (out[14]! & 15) * 4;
  out.fill(0, 24, 26);
  const header = internetChecksum(out.subarray(14, l4));
  out.set([header >> 8, header & 255], 24);
  const end = Math.min(out.length, 14 + word(out, 16));
  const at = { 1: l4 + 2, 6: l4 + 16, 17: l4 + 6 }[out[23]!];
  if (at === undefined || at + 2 > end || word(out, 20) & 0x3fff) return out;
  out.fill(0, at, at + 2);
  const pseudo = new Uint8Array(12 + end - l4);
  copyRange(pseudo, 0, out, 26, 8);
  pseudo.set([0, out[23]!, (end - l4) >> 8, (end - l4) & 255], 8);
  copyRange(pseudo, 12, out, l4, end - l4);
  const sum = internetChecksum(out[23] === 1 ? pseudo.subarray(12) : pseudo);
  out.set([sum >> 8, sum & 255], at);
  return out;
}

/** An ICMP error from where the frame went, about the frame. */
function quoting(bytes: Uint8Array, typeAndCode: number): Uint8Array {
  const quote = bytes.subarray(14, Math.min(bytes.length, 14 + 60));
  const out = new Uint8Array(42 + quote.length);
  out.set(reversed(bytes).subarray(0, 34));
  out[14] = 0x45;
  out.set([0, 0], 20);
  out[23] = 1;
  out.set([(28 + quote.length) >> 8, 28 + quote.length], 16);
  out.set([typeAndCode >> 8, typeAndCode & 255, 0, 0, 0, 0, 5, 120], 34);
  out.set(quote, 42);
  return summed(out);
}

function damaged(bytes: Uint8Array, random: Draw): Uint8Array {
  const out = bytes.slice(0, random(4) === 0 ? 14 + random(bytes.length - 13) : bytes.length);
  const at = random(out.length);
  out[at] = out[at]! ^ (1 << random(8));
  return out;
}

/** The packet in two or three parts, perhaps the wrong way round, perhaps not all of them. */
function fragments(bytes: Uint8Array, random: Draw): Uint8Array[] {
  const start = 14 + (bytes[14]! & 15) * 4;
  const end = Math.min(bytes.length, 14 + word(bytes, 16));
  const step = 8 * (1 + random(2));
  const parts: Uint8Array[] = [];
  for (let at = start; at < end; at += step) {
    const isLast = parts.length === 2 || at + step >= end;
    const body = bytes.subarray(at, isLast ? end : at + step);
    const part = new Uint8Array(start + body.length);
    part.set(bytes.subarray(0, start));
    part.set(body, start);
    const field = ((at - start) >> 3) | (isLast ? 0 : 0x2000);
    part.set([(part.length - 14) >> 8, (part.length - 14) & 255], 16);
    part.set([field >> 8, field & 255], 20);
    parts.push(summed(part));
    if (isLast) break;
  }
  if (random(3) === 0) parts.reverse();
  return random(5) === 0 ? parts.slice(1) : parts;
}
