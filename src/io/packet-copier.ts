/** Copies packets of a caller's array into an output block, keeping the views that the copy needs. */

import { CAPTURED_MAX } from './capture-columns.js';
import type { CaptureOutput } from './capture-output.js';
import { copyBytes } from './copy-bytes.js';

export class PacketCopier {
  #bytes: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(this.#bytes.buffer);

  /** Copy bytes[offset .. offset+length) to index `to` of the output's block. */
  copy(bytes: Uint8Array, offset: number, length: number, out: CaptureOutput, to: number): void {
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    }
    copyBytes(bytes, this.#view, offset, out.bytes, out.view, to, length);
  }
}

/** @throws RangeError when no capture can hold the packet. */
export function checkPacket(bytes: Uint8Array, offset: number, length: number): void {
  if (length > CAPTURED_MAX) {
    throw new RangeError(`a packet of ${length} bytes; a capture holds at most ${CAPTURED_MAX}`);
  }
  if (offset < 0 || length < 0 || offset + length > bytes.length) {
    throw new RangeError(`bytes ${offset} to ${offset + length} of an array of ${bytes.length}`);
  }
}
