/** Batches: columns over one arena that the caller owns, in and out of the engine. */

/** Bytes that an input packet needs in front of it for the tunnel header to be written in place. */
export const HEADROOM = 64;
/** The largest frame the engine takes: a full IPv4 packet and its Ethernet header. */
export const FRAME_MAX = 65_535 + 14;
/** Output rows that one input packet may need, besides a row for each fragment of its datagram: itself, what it causes,
 *  what timers fire before it. */
export const ROWS_PER_PACKET = 8;
/** An output of so many rows has room for any packet. */
export const ROWS_MAX = 1536;

/** The bytes of a batch. `used` is the end of what holds packets; the engine writes generated packets from there on. */
export interface Arena {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  used: number;
}

/** Packets in. Row i is bytes[offset[i] .. offset[i]+length[i]), an Ethernet frame without FCS. */
export interface InputBatch {
  readonly arena: Arena;
  readonly offset: Uint32Array;
  readonly length: Uint32Array;
  /** Nanoseconds since the engine's epochNs. */
  readonly tsNs: Float64Array;
  /** Where the packet enters: a row of the port table. */
  readonly port: Int32Array;
  /** Endpoint row that a new Service connection of this packet shall take, or -1 for the rules' own choice. */
  readonly pick: Int32Array;
  /** The caller's own number for the packet: rows of the output say it as their root. */
  readonly sequence: Float64Array;
  /** Free bytes in front of each packet, at least; below HEADROOM the engine moves the packet. */
  headroom: number;
  count: number;
  /** First row not yet taken: process() moves it on and stops early when the output is full. */
  next: number;
}

/** Packets out, one row each: inputs, generated ones, copies. */
export interface OutputBatch {
  /** Input row at whose turn it came out: its own row for an input, unless that waited for others of its datagram; -1
   *  when a timer fired. */
  readonly origin: Int32Array;
  /** Number of the packet in the run, counted by the engine: an input's is its order of arrival, from 0. */
  readonly packet: Float64Array;
  /** Number of the packet that a generated one answers, or that a copy is of; -1 for inputs. */
  readonly parent: Float64Array;
  /** The caller's number (`sequence`) of the input that it is, or that caused it. */
  readonly root: Float64Array;
  readonly verdict: Uint8Array;
  readonly reason: Uint16Array;
  /** Port where it ended: a row of the port table, or -1. */
  readonly exit: Int32Array;
  readonly offset: Uint32Array;
  readonly length: Uint32Array;
  readonly tsNs: Float64Array;
  /** Endpoint row of the Service connection it belongs to, or -1. */
  readonly endpoint: Int32Array;
  /** Service row of that connection, or -1. */
  readonly service: Int32Array;
  readonly capacity: number;
  count: number;
}

export function createArena(size: number, shared = false): Arena {
  const buffer = shared ? new SharedArrayBuffer(size) : new ArrayBuffer(size);
  return { bytes: new Uint8Array(buffer), view: new DataView(buffer), used: 0 };
}

export function createInput(arena: Arena, capacity: number): InputBatch {
  return {
    arena,
    offset: new Uint32Array(capacity),
    length: new Uint32Array(capacity),
    tsNs: new Float64Array(capacity),
    port: new Int32Array(capacity),
    pick: new Int32Array(capacity).fill(-1),
    sequence: new Float64Array(capacity),
    headroom: HEADROOM,
    count: 0,
    next: 0,
  };
}

export function createOutput(capacity: number): OutputBatch {
  return {
    origin: new Int32Array(capacity),
    packet: new Float64Array(capacity),
    parent: new Float64Array(capacity),
    root: new Float64Array(capacity),
    verdict: new Uint8Array(capacity),
    reason: new Uint16Array(capacity),
    exit: new Int32Array(capacity),
    offset: new Uint32Array(capacity),
    length: new Uint32Array(capacity),
    tsNs: new Float64Array(capacity),
    endpoint: new Int32Array(capacity),
    service: new Int32Array(capacity),
    capacity,
    count: 0,
  };
}
