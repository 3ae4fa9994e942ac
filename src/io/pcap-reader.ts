/** Reads classic pcap. Source: draft-ietf-opsawg-pcap; libpcap pcap-savefile(5).
 *
 *  file header    magic(4) major(2) minor(2) reserved(8) snapshot length(4) link type(4)
 *  packet record  seconds(4) fraction(4) captured(4) original(4) [Kuznetzov: interface(4) protocol(2) type(2)]
 */

import type { ByteWindow } from './byte-window.js';
import { appendPacket, CAPTURED_MAX, type CaptureColumns } from './capture-columns.js';
import type { CaptureFormat } from './capture-format.js';
import { CaptureInterface } from './capture-interface.js';

const FILE = { MAJOR: 4, MINOR: 6, SNAP_LENGTH: 16, LINK_TYPE: 20, SIZE: 24 } as const;
const RECORD = { SECONDS: 0, FRACTION: 4, CAPTURED: 8, ORIGINAL: 12, SIZE: 16 } as const;
const KUZNETZOV_RECORD_SIZE = 24;

/** What each magic number, read big-endian, says of the file. */
const MAGICS: Readonly<Record<number, { isLittle: boolean; nsPerUnit: number; recordSize: number }>> = {
  [0xa1b2c3d4]: { isLittle: false, nsPerUnit: 1000, recordSize: RECORD.SIZE },
  [0xd4c3b2a1]: { isLittle: true, nsPerUnit: 1000, recordSize: RECORD.SIZE },
  [0xa1b23c4d]: { isLittle: false, nsPerUnit: 1, recordSize: RECORD.SIZE },
  [0x4d3cb2a1]: { isLittle: true, nsPerUnit: 1, recordSize: RECORD.SIZE },
  [0xa1b2cd34]: { isLittle: false, nsPerUnit: 1000, recordSize: KUZNETZOV_RECORD_SIZE },
  [0x34cdb2a1]: { isLittle: true, nsPerUnit: 1000, recordSize: KUZNETZOV_RECORD_SIZE },
};

const MAJOR = 2;
/** Before 2.3 the two lengths were the other way round; some writers of 2.3 did it so, some not. */
const MINOR_MIXED = 3;

/** Link type word: type in the low 16 bits, F bit, then the FCS length in units of 2 bytes. */
const LINK_TYPE_MASK = 0xffff;
const LINK_RESERVED_MASK = 0x03ff_0000;
const LINK_HAS_FCS = 0x0400_0000;
const LINK_FCS_SHIFT = 28;

const NS_PER_SECOND = 1_000_000_000;

export const isPcapMagic = (magic: number): boolean => MAGICS[magic] !== undefined;

/** Take the file header. The window starts at a magic number of pcap.
 *  @throws InputError when the header is cut, or of a version or kind that is not read. */
export async function openPcap(window: ByteWindow): Promise<CaptureFormat> {
  if (!(await window.fill(FILE.SIZE))) {
    const found = `${window.end - window.start} bytes`;
    throw window.damage(window.end, 'pcap file header', '', found, `${FILE.SIZE} bytes`);
  }
  const at = window.start;
  const kind = MAGICS[window.view.getUint32(at)]!;
  const major = window.view.getUint16(at + FILE.MAJOR, kind.isLittle);
  const minor = window.view.getUint16(at + FILE.MINOR, kind.isLittle);
  if (major !== MAJOR) {
    throw window.damage(at + FILE.MAJOR, 'pcap file header', 'version', `${major}.${minor}`, 'version 2.4');
  }
  const link = window.view.getUint32(at + FILE.LINK_TYPE, kind.isLittle);
  if ((link & LINK_RESERVED_MASK) !== 0) {
    const found = `0x${link.toString(16).padStart(8, '0')}`;
    throw window.damage(at + FILE.LINK_TYPE, 'pcap file header', 'link type', found, 'bits 16 to 25 zero');
  }
  const source = new CaptureInterface(0, {
    name: '',
    description: '',
    linkType: link & LINK_TYPE_MASK,
    snapLength: window.view.getUint32(at + FILE.SNAP_LENGTH, kind.isLittle),
    tsResolution: kind.nsPerUnit / NS_PER_SECOND,
    fcsSize: (link & LINK_HAS_FCS) !== 0 ? (link >>> LINK_FCS_SHIFT) * 2 : 0,
  });
  window.start += FILE.SIZE;
  return new PcapFormat(source, kind.isLittle, kind.nsPerUnit, kind.recordSize, minor);
}

class PcapFormat implements CaptureFormat {
  readonly name = 'pcap';
  readonly interfaces: readonly CaptureInterface[];
  headNs = 0n;
  readonly #source: CaptureInterface;
  readonly #isLittle: boolean;
  readonly #nsPerUnit: number;
  readonly #recordSize: number;
  readonly #minor: number;
  #epochSeconds = 0;
  #epochRestNs = 0;

  constructor(
    source: CaptureInterface,
    isLittle: boolean,
    nsPerUnit: number,
    recordSize: number,
    minor: number,
  ) {
    this.#source = source;
    this.interfaces = [source];
    this.#isLittle = isLittle;
    this.#nsPerUnit = nsPerUnit;
    this.#recordSize = recordSize;
    this.#minor = minor;
  }

  setEpoch(epochNs: bigint): void {
    this.#epochSeconds = Number(epochNs / BigInt(NS_PER_SECOND));
    this.#epochRestNs = Number(epochNs % BigInt(NS_PER_SECOND));
  }

  parse(window: ByteWindow, columns: CaptureColumns): number {
    const { bytes, view, end } = window;
    const isLittle = this.#isLittle;
    const recordSize = this.#recordSize;
    for (;;) {
      const at = window.start;
      if (end - at < recordSize) return recordSize;
      const first = view.getUint32(at + RECORD.CAPTURED, isLittle);
      const second = view.getUint32(at + RECORD.ORIGINAL, isLittle);
      const isSwapped = this.#minor <= MINOR_MIXED && (this.#minor < MINOR_MIXED || first > second);
      const captured = isSwapped ? second : first;
      const original = isSwapped ? first : second;
      if (captured > CAPTURED_MAX) throw this.#tooLong(window, at, captured);
      if (end - at < recordSize + captured) return recordSize + captured;

      const seconds = view.getUint32(at + RECORD.SECONDS, isLittle);
      const fractionNs = view.getUint32(at + RECORD.FRACTION, isLittle) * this.#nsPerUnit;
      if (columns.count === columns.capacity) {
        this.headNs = BigInt(seconds) * BigInt(NS_PER_SECOND) + BigInt(fractionNs);
        return 0;
      }
      const tsNs = (seconds - this.#epochSeconds) * NS_PER_SECOND + fractionNs - this.#epochRestNs;
      const data = at + recordSize;
      if (!appendPacket(columns, this.#source, bytes, view, data, captured, original, tsNs)) return 0;
      window.start = data + captured;
    }
  }

  #tooLong(window: ByteWindow, at: number, captured: number): Error {
    const subject = `packet ${this.#source.packets + 1}`;
    const wanted = `at most ${CAPTURED_MAX}; the file is damaged here`;
    return window.damage(at + RECORD.CAPTURED, subject, 'captured length', `${captured} bytes`, wanted);
  }
}
