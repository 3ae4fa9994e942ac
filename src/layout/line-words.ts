/** Memory for rows of whole cache lines. */

const LINE = 64;
/** Where the C library puts a large block: behind its own header of 16 bytes, on a page of its own. */
const BLOCK_HEADER = 16;

/** `count` words, all zero, that begin at a cache line where the C library is glibc. Elsewhere rows may lie across one line
 *  more, which costs time and nothing else. */
export const lineWords = (count: number): Int32Array =>
  new Int32Array(new ArrayBuffer(count * 4 + LINE), LINE - BLOCK_HEADER, count);
