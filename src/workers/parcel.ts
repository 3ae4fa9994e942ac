/** What goes to a worker and comes back: rows of its lanes over one shared arena, and the columns of their output. */
import {
  type Arena,
  createArena,
  HEADROOM,
  type InputBatch,
  type OutputBatch,
  ROWS_MAX,
} from '../packet/batch.js';
import { copyEndColumns, createEndColumns, type EndColumns } from './packet-ends.js';

/** What a row is to its Service connection: of the client, its opening packet, or of the recorded server. */
export const RowRole = { PLAIN: 0, TO_SERVICE: 1, OPENS: 2, FROM_SERVER: 3 } as const;

/** The rows of one lane, in the order of the trace. */
export interface LaneRows {
  readonly lane: number;
  readonly input: InputBatch;
  /** Number of the packet in the trace, from 0. */
  readonly sequence: Float64Array;
  /** A RowRole. */
  readonly role: Uint8Array;
  /** Where the role is not PLAIN: the Service row, the client's address, its port << 16 | protocol. */
  readonly service: Int32Array;
  readonly client: Uint32Array;
  readonly clientPort: Int32Array;
  /** Where the role is FROM_SERVER: bytes of tunnel in front of the server's own frame. */
  readonly inner: Uint16Array;
  readonly output: OutputBatch;
  /** For each output row, the packet of this lane at whose turn it came out. */
  readonly place: Float64Array;
  readonly ends: EndColumns;
}

/** All lanes of one worker in one slot. Lanes share the arena: they run one after the other. */
export interface Parcel {
  readonly arena: Arena;
  readonly lanes: readonly LaneRows[];
}

/** Output rows with bytes of their own, of a lane whose output did not fit its parcel. */
export interface Segment {
  readonly bytes: Uint8Array;
  readonly output: OutputBatch;
  readonly place: Float64Array;
  readonly ends: EndColumns;
}

/** A parcel of shared memory for these lanes: `rows` input rows a lane, `size` bytes in all. */
export function createParcel(lanes: readonly number[], rows: number, size: number): Parcel {
  const arena = createArena(size, true);
  return { arena, lanes: lanes.map((lane) => createLaneRows(lane, arena, rows)) };
}

function createLaneRows(lane: number, arena: Arena, rows: number): LaneRows {
  // Twice the input, for what packets cause, is the common case; more is spilled.
  const outputRows = rows * 2 + ROWS_MAX;
  const sequence = new Float64Array(shared(rows * 8));
  return {
    lane,
    input: {
      arena,
      offset: new Uint32Array(shared(rows * 4)),
      length: new Uint32Array(shared(rows * 4)),
      tsNs: new Float64Array(shared(rows * 8)),
      port: new Int32Array(shared(rows * 4)),
      pick: new Int32Array(shared(rows * 4)),
      sequence,
      headroom: HEADROOM,
      count: 0,
      next: 0,
    },
    sequence,
    role: new Uint8Array(shared(rows)),
    service: new Int32Array(shared(rows * 4)),
    client: new Uint32Array(shared(rows * 4)),
    clientPort: new Int32Array(shared(rows * 4)),
    inner: new Uint16Array(shared(rows * 2)),
    output: createSharedOutput(outputRows),
    place: new Float64Array(shared(outputRows * 8)),
    ends: createEndColumns(outputRows),
  };
}

/** Output columns in shared memory. */
export function createSharedOutput(capacity: number): OutputBatch {
  return {
    origin: new Int32Array(shared(capacity * 4)),
    packet: new Float64Array(shared(capacity * 8)),
    parent: new Float64Array(shared(capacity * 8)),
    root: new Float64Array(shared(capacity * 8)),
    verdict: new Uint8Array(shared(capacity)),
    reason: new Uint16Array(shared(capacity * 2)),
    exit: new Int32Array(shared(capacity * 4)),
    offset: new Uint32Array(shared(capacity * 4)),
    length: new Uint32Array(shared(capacity * 4)),
    tsNs: new Float64Array(shared(capacity * 8)),
    endpoint: new Int32Array(shared(capacity * 4)),
    service: new Int32Array(shared(capacity * 4)),
    capacity,
    count: 0,
  };
}

const shared = (size: number): SharedArrayBuffer => new SharedArrayBuffer(size);

/** Copy a lane's output, rows and bytes, into memory of its own. */
export function copySegment({ output, place, ends }: LaneRows, bytes: Uint8Array): Segment {
  const { count } = output;
  let size = 0;
  for (let i = 0; i < count; i++) size += output.length[i]!;
  const copy = createSharedOutput(count);
  const copiedBytes = new Uint8Array(shared(size));
  for (const name of COPIED) copy[name].set(output[name].subarray(0, count));
  let at = 0;
  for (let i = 0; i < count; i++) {
    const length = output.length[i]!;
    copiedBytes.set(bytes.subarray(output.offset[i]!, output.offset[i]! + length), at);
    copy.offset[i] = at;
    copy.length[i] = length;
    at += length;
  }
  copy.count = count;
  return {
    bytes: copiedBytes,
    output: copy,
    place: place.slice(0, count),
    ends: copyEndColumns(ends, count),
  };
}

const COPIED = [
  'origin',
  'packet',
  'parent',
  'root',
  'verdict',
  'reason',
  'exit',
  'tsNs',
  'endpoint',
  'service',
] as const;
