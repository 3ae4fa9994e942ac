/** What may differ between witness and podplane, each with its reason; everything else must be the same byte. */
import { internetChecksum } from '../support/checksum.js';

/** Part of a frame that a mask blanks in both before they are compared. */
export interface Mask {
  readonly name: string;
  readonly reason: string;
  /** Blank it in `frame` (both sides get the same treatment), or leave the frame alone where the mask has no say. */
  readonly apply: (frame: Uint8Array, context: MaskContext) => void;
}

export interface MaskContext {
  /** UDP port of the cluster's tunnel. */
  readonly vxlanPort: number;
  /** Addresses behind which netfilter takes a random port in this case; empty where it keeps ports. */
  readonly masquerades: ReadonlySet<number>;
  /** The frame was made by a stack: a pod's, or a node's ICMP error. */
  readonly isGenerated: boolean;
}

const TCP = 6;
const UDP = 17;
const ICMP = 1;

const u16 = (b: Uint8Array, at: number): number => (b[at]! << 8) | b[at + 1]!;
const u32 = (b: Uint8Array, at: number): number => u16(b, at) * 0x10000 + u16(b, at + 2);
const isIpv4 = (b: Uint8Array): boolean => b.length >= 34 && u16(b, 12) === 0x0800 && b[14]! >>> 4 === 4;
const headerSize = (b: Uint8Array): number => (b[14]! & 15) * 4;
const transportAt = (b: Uint8Array): number => 14 + headerSize(b);
const isFirst = (b: Uint8Array): boolean => (u16(b, 20) & 0x1fff) === 0;
/** Is the frame one of a tunnel with this port? */
export const isVxlan = (b: Uint8Array, vxlanPort: number): boolean =>
  isIpv4(b) && b[23] === UDP && isFirst(b) && b.length >= 50 && u16(b, transportAt(b) + 2) === vxlanPort;

/** The frame inside a tunnel's: behind the UDP and VXLAN headers. */
export const innerFrame = (b: Uint8Array): Uint8Array => b.subarray(transportAt(b) + 16);

/** Blank bytes; a checksum that covers them is blanked only where it is right, so that a wrong one still shows. */
function blank(frame: Uint8Array, at: number, count: number): void {
  frame.fill(0, at, at + count);
}

function blankHeaderField(frame: Uint8Array, at: number, count: number): void {
  const isRight = internetChecksum(frame.subarray(14, transportAt(frame))) === 0;
  blank(frame, at, count);
  if (isRight) blank(frame, 24, 2);
}

/** Apply `change` to the frame, or to the one inside when it is a tunnel's. */
function withInner(frame: Uint8Array, vxlanPort: number, change: (frame: Uint8Array) => void): void {
  change(isVxlan(frame, vxlanPort) ? innerFrame(frame) : frame);
}

const transportChecksumAt = (frame: Uint8Array): number =>
  transportAt(frame) + (frame[23] === TCP ? 16 : frame[23] === UDP ? 6 : 2);

function isTransportRight(frame: Uint8Array): boolean {
  const l4 = frame.subarray(transportAt(frame), 14 + u16(frame, 16));
  if (frame[23] === ICMP) return internetChecksum(l4) === 0;
  const pseudo = Uint8Array.of(...frame.subarray(26, 34), 0, frame[23]!, l4.length >>> 8, l4.length & 255);
  return internetChecksum(Uint8Array.of(...pseudo, ...l4)) === 0;
}

/** Blank part of the transport header, and its checksum where that is right. */
function blankTransport(frame: Uint8Array, from: number, count: number): void {
  // What comes behind a first fragment is not here to be summed.
  const isRight = isTransportRight(frame) || (frame[20]! & 0x20) !== 0;
  const at = transportAt(frame);
  blank(frame, at + from, count);
  if (isRight) blank(frame, transportChecksumAt(frame), 2);
}

/** Error that quotes a packet: 3, 5, 11, 12. */
const isIcmpError = (b: Uint8Array): boolean =>
  isIpv4(b) && b[23] === ICMP && [3, 5, 11, 12].includes(b[transportAt(b)]!);

export const MASKS: readonly Mask[] = [
  {
    name: 'outer UDP source port',
    reason: "the kernel's flow hash is keyed at boot; range and stability per flow are checked instead",
    apply: (frame, { vxlanPort }) => {
      if (isVxlan(frame, vxlanPort)) blank(frame, transportAt(frame), 2);
    },
  },
  {
    name: 'outer IP identification',
    reason: 'a counter that begins at random',
    apply: (frame, { vxlanPort }) => {
      if (isVxlan(frame, vxlanPort)) blankHeaderField(frame, 18, 2);
    },
  },
  {
    name: 'identification of what a stack makes',
    reason: "a stack's IP identifications are counters that begin at random",
    apply: (frame, { isGenerated, vxlanPort }) => {
      withInner(frame, vxlanPort, (inner) => {
        if (isIpv4(inner) && (isGenerated || isIcmpError(inner))) blankHeaderField(inner, 18, 2);
      });
    },
  },
  {
    name: 'initial sequence number and options of a SYN-ACK',
    reason: 'random in every stack; window and options are the socket’s settings, not the network’s',
    apply: (frame, { isGenerated, vxlanPort }) => {
      withInner(frame, vxlanPort, (inner) => {
        if (
          !isGenerated ||
          !isIpv4(inner) ||
          inner[23] !== TCP ||
          (inner[transportAt(inner) + 13]! & 0x12) !== 0x12
        )
          return;
        blankTransport(inner, 4, 4);
        const at = transportAt(inner);
        blank(inner, at + 14, 2);
        blank(inner, at + 20, inner.length - at - 20);
      });
    },
  },
  {
    name: 'port of a masquerade',
    reason: 'kube-proxy masquerades --random-fully',
    apply: (frame, { masquerades, vxlanPort }) => {
      if (masquerades.size === 0) return;
      withInner(frame, vxlanPort, (inner) => {
        if (!isIpv4(inner) || !isFirst(inner)) return;
        const isSource = masquerades.has(u32(inner, 26));
        const isDestination = masquerades.has(u32(inner, 30));
        if (inner[23] === ICMP) {
          if (isSource || isDestination) blankTransport(inner, 4, 2);
          return;
        }
        if (isSource) blankTransport(inner, 0, 2);
        if (isDestination) blankTransport(inner, 2, 2);
      });
    },
  },
];

/** Frames that only one side has by design. */
export interface Silence {
  readonly name: string;
  readonly reason: string;
  readonly covers: (frame: Uint8Array) => boolean;
}

export const UNSEEN: readonly Silence[] = [
  {
    name: "a node's questions for MACs",
    reason:
      'podplane knows all neighbours and does not show the exchange; the wait for one that nobody has is modelled',
    covers: (frame) => frame.length >= 42 && u16(frame, 12) === 0x0806 && u16(frame, 20) === 1,
  },
];

/** Both frames, blanked alike. */
export function masked(frame: Uint8Array, context: MaskContext): Uint8Array {
  const copy = Uint8Array.from(frame);
  for (const mask of MASKS) mask.apply(copy, context);
  return copy;
}
