/** Writes pcapng: one section, Ethernet interfaces with nanoseconds, enhanced packets with comments. */

import { CAPTURED_MAX } from './capture-columns.js';
import type { CaptureOutput } from './capture-output.js';
import { LinkType } from './link-types.js';
import { checkPacket, PacketCopier } from './packet-copier.js';
import type { CaptureWriter, OutputInterface } from './packet-writer.js';
import {
  BLOCK,
  BlockType,
  BYTE_ORDER_MAGIC,
  INTERFACE,
  OPTION,
  OptionCode,
  PACKET,
  padTo4,
  SECTION,
} from './pcapng-format.js';

/** Fixed texts, so that the same run gives the same bytes on every machine. */
const HARDWARE = 'virtual';
const SYSTEM = 'podplane';
const APPLICATION = 'podplane';

const TS_RESOLUTION = 9;
const SECTION_LENGTH_UNKNOWN = -1n;
const OPTION_TEXT_MAX = 65_532;
const UTF8_PER_CHAR_MAX = 3;
const TWO_32 = 2 ** 32;

export class PcapngWriter implements CaptureWriter {
  readonly #out: CaptureOutput;
  readonly #copier = new PacketCopier();
  readonly #epochHigh: number;
  readonly #epochLow: number;
  #interfaces = 0;

  constructor(out: CaptureOutput, epochNs: bigint) {
    this.#out = out;
    this.#epochHigh = Number(epochNs >> 32n);
    this.#epochLow = Number(epochNs & 0xffff_ffffn);
    this.#writeSection();
  }

  addInterface(facts: OutputInterface): number {
    const description = facts.description ?? '';
    const out = this.#out;
    out.reserve(INTERFACE.MIN_SIZE + textRoom(facts.name) + textRoom(description) + 3 * OPTION.VALUE);
    const { view, used } = out;
    view.setUint16(used + INTERFACE.LINK_TYPE, LinkType.Ethernet, true);
    view.setUint16(used + INTERFACE.LINK_TYPE + 2, 0, true);
    view.setUint32(used + INTERFACE.SNAP_LENGTH, CAPTURED_MAX, true);
    let at = used + INTERFACE.OPTIONS;
    at = this.#writeText(at, OptionCode.InterfaceName, facts.name);
    if (description !== '') at = this.#writeText(at, OptionCode.InterfaceDescription, description);
    view.setUint16(at + OPTION.CODE, OptionCode.InterfaceTsResolution, true);
    view.setUint16(at + OPTION.LENGTH, 1, true);
    view.setUint32(at + OPTION.VALUE, TS_RESOLUTION, true);
    at = this.#endOptions(at + OPTION.VALUE + 4);
    this.#endBlock(BlockType.Interface, at);
    return this.#interfaces++;
  }

  write(
    interfaceId: number,
    tsNs: number,
    bytes: Uint8Array,
    offset: number,
    length: number,
    comment?: string,
    originalLength = length,
  ): void {
    if (!(interfaceId >= 0 && interfaceId < this.#interfaces)) {
      throw new RangeError(`interface ${interfaceId} of ${this.#interfaces}`);
    }
    checkPacket(bytes, offset, length);
    const whole = Math.floor(tsNs);
    const high = Math.floor(whole / TWO_32);
    const low = this.#epochLow + (whole - high * TWO_32);
    const carry = low >= TWO_32 ? 1 : 0;
    const unixHigh = this.#epochHigh + high + carry;
    if (!(unixHigh >= 0 && unixHigh < TWO_32)) {
      throw new RangeError(`${tsNs} ns after the epoch does not fit into 64 bits`);
    }

    const padded = padTo4(length);
    const commentSize = comment ? textRoom(comment) + OPTION.VALUE : 0;
    const out = this.#out;
    out.reserve(PACKET.MIN_SIZE + padded + commentSize);
    const { view, used } = out;
    view.setUint32(used + PACKET.INTERFACE, interfaceId, true);
    view.setUint32(used + PACKET.TS_HIGH, unixHigh, true);
    view.setUint32(used + PACKET.TS_LOW, low - carry * TWO_32, true);
    view.setUint32(used + PACKET.CAPTURED, length, true);
    view.setUint32(used + PACKET.ORIGINAL, originalLength, true);
    const data = used + PACKET.DATA;
    // The block has been used before; its padding must be zero whatever was there.
    if (padded > 0) view.setUint32(data + padded - 4, 0, true);
    this.#copier.copy(bytes, offset, length, out, data);
    let at = data + padded;
    if (comment) at = this.#endOptions(this.#writeText(at, OptionCode.Comment, comment));
    this.#endBlock(BlockType.EnhancedPacket, at);
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

  #writeSection(): void {
    const out = this.#out;
    out.reserve(SECTION.MIN_SIZE + 128);
    const { view, used } = out;
    view.setUint32(used + SECTION.MAGIC, BYTE_ORDER_MAGIC, true);
    view.setUint16(used + SECTION.MAJOR, 1, true);
    view.setUint16(used + SECTION.MINOR, 0, true);
    view.setBigInt64(used + SECTION.LENGTH, SECTION_LENGTH_UNKNOWN, true);
    let at = used + SECTION.OPTIONS;
    at = this.#writeText(at, OptionCode.SectionHardware, HARDWARE);
    at = this.#writeText(at, OptionCode.SectionOs, SYSTEM);
    at = this.#writeText(at, OptionCode.SectionApplication, APPLICATION);
    this.#endBlock(BlockType.SectionHeader, this.#endOptions(at));
  }

  /** A text too long for an option is cut between two characters. Returns the index after the option. */
  #writeText(at: number, code: number, text: string): number {
    const { bytes, view } = this.#out;
    const value = at + OPTION.VALUE;
    const length = bytes.write(text, value, OPTION_TEXT_MAX, 'utf8');
    const padded = padTo4(length);
    bytes.fill(0, value + length, value + padded);
    view.setUint16(at + OPTION.CODE, code, true);
    view.setUint16(at + OPTION.LENGTH, length, true);
    return value + padded;
  }

  #endOptions(at: number): number {
    this.#out.view.setUint32(at, OptionCode.End, true);
    return at + OPTION.VALUE;
  }

  /** `at` is where the block's trailing length goes. */
  #endBlock(type: number, at: number): void {
    const { view, used } = this.#out;
    const length = at + BLOCK.TRAILER_SIZE - used;
    view.setUint32(used + BLOCK.TYPE, type, true);
    view.setUint32(used + BLOCK.LENGTH, length, true);
    view.setUint32(at, length, true);
    this.#out.used = used + length;
  }
}

/** Bytes that an option with this text needs at most. */
function textRoom(text: string): number {
  return OPTION.VALUE + Math.min(padTo4(text.length * UTF8_PER_CHAR_MAX), OPTION_TEXT_MAX);
}
