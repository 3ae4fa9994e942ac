/** Copies of one changing table set, left and right: readers stay with the newest, the next change is written to one that
 *  nobody holds. A copy that was left behind first gets the ranges that changed meanwhile, so a change costs what it
 *  touches; the whole is copied only where every other copy is held. */
import { beginWrite, copyForWriting, endWrite, epochInside } from './epoch-buffer.js';
import type { StateArray } from './state-buffer.js';

/** Changes that a copy may be behind; one further behind is let go. */
const CHANGES_MAX = 64;

/** Bytes up to which a loop is faster than a call. */
const SHORT = 64;

export class LiveBuffers {
  /** The newest table set. */
  current: SharedArrayBuffer;
  readonly #others: SharedArrayBuffer[] = [];
  /** Ranges of the last changes, oldest first: byte offset and size, one after the other. */
  readonly #changes: { readonly epoch: number; readonly ranges: readonly number[] }[] = [];
  /** The last change whose ranges are not kept any more. */
  #forgotten = 0;
  #written: SharedArrayBuffer | null = null;
  #ranges: number[] = [];

  /** `first`: of regrowTables. A copy of it is made, so that the first change finds one. */
  constructor(first: SharedArrayBuffer) {
    this.current = first;
    const copy = copyForWriting(first);
    endWrite(copy, epochInside(first));
    this.#others.push(copy);
  }

  /** A buffer with the newest tables that nobody reads, to be changed through set(). */
  begin(): SharedArrayBuffer {
    this.#ranges = [];
    this.#written = this.#takeFree() ?? copyForWriting(this.current);
    return this.#written;
  }

  /** Write an element of a column of the buffer that begin() gave. */
  set(column: StateArray, index: number, value: number): void {
    column[index] = value;
    this.#ranges.push(column.byteOffset + index * column.BYTES_PER_ELEMENT, column.BYTES_PER_ELEMENT);
  }

  /** Write the first elements of a column; only from the first that differs to the last is anything written. */
  setAll(column: StateArray, values: ArrayLike<number>): void {
    let first = 0;
    let end = values.length;
    while (first < end && column[first] === values[first]) first++;
    while (end > first && column[end - 1] === values[end - 1]) end--;
    if (first === end) return;
    for (let i = first; i < end; i++) column[i] = values[i]!;
    const size = column.BYTES_PER_ELEMENT;
    this.#ranges.push(column.byteOffset + first * size, (end - first) * size);
  }

  /** Write octets into a column of bytes. */
  setBytes(column: Uint8Array, index: number, octets: Uint8Array): void {
    column.set(octets, index);
    this.#ranges.push(column.byteOffset + index, octets.length);
  }

  /** What was written is the newest table set, number `epoch`. */
  publish(epoch: number): void {
    endWrite(this.#written!, epoch);
    this.#others.push(this.current);
    this.current = this.#written!;
    this.#changes.push({ epoch, ranges: this.#ranges });
    if (this.#changes.length > CHANGES_MAX) this.#forgotten = this.#changes.shift()!.epoch;
  }

  /** One of the other copies, brought up to date and taken for writing; null when all are held. */
  #takeFree(): SharedArrayBuffer | null {
    for (let i = this.#others.length - 1; i >= 0; i--) {
      const buffer = this.#others[i]!;
      const inside = epochInside(buffer);
      if (inside < this.#forgotten) this.#others.splice(i, 1);
      else if (beginWrite(buffer)) {
        this.#others.splice(i, 1);
        this.#catchUp(buffer, inside);
        return buffer;
      }
    }
    return null;
  }

  #catchUp(buffer: SharedArrayBuffer, inside: number): void {
    const to = new Uint8Array(buffer);
    const from = new Uint8Array(this.current);
    for (const { epoch, ranges } of this.#changes) {
      if (epoch <= inside) continue;
      for (let i = 0; i < ranges.length; i += 2) {
        const at = ranges[i]!;
        const size = ranges[i + 1]!;
        const end = at + size;
        if (size > SHORT) to.set(from.subarray(at, end), at);
        else for (let k = at; k < end; k++) to[k] = from[k]!;
      }
    }
  }
}
