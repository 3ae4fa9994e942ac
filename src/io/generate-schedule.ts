/** What happens next: flows by the time of their next packet, earliest first. */

/** A binary heap on two arrays. Of two flows due at the same time, the lower number comes first, so that the
 *  order never depends on how the heap came about. */
export class Schedule {
  #timeNs: Float64Array = new Float64Array(64);
  #flow: Uint32Array = new Uint32Array(64);
  #count = 0;

  /** Infinity when nothing is due. */
  get nextNs(): number {
    return this.#count === 0 ? Number.POSITIVE_INFINITY : this.#timeNs[0]!;
  }

  push(timeNs: number, flow: number): void {
    if (this.#count === this.#flow.length) this.#grow();
    let at = this.#count++;
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if (!this.#isAfter(parent, timeNs, flow)) break;
      this.#copy(parent, at);
      at = parent;
    }
    this.#timeNs[at] = timeNs;
    this.#flow[at] = flow;
  }

  /** Take the earliest flow out. Call only while nextNs is finite. */
  pop(): number {
    const first = this.#flow[0]!;
    const last = --this.#count;
    const timeNs = this.#timeNs[last]!;
    const flow = this.#flow[last]!;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= last) break;
      if (child + 1 < last && this.#isAfter(child, this.#timeNs[child + 1]!, this.#flow[child + 1]!)) child++;
      if (!this.#isBefore(child, timeNs, flow)) break;
      this.#copy(child, at);
      at = child;
    }
    this.#timeNs[at] = timeNs;
    this.#flow[at] = flow;
    return first;
  }

  #isAfter(at: number, timeNs: number, flow: number): boolean {
    const own = this.#timeNs[at]!;
    return own > timeNs || (own === timeNs && this.#flow[at]! > flow);
  }

  #isBefore(at: number, timeNs: number, flow: number): boolean {
    const own = this.#timeNs[at]!;
    return own < timeNs || (own === timeNs && this.#flow[at]! < flow);
  }

  #copy(from: number, to: number): void {
    this.#timeNs[to] = this.#timeNs[from]!;
    this.#flow[to] = this.#flow[from]!;
  }

  #grow(): void {
    const timeNs = new Float64Array(this.#timeNs.length * 2);
    const flow = new Uint32Array(timeNs.length);
    timeNs.set(this.#timeNs);
    flow.set(this.#flow);
    this.#timeNs = timeNs;
    this.#flow = flow;
  }
}
