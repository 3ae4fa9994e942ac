/** Seeded random numbers for generated traffic: the same seed gives the same stream on every machine. */

/** sfc32 of PractRand (Chris Doty-Humphrey): four words of state, three additions a number. */
export class SeededRandom {
  #a = 0;
  #b: number;
  #c: number;
  #counter = 1;

  /** `seed` and `stream` are u32; different streams of one seed are unrelated. */
  constructor(seed: number, stream = 0) {
    this.#b = seed | 0;
    this.#c = stream | 0;
    // The first numbers still show the seed; PractRand throws a dozen away.
    for (let i = 0; i < 12; i++) this.u32();
  }

  u32(): number {
    const result = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + result) | 0;
    return result >>> 0;
  }

  /** 0 <= x < 1. */
  unit(): number {
    return this.u32() / 2 ** 32;
  }

  /** An integer, 0 <= x < n <= 2^32. */
  below(n: number): number {
    return Math.floor(this.unit() * n);
  }

  /** An integer, low <= x < high. */
  between(low: number, high: number): number {
    return low + this.below(high - low);
  }

  /** Waiting time of a Poisson process, its mean given. */
  exponential(mean: number): number {
    return -Math.log(1 - this.unit()) * mean;
  }
}
