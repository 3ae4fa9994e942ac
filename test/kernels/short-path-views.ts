/** Columns for the short way's kernel tests: packets, paths and connections that fit together now and then. */
import fc from 'fast-check';
import { CONNECTION, WINDOW } from '../../src/kernels/connection-columns.js';
import { PATH, PATH_FLAG } from '../../src/kernels/path-columns.js';
import type { ShortPathViews } from '../../src/kernels/short-path.js';
import { createArena } from '../../src/packet/batch.js';
import { buildEcho, buildTcp, buildUdp } from '../../src/packet/build.js';

export const PATHS = 4;
export const CONNECTIONS = 3;
/** Seconds are the scale on which connections expire. */
export const NOW_NS = 10e9;
/** Room of a frame, and for what a broken one claims to have. */
const SLOT = 512;

const seldom = <T>(usual: fc.Arbitrary<T>, other: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ weight: 12, arbitrary: usual }, other);
const word = fc.integer({ min: -0x80000000, max: 0x7fffffff });
const near = (value: number): fc.Arbitrary<number> => fc.integer({ min: value - 3, max: value + 3 });
const SEQ = 1_000;

/** One packet: a frame, its key's path, and what is wrong with it. */
export const packets = fc.record({
  protocol: fc.constantFrom('tcp', 'tcp', 'udp', 'icmp'),
  path: fc.nat(PATHS - 1),
  found: seldom(fc.constant(0), fc.constantFrom(-1, 2, 4_000)),
  port: seldom(fc.constant(0), fc.constant(1)),
  flags: seldom(fc.constantFrom(0x10, 0x18), fc.nat(255)),
  seq: seldom(
    near(SEQ),
    word.map((value) => value >>> 0),
  ),
  ack: seldom(
    near(SEQ),
    word.map((value) => value >>> 0),
  ),
  window: fc.constantFrom<number>(0, 1, 500, 65_535),
  sack: fc.option(near(SEQ), { freq: 3 }),
  payload: fc.uint8Array({ maxLength: 40 }),
  ttl: seldom(fc.constant(64), fc.nat(4)),
  tsNs: seldom(fc.constant(NOW_NS), fc.constantFrom(0, NOW_NS + 2e9, NOW_NS + 9e9)),
  spoilt: fc.option(fc.tuple(fc.nat(80), fc.nat(255)), { freq: 6, nil: undefined }),
  shift: fc.nat(3),
});
export type PacketWish = typeof packets extends fc.Arbitrary<infer T> ? T : never;

/** Words of a path row that vary; the rest are as paths() puts them. */
export const paths = fc.record({
  touches: fc.nat(4),
  /** Two bits for each touch. */
  repeats: seldom(fc.constant(0), fc.nat(255)),
  forwards: fc.nat(3),
  flags: fc.nat(7),
  outcome: fc.constantFrom(1, 2, 5 | (7 << 8)),
  deltas: word,
  ends: fc.tuple(word, word, word),
  macs: fc.tuple(word, word, word),
  mtu: seldom(fc.constant(1_450), fc.constant(60)),
  touch: fc.array(fc.nat(CONNECTIONS * 2 - 1), { minLength: 4, maxLength: 4 }),
  born: seldom(fc.constant(1), fc.constant(2)),
});
export type PathWish = typeof paths extends fc.Arbitrary<infer T> ? T : never;

/** Words of both sides and of the last segment. */
const WINDOWS = WINDOW.WORDS;

export const connections = fc.record({
  isTcp: fc.boolean(),
  state: seldom(fc.constant(3), fc.nat(9)),
  flags: seldom(fc.constant(3), fc.nat(3)),
  expiresNs: seldom(fc.constant(NOW_NS + 5e9), fc.constant(NOW_NS)),
  streamNs: fc.constantFrom(NOW_NS - 1, NOW_NS, NOW_NS + 1),
  windows: fc.array(seldom(fc.oneof(near(SEQ), fc.nat(0x3f)), word), {
    minLength: WINDOWS,
    maxLength: WINDOWS,
  }),
});

/** The connections of a path: each its own, or some alike, as one packet's mostly are, or alike but for one word. */
export const connectionLists = fc
  .array(
    fc.tuple(
      fc.nat(CONNECTIONS - 1),
      connections,
      fc.option(fc.tuple(fc.nat(WINDOWS - 1), near(SEQ)), { freq: 2 }),
    ),
    { minLength: CONNECTIONS, maxLength: CONNECTIONS },
  )
  .map((list) =>
    list.map(([like, , other]) => {
      const wish = list[like]![1];
      return other === null ? wish : { ...wish, windows: wish.windows.with(...other) };
    }),
  );
export type ConnectionWish = typeof connections extends fc.Arbitrary<infer T> ? T : never;

/** The destination's bytes as two little-endian words. */
const ASKED = [0x800a580a | 0, 0x0300] as const;
const MAC = { dstMacHi: 0x0a58, dstMacLo: 0x0a800003, srcMacHi: 0x0a58, srcMacLo: 0x0a800002 } as const;

function build(arena: ReturnType<typeof createArena>, wish: PacketWish): { offset: number; length: number } {
  const { payload, ttl, flags, seq, ack, window, sack } = wish;
  const common = { ...MAC, src: 0x0a800002 + wish.path, dst: 0x0a800003, ttl, payload };
  if (wish.protocol === 'udp') return buildUdp(arena, { ...common, sport: 7, dport: 8 });
  if (wish.protocol === 'icmp') return buildEcho(arena, { ...common, identifier: 7, sequence: 8 });
  const options = new Uint8Array(sack === null ? 0 : 12);
  if (sack !== null) {
    options.set([1, 1, 5, 10]);
    new DataView(options.buffer).setUint32(8, sack);
  }
  return buildTcp(arena, { ...common, sport: 7, dport: 8, flags, seq, ack, window, options });
}

export function viewsOf(
  packetList: readonly PacketWish[],
  pathList: readonly PathWish[],
  connectionList: readonly ConnectionWish[],
): ShortPathViews {
  const count = packetList.length;
  const arena = createArena((count + 4) * SLOT);
  const v: ShortPathViews = {
    p: arena.view,
    bytes: arena.bytes,
    offset: new Uint32Array(count),
    length: new Uint32Array(count),
    tsNs: Float64Array.from(packetList, ({ tsNs }) => tsNs),
    port: Int32Array.from(packetList, ({ port }) => port),
    sequence: Float64Array.from(packetList, (_, i) => 1_000 + i),
    found: Int32Array.from(packetList, ({ found, path }) => (found === 0 ? path * 2 : found)),
    paths: new Int32Array(PATHS * PATH.ROW),
    connections: new Int32Array(CONNECTIONS * CONNECTION.ROW),
    times: new Float64Array(0),
    origin: new Int32Array(count),
    packet: new Float64Array(count),
    parent: new Float64Array(count),
    root: new Float64Array(count),
    verdict: new Uint8Array(count),
    reason: new Uint16Array(count),
    exit: new Int32Array(count),
    outOffset: new Uint32Array(count),
    outLength: new Uint32Array(count),
    outTsNs: new Float64Array(count),
    endpoint: new Int32Array(count),
    service: new Int32Array(count),
    counts: new Float64Array(8),
  };
  for (const [i, wish] of packetList.entries()) {
    arena.used = i * SLOT + wish.shift;
    const { offset, length } = build(arena, wish);
    if (wish.spoilt !== undefined) v.bytes[offset + wish.spoilt[0]] = wish.spoilt[1];
    v.offset[i] = offset;
    v.length[i] = length;
  }
  for (const [i, wish] of pathList.entries()) putPath(v, i, wish);
  v.times = timesOf(v.connections);
  for (const [i, wish] of connectionList.entries()) putConnection(v, i, wish);
  return v;
}

function putPath(v: ShortPathViews, i: number, wish: PathWish): void {
  const row = v.paths.subarray(i * PATH.ROW, (i + 1) * PATH.ROW);
  row.fill(i, PATH.KEY, PATH.KEY + 4);
  const met = new Set(wish.touch.slice(0, wish.touches).map((touch) => touch >> 1));
  const flags = wish.flags | (met.size === wish.touches ? PATH_FLAG.DISTINCT : 0);
  row[PATH.SHAPE] = wish.touches | (wish.forwards << 8) | (flags << 16) | (wish.repeats << 24);
  row.set([...ASKED, ...wish.touch], PATH.ASK_MAC);
  row.fill(wish.born, PATH.BORN, PATH.BORN + 4);
  row[PATH.MTU] = wish.mtu;
  row[PATH.OUTCOME] = wish.outcome;
  row.set([10 + i, 20 + i, 30 + i, ...wish.ends, wish.deltas, ...wish.macs], PATH.EXIT);
}

function putConnection(v: ShortPathViews, i: number, wish: ConnectionWish): void {
  const base = i * CONNECTION.ROW;
  v.connections[base + CONNECTION.MARKS] = wish.state | (wish.flags << 8);
  v.connections[base + CONNECTION.BORN] = 1;
  v.connections.set(wish.windows, base + WINDOW.SIDES);
  v.times[(base + CONNECTION.EXPIRES) >> 1] = wish.expiresNs;
  if (!wish.isTcp) v.times[(base + CONNECTION.STREAM) >> 1] = wish.streamNs;
}

const timesOf = (rows: Int32Array): Float64Array => new Float64Array(rows.buffer);

/** Copies of all memory, so that two kernels may work on the same. */
export function copyOf(v: ShortPathViews): ShortPathViews {
  const copy = Object.fromEntries(
    Object.entries(v).map(([name, column]) => [name, name === 'p' ? column : (column as Uint8Array).slice()]),
  ) as unknown as ShortPathViews;
  copy.p = new DataView(copy.bytes.buffer);
  copy.times = timesOf(copy.connections);
  return copy;
}
