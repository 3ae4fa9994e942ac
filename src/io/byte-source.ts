/** Where the bytes of a capture come from: a file, stdin, any stream of chunks. */

import { open } from 'node:fs/promises';
import { InputError } from '../verdict/input-error.js';

/** Bytes in order, pulled. */
export interface ByteSource {
  /** Put bytes into `into` from index `at` on, as many as there are and fit. Returns how many; 0 at the end. */
  read(into: Uint8Array, at: number): Promise<number>;
  close(): Promise<void>;
}

/** A file, read in pieces as large as the reader asks for.
 *  @throws InputError when it cannot be opened or read. */
export async function fileSource(path: string): Promise<ByteSource> {
  const handle = await open(path, 'r').catch((error: unknown) => {
    throw unreadable(path, error);
  });
  return {
    async read(into, at) {
      try {
        return (await handle.read(into, at, into.length - at, null)).bytesRead;
      } catch (error) {
        throw unreadable(path, error);
      }
    },
    close: () => handle.close(),
  };
}

/** Chunks of any size from a stream, stdin for one. Its own errors become InputError. */
export function streamSource(chunks: AsyncIterable<Uint8Array>, name: string): ByteSource {
  const iterator = chunks[Symbol.asyncIterator]();
  let chunk: Uint8Array = new Uint8Array(0);
  let taken = 0;
  return {
    async read(into, at) {
      while (taken === chunk.length) {
        const next = await iterator.next().catch((error: unknown) => {
          throw unreadable(name, error);
        });
        if (next.done === true) return 0;
        chunk = next.value;
        taken = 0;
      }
      const count = Math.min(chunk.length - taken, into.length - at);
      into.set(chunk.subarray(taken, taken + count), at);
      taken += count;
      return count;
    },
    async close() {
      await iterator.return?.();
    },
  };
}

/** `rest` with bytes that were already taken from it put back in front. */
export function withBytesBack(bytes: Uint8Array, rest: ByteSource): ByteSource {
  let taken = 0;
  return {
    async read(into, at) {
      if (taken === bytes.length) return rest.read(into, at);
      const count = Math.min(bytes.length - taken, into.length - at);
      into.set(bytes.subarray(taken, taken + count), at);
      taken += count;
      return count;
    },
    close: () => rest.close(),
  };
}

function unreadable(file: string, error: unknown): InputError {
  const found = `cannot be read: ${error instanceof Error ? error.message : String(error)}`;
  return new InputError([{ file, at: null, subject: '', field: '', found, wanted: 'a readable capture' }]);
}
