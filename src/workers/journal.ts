/** The journal: what each task since the last checkpoint was given, before the walk changed it in place.
 *
 *  entries one behind the other from the buffer's beginning, in order of tasks
 *  entry  epoch f64 | drainAt f64 | untilNs f64 | arena bytes u8[used] | for each lane of the parcel its input columns, and
 *         where the rules choose endpoints what rows are to their Services (see layout/state-buffer) */
import { StateBuffer } from '../layout/state-buffer.js';
import type { LaneRows, Parcel } from './parcel.js';
import type { Work } from './worker-memory.js';

export class Journal {
  readonly #buffer: StateBuffer;
  readonly #size: number;
  readonly #hasRoles: boolean;

  /** `hasRoles`: the lanes have choices to follow, for which they ask the rows' roles. */
  constructor(buffer: SharedArrayBuffer, hasRoles: boolean) {
    this.#buffer = new StateBuffer(buffer);
    this.#size = buffer.byteLength;
    this.#hasRoles = hasRoles;
  }

  /** Bytes since the last checkpoint. */
  get used(): number {
    return this.#buffer.position;
  }

  /** Bytes left. */
  get room(): number {
    return this.#size - this.#buffer.position;
  }

  /** Back to the first entry: to read, or because a checkpoint has made all entries needless. */
  rewind(): void {
    this.#buffer.rewind();
  }

  /** Keep what a parcel holds, and what is to be done with it. There must be room. */
  put({ arena, lanes }: Parcel, { epoch, drainAt, untilNs }: Work): void {
    const to = this.#buffer;
    for (const value of [epoch, drainAt, untilNs]) to.putNumber(value);
    to.putArray(arena.bytes, arena.used);
    for (const rows of lanes) {
      const { input } = rows;
      const { count } = input;
      to.putWords(input.offset, count);
      to.putWords(input.length, count);
      to.putNumbers(input.tsNs, count);
      to.putWords(input.port, count);
      to.putWords(input.pick, count);
      to.putNumbers(rows.sequence, count);
      if (this.#hasRoles) for (const column of roleColumns(rows)) to.putArray(column, count);
    }
  }

  /** Put the next entry into a parcel of the same lanes; returns what is to be done with it. */
  take({ arena, lanes }: Parcel): Work {
    const from = this.#buffer;
    const work = { epoch: from.takeNumber(), drainAt: from.takeNumber(), untilNs: from.takeNumber() };
    arena.used = from.takeArray(arena.bytes);
    for (const rows of lanes) {
      const { input } = rows;
      for (const column of [input.offset, input.length, input.tsNs, input.port, input.pick, rows.sequence])
        input.count = from.takeArray(column);
      if (this.#hasRoles) for (const column of roleColumns(rows)) from.takeArray(column);
      input.next = 0;
      rows.output.count = 0;
    }
    return work;
  }
}

type RoleColumns = Pick<LaneRows, 'role' | 'service' | 'client' | 'clientPort' | 'inner'>;

const roleColumns = ({ role, service, client, clientPort, inner }: RoleColumns) => [
  role,
  service,
  client,
  clientPort,
  inner,
];
