/** Runs cases of the matrix and keeps count, so that what was covered can be said. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { ReplayResult } from '../../src/replay/replay.js';
import { assertSame, type Case, type Settings } from './run-settings.js';

export class Tally {
  #captures = 0;
  #packets = 0;
  #walked = 0;
  #replays = 0;
  #events = 0;
  readonly #met = new Set<Settings>();

  /** All of `settings` give what the reference gives: that. */
  async same(one: Case, settings: readonly Settings[]): Promise<ReplayResult> {
    const reference = await assertSame(one, settings);
    this.#captures += one.options.traces.length;
    this.#packets += reference.packets;
    this.#walked += reference.packets - unseen(reference);
    this.#replays += settings.length;
    this.#events += reference.changes?.taken ?? 0;
    for (const each of settings) this.#met.add(each);
    return reference;
  }

  /** Say what was run, each capture and packet counted once a case; all of `settings` must have been met.
   *  @throws AssertionError when less was run than `captures`. */
  report(t: TestContext, captures: number, settings: readonly Settings[]): void {
    t.diagnostic(
      `${this.#captures} captures, ${this.#packets} packets of which ${this.#walked} entered, ${this.#events} changes: ` +
        `${this.#replays} replays by ${this.#met.size} settings, each equal to its reference`,
    );
    assert.equal(this.#captures, captures);
    assert.equal(settings.filter((each) => !this.#met.has(each)).length, 0);
  }
}

/** Packets of the capture that were in no lane: of other link types, cut short, or of no known sender. */
const unseen = ({ reasons }: ReplayResult): number =>
  reasons.filter(({ name }) => NOT_WALKED.test(name)).reduce((sum, { packets }) => sum + packets, 0);

const NOT_WALKED = /^(entry-unknown|capture-truncated|link-type)/;
