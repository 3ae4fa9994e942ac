/** Colours for people: on a terminal only, and never with NO_COLOR set (no-color.org). */

const SGR = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, blue: 34, magenta: 35, cyan: 36 } as const;

export type Colour = keyof typeof SGR;
export type Paint = (colour: Colour, text: string) => string;

const painted: Paint = (colour, text) => (text === '' ? '' : `\u001b[${SGR[colour]}m${text}\u001b[0m`);
const plain: Paint = (_colour, text) => text;

/** How to paint what goes to `stream`. */
export function paintFor(stream: { readonly isTTY?: boolean }): Paint {
  const isWanted =
    stream.isTTY === true && (process.env['NO_COLOR'] ?? '') === '' && process.env['TERM'] !== 'dumb';
  return isWanted ? painted : plain;
}
