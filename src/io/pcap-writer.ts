/** Writes classic pcap with nanoseconds, little-endian. Source: draft-ietf-opsawg-pcap. */

import { CAPTURED_MAX } from './capture-columns.js';
import type { CaptureOutput } from './capture-output.js';
import { LinkType } from './link-types.js';
import { checkPacket, PacketCopier } from './packet-copier.js';
import type { CaptureWriter } from './packet-writer.js';

const MAGIC_NANOSECONDS = 0xa1b23c4d;
const VERSION = { MAJOR: 2, MINOR: 4 } as const;
const FILE_SIZE = 24;
const RECORD_SIZE = 16;
const NS_PER_SECOND = 1_000_000_000;
const SECONDS_END = 2 ** 32;

export class PcapWriter implements CaptureWriter {
  readonly #out: CaptureOutput;
  readonly #copier = new PacketCopier();
  readonly #epochSeconds: number;
  readonly #epochRestNs: number;

  constructor(out: CaptureOutput, epochNs: bigint) {
    this.#out = out;
    this.#epochSeconds = Number(epochNs / BigInt(NS_PER_SECOND));
    this.#epochRestNs = Number(epochNs % BigInt(NS_PER_SECOND));
    out.reserve(FILE_SIZE);
    const { view, used } = out;
    view.setUint32(used, MAGIC_NANOSECONDS, true);
    view.setUint16(used + 4, VERSION.MAJOR, true);
    view.setUint16(used + 6, VERSION.MINOR, true);
    view.setUint32(used + 8, 0, true);
    view.setUint32(used + 12, 0, true);
    view.setUint32(used + 16, CAPTURED_MAX, true);
    view.setUint32(used + 20, LinkType.Ethernet, true);
    out.used += FILE_SIZE;
  }

  addInterface(): number {
    return 0;
  }

  write(
    interfaceId: number,
    tsNs: number,
    bytes: Uint8Array,
    offset: number,
    length: number,
    _comment?: string,
    originalLength = length,
  ): void {
    if (interfaceId !== 0) throw new RangeError(`interface ${interfaceId}; a pcap file has interface 0 only`);
    checkPacket(bytes, offset, length);
    const seconds = Math.floor(tsNs / NS_PER_SECOND);
    const ns = Math.floor(tsNs - seconds * NS_PER_SECOND) + this.#epochRestNs;
    const carry = ns >= NS_PER_SECOND ? 1 : 0;
    const unixSeconds = this.#epochSeconds + seconds + carry;
    if (!(unixSeconds >= 0 && unixSeconds < SECONDS_END)) {
      throw new RangeError(`second ${unixSeconds} of Unix time does not fit into a pcap file`);
    }

    const out = this.#out;
    out.reserve(RECORD_SIZE + length);
    const { view, used } = out;
    view.setUint32(used, unixSeconds, true);
    view.setUint32(used + 4, ns - carry * NS_PER_SECOND, true);
    view.setUint32(used + 8, length, true);
    view.setUint32(used + 12, originalLength, true);
    this.#copier.copy(bytes, offset, length, out, used + RECORD_SIZE);
    out.used = used + RECORD_SIZE + length;
  }

  drain(): Promise<void> {
    return this.#out.drain();
  }

  close(): Promise<void> {
    return this.#out.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
