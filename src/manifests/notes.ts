/** What the reader of a load should know though nothing is wrong: what was assumed, and what was left out. */

export class Notes {
  private readonly said = new Set<string>();
  private readonly counts = new Map<string, number>();

  /** A sentence; said twice it is kept once. */
  say(sentence: string): void {
    this.said.add(sentence);
  }

  /** One more object of which `what` is true: `count('pods left out')` becomes `pods left out: 3`. */
  count(what: string, by = 1): void {
    if (by > 0) this.counts.set(what, (this.counts.get(what) ?? 0) + by);
  }

  /** The objects of which `before` told are those of which `after` tells now. */
  replace(before: Notes, after: Notes): void {
    for (const [what, count] of after.counts) this.count(what, count);
    for (const [what, count] of before.counts) {
      const left = (this.counts.get(what) ?? 0) - count;
      if (left > 0) this.counts.set(what, left);
      else this.counts.delete(what);
    }
  }

  /** Sorted, so that the order of the files does not show. */
  list(): string[] {
    return [...[...this.said].sort(), ...[...this.counts].map(([what, count]) => `${what}: ${count}`).sort()];
  }
}
