/** What podplane made of the last injected packets, and whether what the capture shows of them agrees. */
import { formatIpv4 } from '../addr/ipv4.js';
import { REASONS } from '../verdict/reasons.js';
import { VERDICT_NAMES, Verdict } from '../verdict/verdict.js';
import type { EndColumns } from '../workers/packet-ends.js';
import type { Chunk } from './chunk.js';
import { WINDOW } from './seen-packets.js';

/** Differences that are told one by one. */
const NOTES_MAX = 20;

export interface ObservationCounts {
  total: number;
  /** podplane carried the packet that is seen, and as it is seen. */
  matched: number;
  /** It delivered something else, or nothing, of the same packet. */
  different: number;
  /** A Service's reply at its client of which no original was injected. */
  missing: number;
  /** Nothing to compare it with: the sender is outside, or not captured, and it is seen where it arrives; or it is a
   *  fragment, which podplane tells of when its datagram has ended. */
  uncompared: number;
}

export class Outcomes {
  readonly counts: ObservationCounts = { total: 0, matched: 0, different: 0, missing: 0, uncompared: 0 };
  /** The first differences in words. */
  readonly notes: string[] = [];
  readonly #isModel: boolean;
  readonly #sequence = new Float64Array(WINDOW * 2).fill(-1);
  readonly #verdict = new Uint8Array(WINDOW * 2);
  readonly #reason = new Uint16Array(WINDOW * 2);
  readonly #src = new Uint32Array(WINDOW * 2);
  readonly #dst = new Uint32Array(WINDOW * 2);
  readonly #ports = new Uint32Array(WINDOW * 2);
  readonly #ttl = new Uint8Array(WINDOW * 2);
  readonly #digest0 = new Int32Array(WINDOW * 2);
  readonly #digest1 = new Int32Array(WINDOW * 2);

  /** `isModel`: endpoints were chosen by the rules, so a recorded server's address may differ. */
  constructor(isModel: boolean) {
    this.#isModel = isModel;
  }

  /** Note the end of injected packet `sequence`: row `i` of its worker's columns. */
  note(sequence: number, verdict: number, reason: number, ends: EndColumns, i: number): void {
    const row = sequence % (WINDOW * 2);
    this.#sequence[row] = sequence;
    this.#verdict[row] = verdict;
    this.#reason[row] = reason;
    this.#src[row] = ends.src[i]!;
    this.#dst[row] = ends.dst[i]!;
    this.#ports[row] = ends.ports[i]!;
    this.#ttl[row] = ends.ttl[i]!;
    this.#digest0[row] = ends.digest0[i]!;
    this.#digest1[row] = ends.digest1[i]!;
  }

  /** Compare the observation in `row` of `chunk`, whose packets before it have all been noted. */
  compare(chunk: Chunk, row: number): void {
    this.counts.total++;
    const origin = chunk.origin[row]!;
    if (chunk.isFragment[row] === 1) {
      this.counts.uncompared++;
      return;
    }
    if (origin < 0) {
      if (chunk.arrival[row] !== 1) this.counts.uncompared++;
      else {
        this.counts.missing++;
        this.#tell(chunk, row, 'podplane was given no original of it, and delivered nothing');
      }
      return;
    }
    const difference = this.#difference(chunk, row, origin % (WINDOW * 2), origin);
    if (difference === '') {
      this.counts.matched++;
      return;
    }
    this.counts.different++;
    this.#tell(chunk, row, difference);
  }

  /** In words, or empty. */
  #difference(chunk: Chunk, row: number, at: number, origin: number): string {
    const of = `packet ${origin + 1}`;
    if (this.#sequence[at] !== origin) return `podplane still holds ${of}`;
    const verdict = this.#verdict[at]!;
    if (verdict !== Verdict.Delivered && verdict !== Verdict.Left && verdict !== Verdict.Answered)
      return `podplane ${VERDICT_NAMES[verdict]} ${of}: ${REASONS[this.#reason[at]!]!.name}`;
    if (chunk.protocol[row] === 0) return '';
    if (this.#digest0[at] !== chunk.digest0[row] || this.#digest1[at] !== chunk.digest1[row])
      return `the payload of ${of} is not the same`;
    if (chunk.arrival[row] !== 1) return this.#differenceOnTheWay(chunk, row, at, of);
    const source = { address: this.#src[at]!, port: this.#ports[at]! >>> 16 };
    if (source.address !== chunk.src[row] || source.port !== chunk.sport[row])
      return `the source that podplane delivers of ${of} is ${formatIpv4(source.address)}:${source.port}`;
    if (this.#ttl[at] !== chunk.ttl[row])
      return `the TTL that podplane delivers of ${of} is ${this.#ttl[at]}, seen is ${chunk.ttl[row]}`;
    return '';
  }

  /** A copy somewhere on the way may be as sent or as delivered; once translated, its destination is the final one. */
  #differenceOnTheWay(chunk: Chunk, row: number, at: number, of: string): string {
    if (chunk.translated[row] === 0 || this.#isModel) return '';
    const target = { address: this.#dst[at]!, port: this.#ports[at]! & 0xffff };
    if (target.address === chunk.dst[row] && target.port === chunk.dport[row]) return '';
    return `the destination that podplane delivers of ${of} to is ${formatIpv4(target.address)}:${target.port}`;
  }

  #tell(chunk: Chunk, row: number, difference: string): void {
    if (this.notes.length === NOTES_MAX) return;
    const from = `${formatIpv4(chunk.src[row]!)}:${chunk.sport[row]}`;
    const to = `${formatIpv4(chunk.dst[row]!)}:${chunk.dport[row]}`;
    this.notes.push(`packet ${chunk.first + row + 1}, ${from} > ${to}: ${difference}`);
  }
}
