/** Puts the output of all lanes of a chunk into the order of the trace, and gives it to those who count and write. */
import type { OutputBatch } from '../packet/batch.js';
import { Verdict } from '../verdict/verdict.js';
import type { Segment } from '../workers/parcel.js';
import { type Chunk, Fate } from './chunk.js';
import type { Fingerprint } from './fingerprint.js';
import type { Outcomes } from './outcomes.js';
import type { ResultCapture } from './result-capture.js';
import type { Summary } from './summary.js';

export interface Consumers {
  readonly summary: Summary;
  readonly fingerprint: Fingerprint;
  readonly outcomes: Outcomes;
  readonly capture: ResultCapture | null;
  /** Write hops instead of rows. */
  readonly isByHop: boolean;
}

/** Where a lane's output has been read to. */
class LaneCursor {
  readonly #segments: readonly Segment[];
  readonly #views: readonly DataView[];
  #segment = 0;
  #row = 0;
  #trace = 0;

  constructor(
    readonly chunk: Chunk,
    readonly lane: number,
  ) {
    const rows = chunk.lanes[lane]!;
    const { bytes } = rows.input.arena;
    const own: Segment = { bytes, output: rows.output, place: rows.place, ends: rows.ends };
    this.#segments = [...chunk.spilled[lane]!, own];
    this.#views = this.#segments.map((segment) => new DataView(segment.bytes.buffer));
  }

  /** Hand over all rows up to the turn of packet `place`. */
  readTo(place: number, to: Consumers): void {
    for (; this.#segment < this.#segments.length; this.#segment++, this.#row = 0) {
      const segment = this.#segments[this.#segment]!;
      const { output } = segment;
      for (; this.#row < output.count; this.#row++) {
        if (segment.place[this.#row]! > place) {
          this.#writeHops(place, to);
          return;
        }
        consume(this.chunk, segment, this.#views[this.#segment]!, this.#row, to);
      }
    }
    this.#writeHops(place, to);
  }

  #writeHops(place: number, to: Consumers): void {
    if (!to.isByHop || to.capture === null) return;
    const traces = this.chunk.traces[this.lane]!;
    for (; this.#trace < traces.length && traces[this.#trace]!.place <= place; this.#trace++)
      to.capture.writeHops(traces[this.#trace]!);
  }
}

/** Hand over the chunk's output: packet by packet, each with what timers gave out at its turn before it. */
export function mergeOutput(chunk: Chunk, to: Consumers): void {
  const cursors = chunk.lanes.map((_, lane) => new LaneCursor(chunk, lane));
  for (let row = 0; row < chunk.count; row++) {
    const fate = chunk.fate[row];
    if (fate === Fate.Inject) cursors[chunk.lane[row]!]!.readTo(chunk.first + row, to);
    else if (fate === Fate.Observe) to.outcomes.compare(chunk, row);
    else consumeDropped(chunk, row, to);
  }
}

/** Hand over what the last timers gave out, lane by lane. */
export function mergeDrained(chunk: Chunk, to: Consumers): void {
  chunk.lanes.forEach((_, lane) => {
    new LaneCursor(chunk, lane).readTo(Number.POSITIVE_INFINITY, to);
  });
}

function consume(chunk: Chunk, segment: Segment, p: DataView, i: number, to: Consumers): void {
  const { output, bytes } = segment;
  const root = output.root[i]!;
  const row = root - chunk.first;
  const isInChunk = row >= 0 && row < chunk.count;
  to.summary.add(output, i, isInChunk ? chunk.port[row]! : -1);
  fingerprintRow(output, i, segment.place[i]!, bytes, p, to.fingerprint);
  if (output.parent[i] === -1 && root >= 0)
    to.outcomes.note(root, output.verdict[i]!, output.reason[i]!, segment.ends, i);
  if (to.capture !== null && !to.isByHop) to.capture.writeRow(output, i, bytes, root);
}

function fingerprintRow(
  output: OutputBatch,
  i: number,
  place: number,
  bytes: Uint8Array,
  p: DataView,
  fingerprint: Fingerprint,
): void {
  fingerprint.add(
    place,
    output.tsNs[i]!,
    output.exit[i]!,
    output.endpoint[i]!,
    output.reason[i]!,
    output.verdict[i]!,
    bytes,
    p,
    output.offset[i]!,
    output.length[i]!,
  );
}

function consumeDropped(chunk: Chunk, row: number, to: Consumers): void {
  const { bytes, view } = chunk.aside;
  const [at, length, tsNs, reason] = [
    chunk.asideOffset[row]!,
    chunk.length[row]!,
    chunk.tsNs[row]!,
    chunk.reason[row]!,
  ];
  const place = chunk.first + row;
  to.summary.addDropped(Verdict.Dropped, reason, length);
  to.fingerprint.add(place, tsNs, -1, -1, reason, Verdict.Dropped, bytes, view, at, length);
  to.capture?.writeDropped(tsNs, reason, bytes, at, length);
}
