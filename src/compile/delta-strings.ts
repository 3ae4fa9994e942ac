/** Names that come into a live table set. */
import type { Epoch } from '../tables/epoch.js';
import { STRING_BYTES, STRING_INDEX } from '../tables/strings.js';
import type { LiveSet } from './live-set.js';

export class StringsDelta {
  readonly #set: LiveSet;
  readonly #ids = new Map<string, number>();
  #rows: number;
  #bytes: number;

  /** `epoch` has the strings that are there so far. */
  constructor(set: LiveSet, epoch: Epoch) {
    this.#set = set;
    this.#rows = set.strings.rows;
    this.#bytes = set.bytes.rows;
    for (let id = 0; id < this.#rows; id++) this.#ids.set(epoch.text(id), id);
  }

  get rows(): readonly (readonly [layout: unknown, rows: number])[] {
    return [
      [STRING_INDEX, this.#rows],
      [STRING_BYTES, this.#bytes],
    ];
  }

  /** Number of a text that is there, or -1. */
  find(text: string): number {
    return this.#ids.get(text) ?? -1;
  }

  /** Number of `text`, put among the strings if need be; -1 when there is no room. */
  id(text: string): number {
    const known = this.#ids.get(text);
    if (known !== undefined) return known;
    const { strings, bytes } = this.#set;
    const encoded = new TextEncoder().encode(text);
    if (this.#rows === strings.capacity || this.#bytes + encoded.length > bytes.capacity) return -1;
    const id = this.#rows++;
    this.#set.set(strings.offset, id, this.#bytes);
    this.#set.set(strings.length, id, encoded.length);
    this.#set.setBytes(bytes.byte, this.#bytes, encoded);
    this.#bytes += encoded.length;
    this.#ids.set(text, id);
    return id;
  }
}
