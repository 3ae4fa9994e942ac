/** Draws ranks by Zipf's law in constant time, so that few flows carry most packets. */
import type { SeededRandom } from './generate-random.js';

/** Walker's alias method in Vose's form: rank i keeps a draw with keep[i], else it goes to alias[i]. */
export class ZipfRanks {
  readonly #keep: Float64Array;
  readonly #alias: Uint32Array;

  /** Rank i (from 0) of `count` has weight 1 / (i + 1)^exponent; 0 makes all alike. */
  constructor(
    readonly count: number,
    exponent: number,
  ) {
    const keep = new Float64Array(count);
    const alias = new Uint32Array(count);
    let sum = 0;
    for (let i = 0; i < count; i++) sum += keep[i] = (i + 1) ** -exponent;
    for (let i = 0; i < count; i++) keep[i]! *= count / sum;
    balance(keep, alias);
    this.#keep = keep;
    this.#alias = alias;
  }

  draw(random: SeededRandom): number {
    const rank = random.below(this.count);
    return random.unit() < this.#keep[rank]! ? rank : this.#alias[rank]!;
  }
}

/** Weights of mean 1 in, keep and alias out: each light rank is filled up from a heavy one. */
function balance(keep: Float64Array, alias: Uint32Array): void {
  const light: number[] = [];
  const heavy: number[] = [];
  for (let i = 0; i < keep.length; i++) (keep[i]! < 1 ? light : heavy).push(i);
  while (light.length > 0 && heavy.length > 0) {
    const small = light.pop()!;
    const large = heavy.at(-1)!;
    alias[small] = large;
    keep[large]! -= 1 - keep[small]!;
    if (keep[large]! < 1) light.push(heavy.pop()!);
  }
  // What rounding left over has weight 1 in truth.
  for (const rest of light) keep[rest] = 1;
  for (const rest of heavy) keep[rest] = 1;
}
