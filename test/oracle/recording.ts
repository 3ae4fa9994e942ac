/** What the witness captured at pods' eth0 and nodes' NICs, as a capture file, with what became of each packet sent. */
import { createCapture } from '../../src/io/capture-writer.js';
import { frameFaults } from '../support/checksum.js';
import type { Injection, Sighting } from './witness.js';

/** Unix time at which recordings begin. */
export const START_NS = 1_767_225_600_000_000_000n;
/** Between two packets of a case: beyond the time in which a copy on one interface counts as the same packet. */
const STEP_NS = 1e9;

export interface RecordedStep {
  readonly sent: Injection;
  /** Nanoseconds since the recording's beginning. */
  readonly tsNs: number;
  readonly endNs: number;
  /** The pod that got it, or empty. */
  readonly arrivedAt: string;
}

interface RecordedFrame {
  readonly at: string;
  readonly tsNs: number;
  readonly bytes: Uint8Array;
}

export class Recording {
  readonly steps: RecordedStep[] = [];
  readonly #frames: RecordedFrame[] = [];
  #nowNs = 0;

  /** Note a packet, and what the witness saw of it, in order. Left out is what these captures cannot tell: what a node's own
   *  stack sends, what a pod's stack makes of a wrong checksum, tunnels' frames without the pod's own, and where a group's
   *  packet ends, which is at many pods. */
  add(sent: Injection, seen: readonly Sighting[], waitSeconds: number): void {
    if (sent.at.endsWith(':tun0') || frameFaults(sent.bytes).length > 0 || isTunnel(sent) || isForGroup(sent))
      return;
    this.#nowNs += STEP_NS;
    const tsNs = this.#nowNs;
    this.#nowNs += waitSeconds * 1e9;
    const arrivedAt =
      seen.find(({ at, way, bytes }) => way === 'in' && at.startsWith('pod:') && !isError(bytes))?.at ?? '';
    this.steps.push({ sent, arrivedAt, tsNs, endNs: this.#nowNs + STEP_NS });
    const copies = seen.filter((one) => isCopy(one, sent, arrivedAt !== ''));
    [sent, ...copies].forEach(({ at, bytes }, i) => {
      this.#frames.push({ at, bytes, tsNs: tsNs + i * 1000 });
    });
  }

  /** Write the capture: an interface for each place, called as podplane calls its ports. */
  async write(path: string): Promise<void> {
    await using writer = await createCapture(path, { epochNs: START_NS });
    const interfaces = new Map<string, number>();
    for (const { at, tsNs, bytes } of this.#frames) {
      if (!interfaces.has(at)) interfaces.set(at, writer.addInterface({ name: at }));
      writer.write(interfaces.get(at)!, tsNs, bytes, 0, bytes.length);
    }
  }
}

/** From the underlay, and UDP. */
const isTunnel = ({ at, bytes }: Injection): boolean => at.endsWith(':eth0') && bytes[23] === 17;

/** By its MAC, RFC 1112 section 6.4. */
const isForGroup = ({ bytes }: Injection): boolean => bytes[0] === 1;

/** Is it a copy of the packet at a place where captures are taken? A replay calls a copy on the way of a packet that it
 *  drops at the end a difference, and makes nodes' errors itself, so neither is recorded. */
function isCopy({ at, way, bytes }: Sighting, sent: Injection, isArrived: boolean): boolean {
  if (isError(bytes)) return false;
  if (at.startsWith('pod:')) return way === 'in';
  return at.endsWith(':eth0') && isArrived && at !== sent.at;
}

/** An ICMP error, or no IPv4 at all. */
const isError = (frame: Uint8Array): boolean =>
  frame[12] !== 8 || frame[13] !== 0 || (frame[23] === 1 && [3, 5, 11, 12].includes(frame[34] ?? 0));
