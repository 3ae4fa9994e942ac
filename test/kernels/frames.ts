/** Frames for the kernel tests: one of each kind by name, and random ones that are nearly right. */
import fc from 'fast-check';

export interface FrameParts {
  readonly etherType: number;
  readonly versionAndSize: number;
  /** IPv4 total length, or 'whole' for what the frame really holds. */
  readonly totalLength: number | 'whole';
  readonly fragment: number;
  readonly protocol: number;
  readonly source: number;
  readonly destination: number;
  /** Bytes behind the IPv4 header. */
  readonly payload: Uint8Array;
}

/** A UDP datagram 10.0.0.1:1000 > 10.0.0.2:53 without data, IPv4 header of 20 bytes. */
export const UDP_FRAME: FrameParts = {
  etherType: 0x0800,
  versionAndSize: 0x45,
  totalLength: 'whole',
  fragment: 0,
  protocol: 17,
  source: 0x0a000001,
  destination: 0x0a000002,
  payload: Uint8Array.of(0x03, 0xe8, 0, 53, 0, 8, 0, 0),
};

/** Bytes of a frame: MAC addresses 0, IPv4 options 0, checksum 0 (the kernels look at none of them). */
export function frame(parts: Partial<FrameParts> = {}): Uint8Array {
  const all = { ...UDP_FRAME, ...parts };
  const headerSize = Math.max(20, (all.versionAndSize & 15) * 4);
  const bytes = new Uint8Array(14 + headerSize + all.payload.length);
  const p = new DataView(bytes.buffer);
  p.setUint16(12, all.etherType);
  p.setUint8(14, all.versionAndSize);
  p.setUint16(16, all.totalLength === 'whole' ? headerSize + all.payload.length : all.totalLength);
  p.setUint16(20, all.fragment);
  p.setUint8(23, all.protocol);
  p.setUint32(26, all.source);
  p.setUint32(30, all.destination);
  bytes.set(all.payload, 14 + headerSize);
  return bytes;
}

const word = fc.integer({ min: 0, max: 0xffffffff });
const mostly = <T>(usual: T, other: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 5, arbitrary: fc.constant(usual) }, other);

/** Random frames: most have a key, each field is wrong now and then, some are noise, some are cut. */
export const frames: fc.Arbitrary<Uint8Array> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .record({
        etherType: mostly(0x0800, fc.constantFrom(0x0806, 0x86dd, 0x8100)),
        versionAndSize: mostly(
          0x45,
          fc.oneof(fc.integer({ min: 0x42, max: 0x4f }), fc.integer({ min: 0, max: 255 })),
        ),
        totalLength: mostly<number | 'whole'>('whole', fc.integer({ min: 0, max: 100 })),
        fragment: mostly(
          0x4000,
          fc.oneof(fc.constantFrom(0, 0x2000, 0x6000, 1), fc.integer({ min: 0, max: 0xffff })),
        ),
        protocol: fc.constantFrom(1, 6, 17, 132, 47, 2),
        source: word,
        destination: word,
        payload: fc.oneof(
          fc.uint8Array({ maxLength: 24 }),
          fc
            .tuple(fc.constantFrom(0, 8, 3), fc.uint8Array({ minLength: 7, maxLength: 16 }))
            .map(([type, rest]) => Uint8Array.of(type, ...rest)),
        ),
      })
      .map(frame),
  },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 80 }) },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 0, max: 41 }).map((size) => frame().slice(0, size)),
  },
);

export interface FrameBatch {
  readonly bytes: Uint8Array;
  readonly offset: Uint32Array;
  readonly length: Uint32Array;
  readonly space: Int32Array;
}

/** Lay frames one after the other, with `gap` bytes between them, in shared memory where asked. */
export function batchOf(list: readonly Uint8Array[], { gap = 0, isShared = false } = {}): FrameBatch {
  const size = list.reduce((sum, one) => sum + one.length + gap, 0);
  const bytes = new Uint8Array(isShared ? new SharedArrayBuffer(size) : new ArrayBuffer(size));
  const offset = new Uint32Array(list.length);
  let at = 0;
  list.forEach((one, i) => {
    bytes.set(one, at);
    offset[i] = at;
    at += one.length + gap;
  });
  return {
    bytes,
    offset,
    length: Uint32Array.from(list, (one) => one.length),
    space: Int32Array.from(list, (_, i) => 1 + (i % 3)),
  };
}
