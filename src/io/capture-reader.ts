/** Reads a capture of any kind in bursts, as a stream: what is in memory does not grow with the file. */

import { createArena } from '../packet/batch.js';
import { type ByteSource, fileSource, streamSource, withBytesBack } from './byte-source.js';
import { ByteWindow } from './byte-window.js';
import { type CaptureColumns, createColumns } from './capture-columns.js';
import type { CaptureFormat } from './capture-format.js';
import type { CaptureInterface } from './capture-interface.js';
import { GZIP_MAGIC, gunzipSource } from './gunzip-source.js';
import { openFormat } from './open-format.js';

export interface CaptureOptions {
  /** What messages call the capture; the path, if there is one. */
  readonly name?: string;
  /** Unix time that tsNs counts from; the reader's firstEpochNs if not given. */
  readonly epochNs?: bigint;
}

const NS_PER_SECOND = 1_000_000_000n;

/** Open a capture: a path, `-` for stdin, or its bytes as a stream. pcap and pcapng are told by their first
 *  bytes, packed with gzip or not. Waits for the first packet.
 *  @throws InputError when it cannot be read or is no capture. */
export async function openCapture(
  input: string | AsyncIterable<Uint8Array>,
  options: CaptureOptions = {},
): Promise<CaptureReader> {
  const name = options.name ?? (typeof input === 'string' ? input : 'capture');
  const source = await plainSource(input, name);
  const window = new ByteWindow(source, name);
  try {
    const reader = new CaptureReader(window, await openFormat(window));
    await reader.findFirst();
    if (options.epochNs !== undefined) reader.epochNs = options.epochNs;
    return reader;
  } catch (error) {
    await window.close();
    throw error;
  }
}

export class CaptureReader {
  /** Unix time of the first packet rounded down to the second; 0 when there is none. */
  firstEpochNs = 0n;
  /** Unix time of the first packet; 0 when there is none. */
  firstNs = 0n;
  readonly #window: ByteWindow;
  readonly #format: CaptureFormat;
  #epochNs = 0n;
  #failure: Error | null = null;
  #isEnded = false;

  /** Use openCapture(). */
  constructor(window: ByteWindow, format: CaptureFormat) {
    this.#window = window;
    this.#format = format;
  }

  get name(): string {
    return this.#window.name;
  }

  get format(): 'pcap' | 'pcapng' {
    return this.#format.name;
  }

  /** The interfaces met so far; a pcapng file may bring more between packets. interfaceId is the index. */
  get interfaces(): readonly CaptureInterface[] {
    return this.#format.interfaces;
  }

  /** Unix time that tsNs counts from. May be set between reads, so that several captures share one. */
  get epochNs(): bigint {
    return this.#epochNs;
  }

  set epochNs(epochNs: bigint) {
    this.#epochNs = epochNs;
    this.#format.setEpoch(epochNs);
  }

  /** Fill the columns from row 0 and their arena from byte 0 with what comes next: as much as fits, or as is
   *  there without waiting. Returns the number of packets, also in columns.count; 0 at the end.
   *  @throws InputError at damage, in the call after the one that gave the last packet before it.
   *  @throws RangeError when the arena is too small for one packet. */
  async read(columns: CaptureColumns): Promise<number> {
    columns.count = 0;
    columns.arena.used = 0;
    await this.#run(columns);
    if (columns.count > 0) return columns.count;
    if (this.#failure !== null) throw this.#failure;
    return 0;
  }

  /** Let go of the file. Reading to the end does it too. */
  async close(): Promise<void> {
    if (this.#isEnded) return;
    this.#isEnded = true;
    await this.#window.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Go up to the first packet without taking it, to learn its time. */
  async findFirst(): Promise<void> {
    await this.#run(createColumns(createArena(0), 0));
    this.firstNs = this.#format.headNs;
    this.firstEpochNs = this.firstNs - (this.firstNs % NS_PER_SECOND);
    this.epochNs = this.firstEpochNs;
  }

  async #run(columns: CaptureColumns): Promise<void> {
    while (!this.#isEnded) {
      try {
        const need = this.#format.parse(this.#window, columns);
        if (need === 0 || columns.count > 0) return;
        if (!(await this.#window.fill(need))) await this.#end(need);
      } catch (error) {
        if (error instanceof RangeError) throw error;
        this.#failure = error instanceof Error ? error : new Error(String(error));
        await this.close();
      }
    }
  }

  async #end(need: number): Promise<void> {
    const { start, end } = this.#window;
    if (end > start) {
      const subject = 'packet or block at the end';
      const found = `cut short after ${end - start} bytes`;
      this.#failure = this.#window.damage(start, subject, '', found, `${need} bytes or more`);
    }
    await this.close();
  }
}

async function plainSource(input: string | AsyncIterable<Uint8Array>, name: string): Promise<ByteSource> {
  const source = await rawSource(input, name);
  const head = new Uint8Array(GZIP_MAGIC.length);
  let size = 0;
  try {
    while (size < head.length) {
      const count = await source.read(head, size);
      if (count === 0) break;
      size += count;
    }
  } catch (error) {
    await source.close();
    throw error;
  }
  const whole = withBytesBack(head.subarray(0, size), source);
  return GZIP_MAGIC.every((byte, i) => head[i] === byte) ? gunzipSource(whole, name) : whole;
}

async function rawSource(input: string | AsyncIterable<Uint8Array>, name: string): Promise<ByteSource> {
  if (typeof input !== 'string') return streamSource(input, name);
  return input === '-' ? streamSource(process.stdin, name) : fileSource(input);
}
