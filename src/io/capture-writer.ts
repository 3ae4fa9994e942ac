/** Writes a capture that Wireshark and tcpdump read: pcapng, or classic pcap by the name's ending. */

import { statSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { InputError } from '../verdict/input-error.js';
import { type CaptureOutput, openOutput } from './capture-output.js';
import type { CaptureWriter } from './packet-writer.js';
import { PcapWriter } from './pcap-writer.js';
import { PcapngWriter } from './pcapng-writer.js';

export type { CaptureWriter, OutputInterface } from './packet-writer.js';

export interface CaptureWriterOptions {
  /** Unix time that tsNs counts from. */
  readonly epochNs: bigint;
  /** If not given, by the name's ending: .pcap or .pcapng, packed or not. What has none of its own is pcapng: stdout, a stream,
   *  a device, a pipe. */
  readonly format?: 'pcap' | 'pcapng';
}

/** Start a capture: a path (packed with gzip when it ends with .gz), `-` for stdout, or a stream.
 *  @throws InputError when the file cannot be made, or its name does not say what it is to be; then it is left as it was. */
export async function createCapture(
  output: string | Writable,
  options: CaptureWriterOptions,
): Promise<CaptureWriter> {
  const format = options.format ?? (typeof output === 'string' ? formatByName(output) : 'pcapng');
  const out: CaptureOutput = await openOutput(output);
  return format === 'pcap' ? new PcapWriter(out, options.epochNs) : new PcapngWriter(out, options.epochNs);
}

function formatByName(path: string): 'pcap' | 'pcapng' {
  const ending = /\.(pcap|pcapng)(\.gz)?$/.exec(path);
  if (ending !== null) return ending[1] as 'pcap' | 'pcapng';
  if (path === '-' || isDeviceOrPipe(path)) return 'pcapng';
  throw new InputError([
    {
      file: path,
      at: null,
      subject: '',
      field: '',
      found: 'this ending stands for no format',
      wanted: ENDINGS,
    },
  ]);
}

const ENDINGS = '.pcapng or .pcap, .pcapng.gz or .pcap.gz, or - for stdout';

/** /dev/null, /dev/stdout, /dev/fd/63, a pipe that mkfifo made. */
function isDeviceOrPipe(path: string): boolean {
  const facts = statSync(path, { throwIfNoEntry: false });
  return facts !== undefined && !facts.isFile() && !facts.isDirectory();
}
