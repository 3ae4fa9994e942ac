/** Walks the options of a pcapng block. */

import type { ByteWindow } from './byte-window.js';
import { OPTION, OptionCode, padTo4 } from './pcapng-format.js';

const utf8 = new TextDecoder();

/** Call `visit` with code, index of the value and its length for each option in [at, end) of the window.
 *  @throws InputError when an option runs past `end`. */
export function visitOptions(
  window: ByteWindow,
  at: number,
  end: number,
  isLittle: boolean,
  subject: string,
  visit: (code: number, at: number, length: number) => void,
): void {
  let next = at;
  while (end - next >= OPTION.VALUE) {
    const code = window.view.getUint16(next + OPTION.CODE, isLittle);
    const length = window.view.getUint16(next + OPTION.LENGTH, isLittle);
    if (code === OptionCode.End) return;
    const value = next + OPTION.VALUE;
    if (end - value < padTo4(length)) {
      const found = `${length} bytes`;
      throw window.damage(
        next,
        subject,
        `option ${code}`,
        found,
        `at most ${end - value}, where the block ends`,
      );
    }
    visit(code, value, length);
    next = value + padTo4(length);
  }
}

/** Text of an option; some writers end it with zero bytes. */
export function optionText(window: ByteWindow, at: number, length: number): string {
  return utf8.decode(window.bytes.subarray(at, at + length)).replace(/\0+$/, '');
}
