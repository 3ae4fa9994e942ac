/** One number for all output of a run: SHA-256 over every row in order, whatever workers, batches or back end made it.
 *
 *  row, little-endian: place f64 | tsNs f64 | exit i32 | endpoint i32 | length u32 | reason u16 | verdict u8 | 0 u8 | bytes */
import { createHash } from 'node:crypto';
import { copyBytes } from '../io/copy-bytes.js';
import { FRAME_MAX } from '../packet/batch.js';

const ROW = {
  PLACE: 0,
  TS: 8,
  EXIT: 16,
  ENDPOINT: 20,
  LENGTH: 24,
  REASON: 28,
  VERDICT: 30,
  SIZE: 32,
} as const;
/** Rows are gathered, so that the hash is asked once for many. */
const BUFFER_SIZE = 1 << 20;
const DIGITS = 32;

export class Fingerprint {
  readonly #hash = createHash('sha256');
  readonly #bytes = new Uint8Array(BUFFER_SIZE);
  readonly #view = new DataView(this.#bytes.buffer);
  #used = 0;

  /** Add a row; its frame is bytes[at .. at + length), `p` the view over all of them. Longer frames than FRAME_MAX count by their first bytes. */
  add(
    place: number,
    tsNs: number,
    exit: number,
    endpoint: number,
    reason: number,
    verdict: number,
    bytes: Uint8Array,
    p: DataView,
    at: number,
    length: number,
  ): void {
    const kept = Math.min(length, FRAME_MAX);
    if (this.#used + ROW.SIZE + kept > BUFFER_SIZE) this.#flush();
    const view = this.#view;
    const row = this.#used;
    view.setFloat64(row + ROW.PLACE, place, true);
    view.setFloat64(row + ROW.TS, tsNs, true);
    view.setInt32(row + ROW.EXIT, exit, true);
    view.setInt32(row + ROW.ENDPOINT, endpoint, true);
    view.setUint32(row + ROW.LENGTH, length, true);
    view.setUint16(row + ROW.REASON, reason, true);
    view.setUint8(row + ROW.VERDICT, verdict);
    view.setUint8(row + ROW.VERDICT + 1, 0);
    const to = row + ROW.SIZE;
    copyBytes(bytes, p, at, this.#bytes, view, to, kept);
    this.#used = to + kept;
  }

  /** The first 128 bits as hexadecimal digits. Nothing can be added afterwards. */
  finish(): string {
    this.#flush();
    return this.#hash.digest('hex').slice(0, DIGITS);
  }

  #flush(): void {
    this.#hash.update(this.#bytes.subarray(0, this.#used));
    this.#used = 0;
  }
}
