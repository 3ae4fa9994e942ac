/** The piece of a capture that is in memory: one buffer that slides over the source. */

import { InputError } from '../verdict/input-error.js';
import type { ByteSource } from './byte-source.js';

const WINDOW_SIZE = 1_048_576;

/** bytes[start..end) is what was read and not yet taken. The parser moves `start`; fill() may move everything. */
export class ByteWindow {
  bytes: Uint8Array = new Uint8Array(WINDOW_SIZE);
  view: DataView = new DataView(this.bytes.buffer);
  start = 0;
  end = 0;
  /** Offset in the (unpacked) file of bytes[0]. */
  #base = 0;
  readonly #source: ByteSource;
  readonly name: string;

  constructor(source: ByteSource, name: string) {
    this.#source = source;
    this.name = name;
  }

  /** Read on until `need` bytes lie at `start`. Returns false when the source ends before that.
   *  @throws InputError from the source. */
  async fill(need: number): Promise<boolean> {
    this.#makeRoom(need);
    while (this.end - this.start < need) {
      const count = await this.#source.read(this.bytes, this.end);
      if (count === 0) return false;
      this.end += count;
    }
    return true;
  }

  /** What is wrong at index `at` of the window. */
  damage(at: number, subject: string, field: string, found: string, wanted: string): InputError {
    const byte = this.#base + at;
    return new InputError([{ file: this.name, at: { byte }, subject, field, found, wanted }]);
  }

  close(): Promise<void> {
    return this.#source.close();
  }

  /** Slides what is left to the front; grows only for a record larger than the window. */
  #makeRoom(need: number): void {
    const target = need > this.bytes.length ? new Uint8Array(need) : this.bytes;
    if (target === this.bytes) target.copyWithin(0, this.start, this.end);
    else target.set(this.bytes.subarray(this.start, this.end));
    this.#base += this.start;
    this.end -= this.start;
    this.start = 0;
    if (target === this.bytes) return;
    this.bytes = target;
    this.view = new DataView(target.buffer);
  }
}
