/** Hands out runs of rows in a table with spare rows, and takes them back: by size, so that what one Service leaves
 *  another of the kind finds. */

/** New runs get room for a multiple of this, so that a Service that grows moves seldom. */
const STEP = 8;

export class Runs {
  /** Rows behind the last one ever in use. */
  end: number;
  readonly #capacity: number;
  readonly #free = new Map<number, number[]>();
  /** Of runs that have room for more than is in them. */
  readonly #rooms = new Map<number, number>();

  constructor(end: number, capacity: number) {
    this.end = end;
    this.#capacity = capacity;
  }

  /** First row of a run for `count` rows, in the place of the run of `oldCount` from row `first` on, which it is where
   *  that has room; -1 when the table is full. A run of no rows is nowhere. */
  resize(first: number, oldCount: number, count: number): number {
    const room = oldCount === 0 ? 0 : (this.#rooms.get(first) ?? oldCount);
    if (count > 0 && count <= room) {
      if (count < room) this.#rooms.set(first, room);
      return first;
    }
    if (room > 0) this.#give(first, room);
    return count === 0 ? first : this.#take(count);
  }

  #give(first: number, room: number): void {
    this.#rooms.delete(first);
    const list = this.#free.get(room) ?? [];
    this.#free.set(room, list);
    list.push(first);
  }

  #take(count: number): number {
    const rounded = count === 1 ? 1 : Math.ceil(count / STEP) * STEP;
    for (const room of [count, rounded]) {
      const free = this.#free.get(room)?.pop();
      if (free !== undefined) return this.#use(free, room, count);
    }
    const room = this.end + rounded <= this.#capacity ? rounded : count;
    if (this.end + room > this.#capacity) return -1;
    const first = this.end;
    this.end += room;
    return this.#use(first, room, count);
  }

  #use(first: number, room: number, count: number): number {
    if (room > count) this.#rooms.set(first, room);
    return first;
  }
}
