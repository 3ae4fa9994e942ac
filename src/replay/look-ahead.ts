/** Holds the next packets of the trace, in order, and finds in them which endpoint a client's Service will turn out to be.
 *
 *  rows     a ring of a power of two: offset length originalLength source u32 | tsNs f64 | kind isTruncated u8
 *           src dst i32, ports i32, protocol u8 as PacketView has them
 *  entries  two a row: 2 * row for the packet's destination as the client, 2 * row + 1 for its source;
 *           next i32, entry + 1; a bucket is a queue (first, last), as the oldest packet leaves first
 *  bytes    a ring too; a packet lies in one piece
 *  Memory is fixed: when rows or bytes run out, the oldest packet has to be taken before another fits. */
import { tupleHash } from '../kernels/tuple-hash.js';
import { type Arena, createArena } from '../packet/batch.js';
import type { PacketView } from '../packet/packet-view.js';
import { MISS, RecentTable } from './recent-table.js';
import type { ServiceIndex } from './service-index.js';

/** Entries that one question looks at. A client port with more traffic than that before its reply shows is given up. */
const SCAN_MAX = 256;
/** First fragments that are remembered, in sight or gone by. */
const FIRSTS = 65_536;
const IS_FRAGMENT = 0x3fff;

export interface CapturedPacket {
  offset: number;
  length: number;
  originalLength: number;
  tsNs: number;
  /** Dense number of file and interface. */
  source: number;
  kind: number;
  isTruncated: boolean;
}

export class LookAhead {
  readonly arena: Arena;
  count = 0;
  readonly #rows: number;
  readonly #limit: number;
  readonly #offset: Float64Array;
  readonly #length: Uint32Array;
  readonly #original: Uint32Array;
  readonly #tsNs: Float64Array;
  readonly #source: Uint32Array;
  readonly #kind: Uint8Array;
  readonly #isTruncated: Uint8Array;
  readonly #src: Int32Array;
  readonly #dst: Int32Array;
  readonly #ports: Int32Array;
  readonly #protocol: Uint8Array;
  readonly #isIndexed: Uint8Array;
  readonly #bucket: Int32Array;
  readonly #next: Int32Array;
  readonly #first: Int32Array;
  readonly #last: Int32Array;
  readonly #mask: number;
  /** (source, destination, identification, protocol) of first fragments: their ports. */
  readonly #firsts = new RecentTable(FIRSTS);
  readonly #firstPorts = new Int32Array(FIRSTS);
  #head = 0;
  #freeAt = 0;

  /** `packets` at most are held, 1 or more, in `size` bytes at most. */
  constructor(packets: number, size: number) {
    let rows = 1;
    while (rows < packets) rows *= 2;
    this.#rows = rows;
    this.#limit = packets;
    this.arena = createArena(size);
    this.#offset = new Float64Array(rows);
    this.#length = new Uint32Array(rows);
    this.#original = new Uint32Array(rows);
    this.#tsNs = new Float64Array(rows);
    this.#source = new Uint32Array(rows);
    this.#kind = new Uint8Array(rows);
    this.#isTruncated = new Uint8Array(rows);
    this.#src = new Int32Array(rows);
    this.#dst = new Int32Array(rows);
    this.#ports = new Int32Array(rows);
    this.#protocol = new Uint8Array(rows);
    this.#isIndexed = new Uint8Array(rows * 2);
    this.#bucket = new Int32Array(rows * 2);
    this.#next = new Int32Array(rows * 2);
    this.#first = new Int32Array(rows * 2);
    this.#last = new Int32Array(rows * 2);
    this.#mask = rows * 2 - 1;
  }

  /** Length of the oldest packet; 0 when there is none. */
  get nextLength(): number {
    return this.count === 0 ? 0 : this.#length[this.#head]!;
  }

  /** Time of the oldest packet; Infinity when there is none. */
  get nextTsNs(): number {
    return this.count === 0 ? Number.POSITIVE_INFINITY : this.#tsNs[this.#head]!;
  }

  /** Take a place for `length` bytes; -1 when the ring is full. The bytes go to the answer's offset in the arena. */
  reserve(length: number): number {
    if (this.count === this.#limit) return -1;
    if (this.count === 0) this.#freeAt = 0;
    const size = this.arena.bytes.length;
    const oldest = this.count === 0 ? size : this.#offset[this.#head]!;
    // Free is [freeAt, oldest) when the ring has turned round, else [freeAt, size) and then [0, oldest).
    const isTurned = this.count > 0 && this.#freeAt <= oldest;
    // The ring of packets begins at an IPv4 header's alignment, as everywhere.
    const at = alignFrame(this.#freeAt);
    if (isTurned) return at + length < oldest ? at : -1;
    if (at + length <= size) return at;
    return this.count > 0 && alignFrame(0) + length < oldest ? alignFrame(0) : -1;
  }

  /** Add the packet that was written to a reserved place; `view` has read it. */
  push(packet: Readonly<CapturedPacket>, view: PacketView, services: ServiceIndex): void {
    const row = (this.#head + this.count) & (this.#rows - 1);
    this.#offset[row] = packet.offset;
    this.#length[row] = packet.length;
    this.#original[row] = packet.originalLength;
    this.#tsNs[row] = packet.tsNs;
    this.#source[row] = packet.source;
    this.#kind[row] = packet.kind;
    this.#isTruncated[row] = packet.isTruncated ? 1 : 0;
    this.#freeAt = packet.offset + packet.length;
    this.count++;
    this.#src[row] = view.src;
    this.#dst[row] = view.dst;
    this.#ports[row] = (view.sport << 16) | view.dport;
    this.#protocol[row] = view.protocol;
    const { src, dst, sport, dport, protocol } = view;
    if ((view.fragment & IS_FRAGMENT) !== 0 && view.hasPorts)
      this.#firstPorts[this.#firsts.add(src, dst, view.id, protocol)] = (sport << 16) | dport;
    this.#enter(row * 2, view.hasPorts && services.isEndpoint(src, sport, protocol), dst, dport, protocol);
    this.#enter(
      row * 2 + 1,
      view.hasPorts && services.isEndpoint(dst, dport, protocol),
      src,
      sport,
      protocol,
    );
  }

  /** Take the oldest packet out; its bytes stay until the next reserve(). The caller has seen that there is one. */
  shift(packet: CapturedPacket): void {
    const row = this.#head;
    this.peek(0, packet);
    this.#leave(row * 2);
    this.#leave(row * 2 + 1);
    this.#head = (row + 1) & (this.#rows - 1);
    this.count--;
  }

  /** Look at the packet `i` places behind the oldest. The caller has seen that there is one. */
  peek(i: number, packet: CapturedPacket): void {
    const row = (this.#head + i) & (this.#rows - 1);
    packet.offset = this.#offset[row]!;
    packet.length = this.#length[row]!;
    packet.originalLength = this.#original[row]!;
    packet.tsNs = this.#tsNs[row]!;
    packet.source = this.#source[row]!;
    packet.kind = this.#kind[row]!;
    packet.isTruncated = this.#isTruncated[row] === 1;
  }

  /** Row of the endpoint that the first packet between this client and an endpoint of the Service in row `service`
   *  shows, be it the endpoint's reply or the client's packet after DNAT; -1 when none is in sight. */
  endpointOf(
    services: ServiceIndex,
    service: number,
    client: number,
    clientPort: number,
    protocol: number,
  ): number {
    let entry = this.#first[this.#bucketOf(client, clientPort, protocol)]! - 1;
    for (let looked = 0; entry >= 0 && looked < SCAN_MAX; looked++) {
      const row = entry >> 1;
      const isReply = (entry & 1) === 0;
      const ports = this.#ports[row]!;
      const [near, far] = isReply ? [this.#dst[row]!, this.#src[row]!] : [this.#src[row]!, this.#dst[row]!];
      const [nearPort, farPort] = isReply ? [ports & 0xffff, ports >>> 16] : [ports >>> 16, ports & 0xffff];
      if (near === (client | 0) && nearPort === clientPort && this.#protocol[row] === protocol) {
        const endpoint = services.endpoint(service, far, farPort);
        if (endpoint >= 0) return endpoint;
      }
      entry = this.#next[entry]! - 1;
    }
    return -1;
  }

  /** Lend the later fragment in `view` the ports of its first, be that gone by or still to come; it keeps none where no
   *  first is in sight. Its digest has been made. */
  lendPorts(view: PacketView): void {
    const row = this.#firsts.find(view.src, view.dst, view.id, view.protocol);
    if (row === MISS) return;
    view.sport = this.#firstPorts[row]! >>> 16;
    view.dport = this.#firstPorts[row]! & 0xffff;
    view.hasPorts = true;
  }

  #bucketOf(client: number, port: number, protocol: number): number {
    return tupleHash(0, client, port, protocol, 0) & this.#mask;
  }

  #enter(entry: number, isWanted: boolean, client: number, port: number, protocol: number): void {
    this.#isIndexed[entry] = isWanted ? 1 : 0;
    if (!isWanted) return;
    const bucket = this.#bucketOf(client, port, protocol);
    this.#bucket[entry] = bucket;
    this.#next[entry] = 0;
    if (this.#first[bucket] === 0) this.#first[bucket] = entry + 1;
    else this.#next[this.#last[bucket]! - 1] = entry + 1;
    this.#last[bucket] = entry + 1;
  }

  #leave(entry: number): void {
    if (this.#isIndexed[entry] === 0) return;
    this.#first[this.#bucket[entry]!] = this.#next[entry]!;
  }
}

/** First place from `at` on where a frame's network header is a multiple of 4. */
const alignFrame = (at: number): number => ((at + 14 + 3) & ~3) - 14;
