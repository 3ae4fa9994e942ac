/** A stretch of the trace on its way: what was decided for each packet, and the packets themselves, by lane. */
import { copyBytes } from '../io/copy-bytes.js';
import { type Arena, createArena, HEADROOM } from '../packet/batch.js';
import type { PacketView } from '../packet/packet-view.js';
import type { PlacedTrace } from '../workers/lane-runner.js';
import { createParcel, type LaneRows, type Parcel, type Segment } from '../workers/parcel.js';
import type { CapturedPacket } from './look-ahead.js';

/** What becomes of a captured packet. */
export const Fate = {
  /** It enters the cluster. */
  Inject: 0,
  /** It was seen where it arrives: compared, never injected. */
  Observe: 1,
  /** It cannot be carried; the reason says why. */
  Drop: 2,
} as const;

/** Bytes of packets in a chunk. One captured packet is far smaller. */
export const CHUNK_SIZE = 2 << 20;
/** Room for what packets cause. */
const GENERATED_SIZE = 6 << 20;
const ALIGNMENT = 32;

export class Chunk {
  count = 0;
  /** Sequence number of row 0. */
  first = 0;
  readonly capacity: number;
  readonly parcels: readonly Parcel[];
  /** By lane number. */
  readonly lanes: readonly LaneRows[];
  /** Output that comes before what lies in a lane's own columns, by lane number. */
  readonly spilled: (readonly Segment[])[];
  /** Explanations in the order of output, by lane number. */
  readonly traces: (readonly PlacedTrace[])[];
  readonly fate: Uint8Array;
  readonly lane: Uint32Array;
  readonly reason: Uint16Array;
  readonly port: Int32Array;
  readonly tsNs: Float64Array;
  readonly length: Uint32Array;
  /** Sequence number of the packet that an observation shows again, or -1. */
  readonly origin: Float64Array;
  /** What an observation shows. */
  readonly src: Uint32Array;
  readonly dst: Uint32Array;
  readonly sport: Uint16Array;
  readonly dport: Uint16Array;
  readonly ttl: Uint8Array;
  /** A fragment: when it is seen on the way, the rest of its datagram may still have to come. */
  readonly isFragment: Uint8Array;
  readonly protocol: Uint8Array;
  readonly digest0: Int32Array;
  readonly digest1: Int32Array;
  /** 1 for a Service's reply at its client, 2 for an outsider's packet at a pod, else 0. */
  readonly arrival: Uint8Array;
  /** 1 where an observation shows its packet under other addresses than it was sent with. */
  readonly translated: Uint8Array;
  /** Bytes of dropped packets. */
  readonly aside: Arena;
  readonly asideOffset: Uint32Array;
  #size = 0;

  /** `lanesOfWorker`: the lane numbers of each worker. */
  constructor(capacity: number, lanesOfWorker: readonly (readonly number[])[]) {
    this.capacity = capacity;
    this.parcels = lanesOfWorker.map((lanes) => createParcel(lanes, capacity, parcelSize(capacity)));
    this.lanes = this.parcels.flatMap((parcel) => parcel.lanes).sort((a, b) => a.lane - b.lane);
    this.spilled = this.lanes.map(() => []);
    this.traces = this.lanes.map(() => []);
    this.fate = new Uint8Array(capacity);
    this.lane = new Uint32Array(capacity);
    this.reason = new Uint16Array(capacity);
    this.port = new Int32Array(capacity);
    this.tsNs = new Float64Array(capacity);
    this.length = new Uint32Array(capacity);
    this.origin = new Float64Array(capacity);
    this.src = new Uint32Array(capacity);
    this.dst = new Uint32Array(capacity);
    this.sport = new Uint16Array(capacity);
    this.dport = new Uint16Array(capacity);
    this.ttl = new Uint8Array(capacity);
    this.isFragment = new Uint8Array(capacity);
    this.protocol = new Uint8Array(capacity);
    this.digest0 = new Int32Array(capacity);
    this.digest1 = new Int32Array(capacity);
    this.arrival = new Uint8Array(capacity);
    this.translated = new Uint8Array(capacity);
    this.aside = createArena(CHUNK_SIZE + capacity * ALIGNMENT);
    this.asideOffset = new Uint32Array(capacity);
  }

  /** Begin anew with packet `first`. */
  reset(first: number): void {
    this.count = 0;
    this.first = first;
    this.#size = 0;
    this.aside.used = 0;
    for (const { arena } of this.parcels) arena.used = 0;
    for (const rows of this.lanes) {
      rows.input.count = 0;
      rows.input.next = 0;
      rows.output.count = 0;
    }
  }

  /** Has it a row and `length` bytes left? The empty chunk takes every captured packet. */
  hasRoom(length: number): boolean {
    return this.count < this.capacity && this.#size + length <= CHUNK_SIZE;
  }

  /** Take a row for `packet`; what is decided of it is filled in by the caller. Returns the row. */
  addRow(packet: Readonly<CapturedPacket>, fate: number): number {
    const row = this.count++;
    this.#size += packet.length;
    this.fate[row] = fate;
    this.lane[row] = 0;
    this.reason[row] = 0;
    this.port[row] = -1;
    this.tsNs[row] = packet.tsNs;
    this.length[row] = packet.length;
    this.origin[row] = -1;
    this.arrival[row] = 0;
    this.translated[row] = 0;
    return row;
  }

  /** Keep the bytes of a packet that is not injected. */
  setAside(row: number, packet: Readonly<CapturedPacket>, from: Arena): void {
    this.asideOffset[row] = place(this.aside, packet, from, 0);
  }

  /** Note what an observation shows. */
  setObserved(row: number, view: PacketView): void {
    this.src[row] = view.src;
    this.dst[row] = view.dst;
    this.sport[row] = view.sport;
    this.dport[row] = view.dport;
    this.ttl[row] = view.ttl;
    this.isFragment[row] = (view.fragment & 0x3fff) === 0 ? 0 : 1;
    this.protocol[row] = view.protocol;
    this.digest0[row] = view.digest0;
    this.digest1[row] = view.digest1;
  }

  /** Give the packet of `row` to `lane`; returns its row there. */
  inject(row: number, lane: number, packet: Readonly<CapturedPacket>, from: Arena, port: number): number {
    const rows = this.lanes[lane]!;
    const { input } = rows;
    const i = input.count++;
    this.lane[row] = lane;
    this.port[row] = port;
    input.offset[i] = place(input.arena, packet, from, HEADROOM);
    input.length[i] = packet.length;
    input.tsNs[i] = packet.tsNs;
    input.port[i] = port;
    input.pick[i] = -1;
    rows.sequence[i] = this.first + row;
    rows.role[i] = 0;
    rows.service[i] = -1;
    return i;
  }
}

const parcelSize = (capacity: number): number =>
  CHUNK_SIZE + capacity * (HEADROOM + ALIGNMENT) + GENERATED_SIZE;

function place(to: Arena, packet: Readonly<CapturedPacket>, from: Arena, headroom: number): number {
  // Frames begin at 2 mod 4, so that the header behind the 14 bytes of Ethernet is aligned.
  const at = ((to.used + headroom + 3) & ~3) + 2;
  copyBytes(from.bytes, from.view, packet.offset, to.bytes, to.view, at, packet.length);
  to.used = at + packet.length;
  return at;
}
