/** What a capture format does for the reader. */

import type { ByteWindow } from './byte-window.js';
import type { CaptureColumns } from './capture-columns.js';
import type { CaptureInterface } from './capture-interface.js';

/** A parser: it works on what the window holds and never waits. */
export interface CaptureFormat {
  readonly name: 'pcap' | 'pcapng';
  readonly interfaces: readonly CaptureInterface[];
  /** Timestamp of the packet that parse() stopped before for want of a free row. */
  readonly headNs: bigint;
  setEpoch(epochNs: bigint): void;
  /** Take packets from the window into the columns. Returns 0 when the columns are full, else how many
   *  bytes the window must hold before another call can go on.
   *  @throws InputError at damage; the packets before it are in the columns then. */
  parse(window: ByteWindow, columns: CaptureColumns): number;
}
