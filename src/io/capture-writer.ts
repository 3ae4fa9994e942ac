/** Writes a capture that Wireshark and tcpdump read: pcapng, or classic pcap by the name's ending. */

import type { Writable } from 'node:stream';
import { type CaptureOutput, openOutput } from './capture-output.js';
import type { CaptureWriter } from './packet-writer.js';
import { PcapWriter } from './pcap-writer.js';
import { PcapngWriter } from './pcapng-writer.js';

export type { CaptureWriter, OutputInterface } from './packet-writer.js';

export interface CaptureWriterOptions {
  /** Unix time that tsNs counts from. */
  readonly epochNs: bigint;
  /** pcap when the name ends with .pcap or .pcap.gz, else pcapng, if not given. */
  readonly format?: 'pcap' | 'pcapng';
}

/** Start a capture: a path (packed with gzip when it ends with .gz), `-` for stdout, or a stream.
 *  @throws InputError when the file cannot be made. */
export async function createCapture(
  output: string | Writable,
  options: CaptureWriterOptions,
): Promise<CaptureWriter> {
  const isPcapName = typeof output === 'string' && /\.pcap(\.gz)?$/.test(output);
  const format = options.format ?? (isPcapName ? 'pcap' : 'pcapng');
  const out: CaptureOutput = await openOutput(output);
  return format === 'pcap' ? new PcapWriter(out, options.epochNs) : new PcapngWriter(out, options.epochNs);
}
