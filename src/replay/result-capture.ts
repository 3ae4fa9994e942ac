/** Writes a run's packets as a capture: an interface for each place where they ended, or for each device they passed. */

import type { Hop } from '../engine/explain.js';
import { type CaptureWriter, createCapture } from '../io/capture-writer.js';
import type { OutputBatch } from '../packet/batch.js';
import type { Epoch } from '../tables/epoch.js';
import { REASONS } from '../verdict/reasons.js';
import { VERDICT_NAMES, Verdict } from '../verdict/verdict.js';
import type { PlacedTrace } from '../workers/lane-runner.js';

/** Interface of packets that ended nowhere. */
const DROPPED = 'dropped';

export class ResultCapture {
  readonly #writer: CaptureWriter;
  #epoch: Epoch;
  #byPort: number[] = [];
  readonly #byName = new Map<string, number>();
  /** Comments of packets that nothing caused, by verdict and reason: most are alike. */
  readonly #comments: string[] = [];

  static async create(path: string, epoch: Epoch, epochNs: bigint): Promise<ResultCapture> {
    return new ResultCapture(await createCapture(path, { epochNs }), epoch);
  }

  private constructor(writer: CaptureWriter, epoch: Epoch) {
    this.#writer = writer;
    this.#epoch = epoch;
  }

  /** Ports are rows of `epoch` from now on. */
  use(epoch: Epoch): void {
    this.#epoch = epoch;
    this.#byPort = [];
  }

  /** Write output row `i`; `root` is the trace's packet that it is or that caused it, counted from 0. */
  writeRow(output: OutputBatch, i: number, bytes: Uint8Array, root: number): void {
    const verdict = output.verdict[i]!;
    const reason = output.reason[i]!;
    const own = this.#comment(verdict, reason);
    const comment = output.parent[i] === -1 ? own : `caused by packet ${root + 1}: ${own}`;
    this.#writer.write(
      this.#interfaceOfPort(output.exit[i]!),
      output.tsNs[i]!,
      bytes,
      output.offset[i]!,
      output.length[i]!,
      comment,
    );
  }

  /** Write a packet of the trace that was not injected. */
  writeDropped(tsNs: number, reason: number, bytes: Uint8Array, at: number, length: number): void {
    const comment = this.#comment(Verdict.Dropped, reason);
    this.#writer.write(this.#interfaceOfPort(-1), tsNs, bytes, at, length, comment);
  }

  /** Write an explained packet once for each device that it came to, as it came. What it met inside, br0's tables, stands
   *  in the comment. */
  writeHops({ trace, root }: PlacedTrace): void {
    const end = trace.reason === 'none' ? trace.verdict : `${trace.verdict} ${trace.reason}`;
    const subject = trace.parent < 0 ? `packet ${root + 1}` : `caused by packet ${root + 1}`;
    const { hops } = trace;
    for (let i = 0; i < hops.length; ) {
      const hop = hops[i]!;
      const tables: string[] = [];
      let next = i + 1;
      for (; next < hops.length && isInside(hops[next]!, hop, next === hops.length - 1); next++) {
        const { table, rule } = hops[next]!;
        if (rule !== undefined) tables.push(`${table} priority=${rule.priority}`);
      }
      const inside = tables.length === 0 ? '' : ` tables ${tables.join(', ')}`;
      this.#writer.write(
        this.#interfaceNamed(hopInterface(hop)),
        hop.tsNs,
        hop.bytes,
        0,
        hop.bytes.length,
        `${subject}: ${hop.stage}${inside}${next === hops.length ? `: ${end}` : ''}`,
      );
      i = next;
    }
  }

  drain(): Promise<void> {
    return this.#writer.drain();
  }

  close(): Promise<void> {
    return this.#writer.close();
  }

  #interfaceOfPort(port: number): number {
    const known = this.#byPort[port + 1];
    if (known !== undefined) return known;
    const name = port < 0 ? DROPPED : this.#epoch.text(this.#epoch.tables.ports.name[port]!);
    this.#byPort[port + 1] = this.#interfaceNamed(name);
    return this.#byPort[port + 1]!;
  }

  #interfaceNamed(name: string): number {
    const known = this.#byName.get(name);
    if (known !== undefined) return known;
    const id = this.#writer.addInterface({ name });
    this.#byName.set(name, id);
    return id;
  }

  #comment(verdict: number, reason: number): string {
    const key = verdict * REASONS.length + reason;
    this.#comments[key] ??= commentText(verdict, reason);
    return this.#comments[key]!;
  }
}

/** Does `hop` belong to the visit that began with `first`: a table looked up there, or the end of the walk? */
const isInside = (hop: Hop, first: Hop, isLast: boolean): boolean =>
  hop.stage === first.stage && (hop.rule !== undefined || isLast);

/** A pod's eth0 is not its node's. */
const hopInterface = (hop: Hop): string =>
  hop.stage.startsWith('pod-') ? `${hop.node}:pod-eth0` : `${hop.node}:${hop.device}`;

function commentText(verdict: number, reason: number): string {
  const { name, sentence } = REASONS[reason]!;
  return reason === 0 ? VERDICT_NAMES[verdict]! : `${VERDICT_NAMES[verdict]!} ${name}: ${sentence}`;
}
