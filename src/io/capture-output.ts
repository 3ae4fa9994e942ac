/** Where a written capture goes: blocks of memory that are filled here and written behind our back. */

import { type FileHandle, open } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { constants, createGzip } from 'node:zlib';
import { InputError } from '../verdict/input-error.js';

/** Longer than the longest record: CAPTURED_MAX bytes, a comment, headers. */
const BLOCK_SIZE = 1_048_576;
/** Blocks that may wait for the disk before drain() waits for them. */
const WAITING_MAX = 2;

/** Records are reserved whole and a block holds whole records, so what a crash leaves ends between two records
 *  unless the system itself wrote half a block. */
export class CaptureOutput {
  /** The block that is being filled; used is where the next record goes. Valid until the next reserve(). */
  bytes: Buffer = Buffer.allocUnsafeSlow(BLOCK_SIZE);
  view: DataView = viewOf(this.bytes);
  used = 0;
  readonly #name: string;
  /** Takes the bytes: the file, or the gzip in front of it. */
  readonly #sink: Writable;
  /** The end of the chain; its finish means that all is written. Not ended when it is not ours. */
  readonly #last: Writable;
  readonly #isOurs: boolean;
  readonly #free: Buffer[] = [];
  readonly #onError: (error: Error) => void;
  #waiting = 0;
  #wake = (): void => {};
  #failure: InputError | null = null;

  /** Use openOutput(). */
  constructor(name: string, last: Writable, isOurs: boolean, isPacked: boolean) {
    this.#name = name;
    this.#last = last;
    this.#isOurs = isOurs;
    this.#onError = (error) => {
      this.#failure ??= unwritable(this.#name, error);
      this.#wake();
    };
    last.on('error', this.#onError);
    this.#sink = last;
    if (isPacked) {
      // Else a block would stay in zlib for as long as some more come, and be lost with the process.
      const gzip = createGzip({ flush: constants.Z_SYNC_FLUSH });
      gzip.on('error', this.#onError);
      gzip.pipe(last);
      this.#sink = gzip;
    }
  }

  /** Make sure that `size` bytes are free from `used` on. The caller writes them and moves `used`.
   *  Never waits; a caller that never drains makes the queue grow. */
  reserve(size: number): void {
    if (this.used + size <= BLOCK_SIZE) return;
    this.#submit();
    this.bytes = this.#free.pop() ?? Buffer.allocUnsafeSlow(BLOCK_SIZE);
    this.view = viewOf(this.bytes);
  }

  /** Wait until the queue is short.
   *  @throws InputError when the file cannot be written (disk full, reader of a pipe gone). */
  async drain(): Promise<void> {
    await this.#waitFor(WAITING_MAX);
  }

  /** Write what is left and wait until all of it is out. */
  async close(): Promise<void> {
    this.#submit();
    try {
      if (this.#isOurs) {
        this.#sink.end();
        if (this.#failure === null) await finished(this.#last, { cleanup: true });
      }
      await this.#waitFor(0);
    } catch (error) {
      throw error instanceof InputError ? error : unwritable(this.#name, error);
    } finally {
      if (!this.#isOurs) this.#last.off('error', this.#onError);
    }
  }

  #submit(): void {
    const block = this.bytes;
    if (this.used > 0 && this.#failure === null) {
      this.#waiting++;
      this.#sink.write(block.subarray(0, this.used), () => {
        this.#waiting--;
        this.#free.push(block);
        this.#wake();
      });
    }
    this.used = 0;
  }

  async #waitFor(limit: number): Promise<void> {
    while (this.#waiting > limit && this.#failure === null) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if (this.#failure !== null) throw this.#failure;
  }
}

/** Open `output`: a path (packed when it ends with .gz), `-` for stdout, or a stream that stays open.
 *  @throws InputError when the file cannot be made. */
export async function openOutput(output: string | Writable): Promise<CaptureOutput> {
  if (typeof output !== 'string') return new CaptureOutput('capture', output, false, false);
  if (output === '-') return new CaptureOutput(output, process.stdout, false, false);
  const handle: FileHandle = await open(output, 'w').catch((error: unknown) => {
    throw unwritable(output, error);
  });
  return new CaptureOutput(output, handle.createWriteStream(), true, output.endsWith('.gz'));
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

function unwritable(file: string, error: unknown): InputError {
  const found = `cannot be written: ${error instanceof Error ? error.message : String(error)}`;
  return new InputError([{ file, at: null, subject: '', field: '', found, wanted: '' }]);
}
