/** Reads several captures as one, by time, and keeps the look-ahead full. */
import { type CaptureColumns, createColumns, FrameKind } from '../io/capture-columns.js';
import type { CaptureInterface } from '../io/capture-interface.js';
import { type CaptureReader, openCapture } from '../io/capture-reader.js';
import { copyBytes } from '../io/copy-bytes.js';
import { LinkType } from '../io/link-types.js';
import { createArena } from '../packet/batch.js';
import type { PacketView } from '../packet/packet-view.js';
import type { CapturedPacket, LookAhead } from './look-ahead.js';
import type { ServiceIndex } from './service-index.js';

const STAGE_ROWS = 4096;
const STAGE_SIZE = 4 << 20;

/** A file's interface under its dense number. */
export interface TraceSource {
  readonly file: string;
  readonly fileIndex: number;
  readonly facts: CaptureInterface;
  /** Linux' `any` device and its kind show one packet at several stops. */
  readonly isCooked: boolean;
}

interface TraceFile {
  readonly reader: CaptureReader;
  readonly columns: CaptureColumns;
  /** Dense source number by the file's interface number. */
  readonly sources: number[];
  row: number;
  isEnded: boolean;
}

export class TraceMerge {
  readonly sources: TraceSource[] = [];
  /** Unix time that tsNs counts from: the second of the earliest packet. */
  readonly epochNs: bigint;
  /** Unix time of the earliest packet. */
  readonly firstNs: bigint;
  /** Damage met; what came before it is given out first. */
  failure: Error | null = null;
  readonly #files: readonly TraceFile[];
  readonly #packet: CapturedPacket;

  /** Open the captures at `paths`, all of them, before anything is read.
   *  @throws InputError for the first that is none. */
  static async open(paths: readonly string[]): Promise<TraceMerge> {
    const readers: CaptureReader[] = [];
    try {
      for (const path of paths) readers.push(await openCapture(path));
    } catch (error) {
      for (const reader of readers) await reader.close();
      throw error;
    }
    return new TraceMerge(readers);
  }

  private constructor(readers: readonly CaptureReader[]) {
    let [epochNs, firstNs] = [0n, 0n];
    for (const reader of readers)
      if (reader.firstNs > 0n && (firstNs === 0n || reader.firstNs < firstNs))
        [epochNs, firstNs] = [reader.firstEpochNs, reader.firstNs];
    this.epochNs = epochNs;
    this.firstNs = firstNs;
    this.#files = readers.map((reader) => {
      reader.epochNs = this.epochNs;
      return {
        reader,
        columns: createColumns(createArena(STAGE_SIZE), STAGE_ROWS),
        sources: [],
        row: 0,
        isEnded: false,
      };
    });
    this.#packet = {
      offset: 0,
      length: 0,
      originalLength: 0,
      tsNs: 0,
      source: 0,
      kind: 0,
      isTruncated: false,
    };
  }

  /** Has everything been read? */
  get isEnded(): boolean {
    return this.failure !== null || this.#files.every((file) => file.isEnded);
  }

  /** Move packets into `ahead` until it is full. False when it could be fuller, after refill(). Called before every
   *  packet that is taken out, so that what is seen ahead does not depend on how the run is cut into chunks. */
  fill(ahead: LookAhead, view: PacketView, vxlanPort: number, services: ServiceIndex): boolean {
    for (;;) {
      if (this.failure !== null) return true;
      for (const file of this.#files) if (!file.isEnded && file.row === file.columns.count) return false;
      const file = this.#earliest();
      if (file === null || !this.#move(file, ahead, view, vxlanPort, services)) return true;
    }
  }

  /** Read on where a file's packets have all been taken. */
  async refill(): Promise<void> {
    for (const file of this.#files)
      if (!file.isEnded && file.row === file.columns.count) await this.#read(file);
  }

  async close(): Promise<void> {
    for (const file of this.#files) await file.reader.close();
  }

  async #read(file: TraceFile): Promise<void> {
    file.row = 0;
    file.columns.count = 0;
    try {
      file.isEnded = (await file.reader.read(file.columns)) === 0;
    } catch (error) {
      file.isEnded = true;
      this.failure = error instanceof Error ? error : new Error(String(error));
    }
  }

  /** Of equal times the file named first. */
  #earliest(): TraceFile | null {
    let best: TraceFile | null = null;
    for (const file of this.#files) {
      if (file.isEnded) continue;
      if (best === null || file.columns.tsNs[file.row]! < best.columns.tsNs[best.row]!) best = file;
    }
    return best;
  }

  /** Move packets of `file` while it is the only one or the stage lasts; false when `ahead` is full. */
  #move(
    file: TraceFile,
    ahead: LookAhead,
    view: PacketView,
    vxlanPort: number,
    services: ServiceIndex,
  ): boolean {
    const { columns } = file;
    const last = this.#files.length === 1 ? columns.count : file.row + 1;
    const packet = this.#packet;
    const { bytes, view: p } = ahead.arena;
    for (; file.row < last; file.row++) {
      const { row } = file;
      const length = columns.length[row]!;
      const offset = ahead.reserve(length);
      if (offset < 0) return false;
      copyBytes(columns.arena.bytes, columns.arena.view, columns.offset[row]!, bytes, p, offset, length);
      packet.offset = offset;
      packet.length = length;
      packet.originalLength = columns.originalLength[row]!;
      packet.tsNs = columns.tsNs[row]!;
      packet.source = this.#sourceOf(file, columns.interfaceId[row]!);
      packet.kind = columns.kind[row]!;
      packet.isTruncated = columns.truncated[row] === 1;
      if (packet.kind === FrameKind.Unsupported) view.read(p, offset, 0, -1);
      else view.read(p, offset, length, vxlanPort);
      ahead.push(packet, view, services);
    }
    return true;
  }

  #sourceOf(file: TraceFile, interfaceId: number): number {
    const known = file.sources[interfaceId];
    if (known !== undefined) return known;
    const facts = file.reader.interfaces[interfaceId]!;
    const source: TraceSource = {
      file: file.reader.name,
      fileIndex: this.#files.indexOf(file),
      facts,
      isCooked: facts.linkType === LinkType.LinuxSll || facts.linkType === LinkType.LinuxSll2,
    };
    file.sources[interfaceId] = this.sources.push(source) - 1;
    return file.sources[interfaceId]!;
  }
}
