/** Timestamps of one capture interface: 64-bit counts of its own unit, turned into ns since an epoch. */

const NS_PER_SECOND = 1_000_000_000n;
const TWO_32 = 2 ** 32;
/** Units of 10^-9 s and coarser divide nanoseconds evenly, so plain numbers stay exact. */
const FINEST_PLAIN_EXPONENT = 9;

/** if_tsresol: high bit clear is 10^-n, set is 2^-n. pcapng draft section 4.2. */
export class CaptureClock {
  /** Seconds per unit. */
  readonly resolution: number;
  readonly #unitsPerSecond: bigint;
  readonly #offsetNs: bigint;
  readonly #isPlain: boolean;
  readonly #nsPerUnit: number;
  #epochNs = 0n;
  #epochHigh = 0;
  #epochLow = 0;
  #epochRestNs = 0;

  /** `tsresol` is the option's byte; `offsetSeconds` (if_tsoffset) is added to every timestamp. */
  constructor(tsresol: number, offsetSeconds: bigint) {
    const isBinary = tsresol >= 0x80;
    const exponent = tsresol & 0x7f;
    this.resolution = (isBinary ? 2 : 10) ** -exponent;
    this.#unitsPerSecond = (isBinary ? 2n : 10n) ** BigInt(exponent);
    this.#offsetNs = offsetSeconds * NS_PER_SECOND;
    this.#isPlain = !isBinary && exponent <= FINEST_PLAIN_EXPONENT;
    this.#nsPerUnit = this.#isPlain ? 10 ** (FINEST_PLAIN_EXPONENT - exponent) : 0;
    this.setEpoch(0n);
  }

  /** Count from `epochNs`, Unix time, from now on. */
  setEpoch(epochNs: bigint): void {
    this.#epochNs = epochNs;
    if (!this.#isPlain) return;
    const sinceOffset = epochNs - this.#offsetNs;
    const unit = BigInt(this.#nsPerUnit);
    const rest = ((sinceOffset % unit) + unit) % unit;
    const units = (sinceOffset - rest) / unit;
    this.#epochHigh = Number(units >> 32n);
    this.#epochLow = Number(units & 0xffff_ffffn);
    this.#epochRestNs = Number(rest);
  }

  /** Nanoseconds since the epoch of the count high·2^32 + low; exact while they are below 2^53. */
  relativeNs(high: number, low: number): number {
    if (!this.#isPlain) return Number(this.absoluteNs(high, low) - this.#epochNs);
    const units = (high - this.#epochHigh) * TWO_32 + (low - this.#epochLow);
    return units * this.#nsPerUnit - this.#epochRestNs;
  }

  /** Nanoseconds of Unix time, rounded down. */
  absoluteNs(high: number, low: number): bigint {
    const units = (BigInt(high) << 32n) | BigInt(low);
    return (units * NS_PER_SECOND) / this.#unitsPerSecond + this.#offsetNs;
  }
}
