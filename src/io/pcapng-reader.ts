/** Reads pcapng: sections, interfaces and the three packet blocks; every other block is passed over. */

import type { ByteWindow } from './byte-window.js';
import { appendPacket, CAPTURED_MAX, type CaptureColumns } from './capture-columns.js';
import type { CaptureFormat } from './capture-format.js';
import type { CaptureInterface } from './capture-interface.js';
import { BLOCK, BlockType, BYTE_ORDER_MAGIC, PACKET, padTo4, SECTION, SIMPLE } from './pcapng-format.js';
import { readInterface, type TimedInterface } from './pcapng-interface.js';

/** A section header's type; reads the same in both byte orders. */
export const PCAPNG_MAGIC: number = BlockType.SectionHeader;

/** Wireshark's limit: a larger length is damage, and would ask for that much memory. */
const BLOCK_MAX = 16 * 1024 * 1024;

/** 1.2 was written by some tools for what is 1.0. */
const MINORS = [0, 2];

/** Take the first section header.
 *  @throws InputError when it is damaged or of another version. */
export async function openPcapng(window: ByteWindow): Promise<CaptureFormat> {
  if (!(await window.fill(SECTION.MIN_SIZE))) {
    const found = `${window.end - window.start} bytes`;
    throw window.damage(window.end, 'section header', '', found, `at least ${SECTION.MIN_SIZE} bytes`);
  }
  const format = new PcapngFormat();
  format.checkSection(window, window.start);
  return format;
}

class PcapngFormat implements CaptureFormat {
  readonly name = 'pcapng';
  readonly interfaces: CaptureInterface[] = [];
  headNs = 0n;
  #isLittle = true;
  #epochNs = 0n;
  /** The interfaces of the section that is being read, by the number that its packets use. */
  #section: TimedInterface[] = [];
  /** A simple packet has no time of its own and gets that of the packet before it. */
  #lastNs = 0;

  setEpoch(epochNs: bigint): void {
    this.#lastNs += Number(this.#epochNs - epochNs);
    this.#epochNs = epochNs;
    for (const { clock } of this.#section) clock.setEpoch(epochNs);
  }

  parse(window: ByteWindow, columns: CaptureColumns): number {
    const { view, end } = window;
    for (;;) {
      const at = window.start;
      if (end - at < BLOCK.MIN_SIZE) return BLOCK.MIN_SIZE;
      // Only a section header says how to read its own length, so it is looked at first.
      const isSection = view.getUint32(at) === PCAPNG_MAGIC;
      if (isSection) {
        if (end - at < SECTION.MIN_SIZE) return SECTION.MIN_SIZE;
        this.checkSection(window, at);
      }
      const length = view.getUint32(at + BLOCK.LENGTH, this.#isLittle);
      if (length < BLOCK.MIN_SIZE || length > BLOCK_MAX || (length & 3) !== 0) {
        throw this.#badLength(window, at, length);
      }
      if (end - at < length) return length;
      const trailer = view.getUint32(at + length - BLOCK.TRAILER_SIZE, this.#isLittle);
      if (trailer !== length) {
        const place = at + length - BLOCK.TRAILER_SIZE;
        throw window.damage(place, 'block', 'total length at the end', `${trailer}`, `${length}`);
      }
      if (!this.#takeBlock(window, columns, at, length)) return 0;
      window.start = at + length;
    }
  }

  /** Learn the byte order, and refuse what cannot be read. */
  checkSection(window: ByteWindow, at: number): void {
    const magic = window.view.getUint32(at + SECTION.MAGIC, true);
    this.#isLittle = magic === BYTE_ORDER_MAGIC;
    if (!this.#isLittle && window.view.getUint32(at + SECTION.MAGIC) !== BYTE_ORDER_MAGIC) {
      const found = `0x${magic.toString(16).padStart(8, '0')}`;
      throw window.damage(at + SECTION.MAGIC, 'section header', 'byte-order magic', found, '0x1a2b3c4d');
    }
    const major = window.view.getUint16(at + SECTION.MAJOR, this.#isLittle);
    const minor = window.view.getUint16(at + SECTION.MINOR, this.#isLittle);
    if (major !== 1 || !MINORS.includes(minor)) {
      throw window.damage(
        at + SECTION.MAJOR,
        'section header',
        'version',
        `${major}.${minor}`,
        'version 1.0',
      );
    }
  }

  /** Returns false when the block is a packet that the columns have no room for. */
  #takeBlock(window: ByteWindow, columns: CaptureColumns, at: number, length: number): boolean {
    switch (window.view.getUint32(at, this.#isLittle)) {
      case BlockType.EnhancedPacket:
        return this.#takePacket(window, columns, at, length, false);
      case BlockType.SimplePacket:
        return this.#takeSimple(window, columns, at, length);
      case BlockType.ObsoletePacket:
        return this.#takePacket(window, columns, at, length, true);
      case BlockType.Interface: {
        const added = readInterface(window, at, length, this.#isLittle, this.interfaces.length);
        added.clock.setEpoch(this.#epochNs);
        this.#section.push(added);
        this.interfaces.push(added.source);
        return true;
      }
      case BlockType.SectionHeader:
        if (length < SECTION.MIN_SIZE) throw this.#badLength(window, at, length);
        this.#section = [];
        return true;
      default:
        return true;
    }
  }

  #takePacket(
    window: ByteWindow,
    columns: CaptureColumns,
    at: number,
    length: number,
    isObsolete: boolean,
  ): boolean {
    if (length < PACKET.MIN_SIZE) throw this.#badLength(window, at, length);
    const { view } = window;
    const isLittle = this.#isLittle;
    const index = isObsolete
      ? view.getUint16(at + PACKET.INTERFACE, isLittle)
      : view.getUint32(at + PACKET.INTERFACE, isLittle);
    const captured = view.getUint32(at + PACKET.CAPTURED, isLittle);
    const original = view.getUint32(at + PACKET.ORIGINAL, isLittle);
    const { source, clock } = this.#interfaceOf(window, at + PACKET.INTERFACE, index);
    this.#checkCaptured(window, at + PACKET.CAPTURED, captured, length - PACKET.MIN_SIZE);

    const high = view.getUint32(at + PACKET.TS_HIGH, isLittle);
    const low = view.getUint32(at + PACKET.TS_LOW, isLittle);
    if (columns.count === columns.capacity) {
      this.headNs = clock.absoluteNs(high, low);
      return false;
    }
    const tsNs = clock.relativeNs(high, low);
    const data = at + PACKET.DATA;
    if (!appendPacket(columns, source, window.bytes, view, data, captured, original, tsNs)) return false;
    this.#lastNs = tsNs;
    return true;
  }

  #takeSimple(window: ByteWindow, columns: CaptureColumns, at: number, length: number): boolean {
    if (length < SIMPLE.MIN_SIZE) throw this.#badLength(window, at, length);
    const { source } = this.#interfaceOf(window, at, 0);
    const original = window.view.getUint32(at + SIMPLE.ORIGINAL, this.#isLittle);
    const limit = source.snapLength === 0 ? original : source.snapLength;
    const captured = Math.min(original, limit);
    this.#checkCaptured(window, at + SIMPLE.ORIGINAL, captured, length - SIMPLE.MIN_SIZE);
    if (columns.count === columns.capacity) {
      this.headNs = this.#epochNs + BigInt(Math.floor(this.#lastNs));
      return false;
    }
    const data = at + SIMPLE.DATA;
    return appendPacket(columns, source, window.bytes, window.view, data, captured, original, this.#lastNs);
  }

  #interfaceOf(window: ByteWindow, at: number, index: number): TimedInterface {
    const found = this.#section[index];
    if (found !== undefined) return found;
    const wanted = `one of the section's ${this.#section.length} interfaces`;
    throw window.damage(at, this.#nextPacket(), 'interface', `${index}`, wanted);
  }

  #checkCaptured(window: ByteWindow, at: number, captured: number, room: number): void {
    if (captured <= CAPTURED_MAX && padTo4(captured) <= room) return;
    const found = `${captured} bytes`;
    const wanted = `at most ${Math.min(CAPTURED_MAX, room)}; the file is damaged here`;
    throw window.damage(at, this.#nextPacket(), 'captured length', found, wanted);
  }

  #badLength(window: ByteWindow, at: number, length: number): Error {
    const type = window.view.getUint32(at, this.#isLittle);
    const subject = `block of type 0x${type.toString(16)}`;
    const wanted = `a multiple of 4 up to ${BLOCK_MAX} that holds the block's fields`;
    return window.damage(at + BLOCK.LENGTH, subject, 'total length', `${length}`, wanted);
  }

  #nextPacket(): string {
    const packets = this.interfaces.reduce((sum, each) => sum + each.packets, 0);
    return `packet ${packets + 1}`;
  }
}
