/** What a writer of captures offers, whatever the format. */

/** What an interface is called in the file. All are Ethernet. */
export interface OutputInterface {
  readonly name: string;
  readonly description?: string;
}

/** Takes packets one by one and never waits; the caller waits in drain() once a batch. The same calls give the
 *  same bytes: nothing of the machine or the clock goes in. */
export interface CaptureWriter {
  /** Returns the number that write() wants. In pcap, which knows one interface only, all share it. */
  addInterface(facts: OutputInterface): number;
  /** Write bytes[offset .. offset+length) as a packet of `originalLength` on the wire.
   *  `tsNs` counts from epochNs; `comment` is shown by Wireshark, and lost in pcap.
   *  @throws RangeError for an interface that was not added, a packet above CAPTURED_MAX, or a time outside the format. */
  write(
    interfaceId: number,
    tsNs: number,
    bytes: Uint8Array,
    offset: number,
    length: number,
    comment?: string,
    originalLength?: number,
  ): void;
  /** Wait until little is queued. Memory stays bounded if it is called after every batch.
   *  @throws InputError when the file cannot be written. */
  drain(): Promise<void>;
  /** Write the rest and wait for it. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
