/** A flat shared buffer that live state is copied into, and read back from in the same order.
 *
 *  number  f64
 *  array   count f64 | its elements | padding to 8 bytes
 *  Native byte order: it is read by the process that wrote it. Grows by doubling, into a new buffer. */

const SIZE_AT_START = 1 << 16;
/** Up to so many elements a loop costs no more than a bulk copy, which makes an object; and objects cost once more, when they
 *  are cleared away. */
const SHORT = 512;

/** Columns that can be kept. */
export type StateArray = Uint8Array | Uint16Array | Uint32Array | Int32Array | Float64Array;

export class StateBuffer {
  #bytes!: Uint8Array;
  #words!: Int32Array;
  #numbers!: Float64Array;
  #at = 0;

  /** Over `buffer`, whose content is kept. */
  constructor(buffer = new SharedArrayBuffer(SIZE_AT_START)) {
    this.#use(buffer);
  }

  /** Another one after what was put has not fitted. */
  get buffer(): SharedArrayBuffer {
    return this.#bytes.buffer as SharedArrayBuffer;
  }

  /** Bytes put or taken since the beginning. */
  get position(): number {
    return this.#at;
  }

  /** Begin anew, to write or to read. */
  rewind(): void {
    this.#at = 0;
  }

  putNumber(value: number): void {
    this.#reserve(8);
    this.#numbers[this.#at / 8] = value;
    this.#at += 8;
  }

  takeNumber(): number {
    const value = this.#numbers[this.#at / 8]!;
    this.#at += 8;
    return value;
  }

  /** Copy the first `count` elements. */
  putArray(array: StateArray, count: number): void {
    const size = count * array.BYTES_PER_ELEMENT;
    this.putNumber(count);
    this.#reserve(size + 8);
    this.#bytes.set(new Uint8Array(array.buffer, array.byteOffset, size), this.#at);
    this.#at += padded(size);
  }

  /** The same as putArray(). A short array of words costs no object. */
  putWords(array: Uint32Array | Int32Array, count: number): void {
    if (count > SHORT) {
      this.putArray(array, count);
      return;
    }
    this.putNumber(count);
    this.#reserve(count * 4 + 8);
    const [words, at] = [this.#words, this.#at >> 2];
    for (let i = 0; i < count; i++) words[at + i] = array[i]!;
    this.#at += padded(count * 4);
  }

  /** The same as putArray(). A short array of numbers costs no object. */
  putNumbers(array: Float64Array, count: number): void {
    if (count > SHORT) {
      this.putArray(array, count);
      return;
    }
    this.putNumber(count);
    this.#reserve(count * 8 + 8);
    const [numbers, at] = [this.#numbers, this.#at / 8];
    for (let i = 0; i < count; i++) numbers[at + i] = array[i]!;
    this.#at += count * 8;
  }

  /** Copy the next array to the front of `into`; returns how many elements that are.
   *  @throws RangeError when it is longer than `into`. */
  takeArray(into: StateArray): number {
    const count = this.takeNumber();
    if (count > into.length) throw new RangeError(`${count} elements of state, room for ${into.length}`);
    const size = count * into.BYTES_PER_ELEMENT;
    new Uint8Array(into.buffer, into.byteOffset, size).set(this.#bytes.subarray(this.#at, this.#at + size));
    this.#at += padded(size);
    return count;
  }

  #reserve(size: number): void {
    if (this.#at + size <= this.#bytes.length) return;
    let grown = this.#bytes.length * 2;
    while (grown < this.#at + size) grown *= 2;
    const old = this.#bytes.subarray(0, this.#at);
    this.#use(new SharedArrayBuffer(grown));
    this.#bytes.set(old);
  }

  #use(buffer: SharedArrayBuffer): void {
    this.#bytes = new Uint8Array(buffer);
    this.#words = new Int32Array(buffer, 0, Math.floor(buffer.byteLength / 4));
    this.#numbers = new Float64Array(buffer, 0, Math.floor(buffer.byteLength / 8));
  }
}

const padded = (size: number): number => (size + 7) & ~7;
