/** String heap: names for traces and reports, never read on the packet path.
 *  STRX: offset u32[n] | length u32[n]    STRB: byte u8[bytes], UTF-8. String 0 is empty. Written by compile, read-only. */
import { layout, type TableOf } from '../layout/layout.js';

export const STRING_INDEX = layout('STX1', { offset: 'u32', length: 'u32' });
export const STRING_BYTES = layout('STB1', { byte: 'u8' });

/** Read string `id`; allocates. */
export function readString(
  index: TableOf<typeof STRING_INDEX>,
  bytes: TableOf<typeof STRING_BYTES>,
  id: number,
): string {
  const at = index.offset[id]!;
  // A TextDecoder refuses shared memory, so the bytes are copied out.
  return new TextDecoder().decode(Uint8Array.from(bytes.byte.subarray(at, at + index.length[id]!)));
}
