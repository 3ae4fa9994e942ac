/** Unpacks gzip while reading, with little of it in memory, and keeps what came before damage. */

import { createGunzip } from 'node:zlib';
import { InputError } from '../verdict/input-error.js';
import type { ByteSource } from './byte-source.js';

/** RFC 1952 section 2.3.1. */
export const GZIP_MAGIC = [0x1f, 0x8b] as const;

/** Deflate grows to at most 1,032 times its size, so one step holds at most 17 MB whatever the file says. */
const STEP_SIZE = 16_384;
const CHUNK_SIZE = 262_144;

/** The unpacked bytes of `packed`. A cut is thrown as InputError after all bytes before it were read; other
 *  damage after those of the steps before it, because zlib does not hand over what it had of a bad step.
 *  A stream piped through zlib would lose more: destroying a stream drops what it has buffered. */
export function gunzipSource(packed: ByteSource, name: string): ByteSource {
  const gunzip = createGunzip({ chunkSize: CHUNK_SIZE });
  const step = Buffer.allocUnsafe(STEP_SIZE);
  const ready: Buffer[] = [];
  let taken = 0;
  let isEnded = false;
  let failure: InputError | null = null;
  let wake = (): void => {};

  gunzip.on('data', (chunk: Buffer) => ready.push(chunk));
  gunzip.on('end', () => {
    isEnded = true;
    wake();
  });
  gunzip.on('error', (error) => {
    const found = `damaged gzip: ${error.message}`;
    failure = new InputError([
      { file: name, at: null, subject: '', field: '', found, wanted: 'a whole file' },
    ]);
    wake();
  });

  const feed = async (): Promise<void> => {
    const count = await packed.read(step, 0);
    await new Promise<void>((resolve) => {
      wake = resolve;
      if (count === 0) gunzip.end();
      else gunzip.write(step.subarray(0, count), () => resolve());
    });
  };

  return {
    async read(into, at) {
      while (ready.length === 0) {
        if (failure !== null) throw failure;
        if (isEnded) return 0;
        await feed();
      }
      const chunk = ready[0]!;
      const count = Math.min(chunk.length - taken, into.length - at);
      into.set(chunk.subarray(taken, taken + count), at);
      taken += count;
      if (taken === chunk.length) {
        ready.shift();
        taken = 0;
      }
      return count;
    },
    async close() {
      gunzip.destroy();
      await packed.close();
    },
  };
}
