/** Tells the format of a capture by its first bytes. */

import type { ByteWindow } from './byte-window.js';
import type { CaptureFormat } from './capture-format.js';
import { isPcapMagic, openPcap } from './pcap-reader.js';
import { openPcapng, PCAPNG_MAGIC } from './pcapng-reader.js';

const MAGIC_SIZE = 4;

/** Look at the start of the file and take its header.
 *  @throws InputError when it is neither pcap nor pcapng, or its header is not readable. */
export async function openFormat(window: ByteWindow): Promise<CaptureFormat> {
  const isWhole = await window.fill(MAGIC_SIZE);
  const found = window.bytes.subarray(window.start, window.end);
  if (isWhole) {
    const magic = window.view.getUint32(window.start);
    if (magic === PCAPNG_MAGIC) return openPcapng(window);
    if (isPcapMagic(magic)) return openPcap(window);
  }
  throw window.damage(window.start, '', 'magic', describeMagic(found), 'a pcap, pcapng or gzip file');
}

function describeMagic(bytes: Uint8Array): string {
  if (bytes.length === 0) return 'an empty file';
  const head = [...bytes.subarray(0, MAGIC_SIZE)];
  const hex = head.map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
  const isText = head.every((byte) => byte >= 0x20 && byte < 0x7f);
  return isText ? `${hex} ("${String.fromCharCode(...head)}")` : hex;
}
