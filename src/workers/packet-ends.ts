/** What each packet looks like where it ended: noted by the worker that carried it, so that whoever compares it with what a
 *  capture shows need not read its bytes again.
 *
 *  src dst ports u32 (source << 16 | destination), ttl u8, digest0 digest1 i32 as PacketView has them; a row for each output
 *  row, filled for those of the trace's own packets */

import type { OutputBatch } from '../packet/batch.js';
import { FrameType, PacketView } from '../packet/packet-view.js';

export interface EndColumns {
  readonly src: Uint32Array;
  readonly dst: Uint32Array;
  readonly ports: Uint32Array;
  readonly ttl: Uint8Array;
  readonly digest0: Int32Array;
  readonly digest1: Int32Array;
}

/** Columns in shared memory. */
export function createEndColumns(rows: number): EndColumns {
  const shared = (size: number): SharedArrayBuffer => new SharedArrayBuffer(rows * size);
  return {
    src: new Uint32Array(shared(4)),
    dst: new Uint32Array(shared(4)),
    ports: new Uint32Array(shared(4)),
    ttl: new Uint8Array(shared(1)),
    digest0: new Int32Array(shared(4)),
    digest1: new Int32Array(shared(4)),
  };
}

/** The first `count` rows, in memory of their own. */
export function copyEndColumns(from: EndColumns, count: number): EndColumns {
  const to = createEndColumns(count);
  for (const name of NAMES) to[name].set(from[name].subarray(0, count));
  return to;
}

const NAMES = ['src', 'dst', 'ports', 'ttl', 'digest0', 'digest1'] as const;

export class PacketEnds {
  readonly #view = new PacketView();
  #vxlanPort: number;

  constructor(vxlanPort: number) {
    this.#vxlanPort = vxlanPort;
  }

  /** The UDP port of tunnels is another from now on. */
  use(vxlanPort: number): void {
    this.#vxlanPort = vxlanPort;
  }

  /** Note output rows [from, output.count); `p` is their arena's. */
  note(output: OutputBatch, from: number, p: DataView, to: EndColumns): void {
    const view = this.#view;
    for (let i = from; i < output.count; i++) {
      if (output.parent[i] !== -1) continue;
      view.read(p, output.offset[i]!, output.length[i]!, this.#vxlanPort);
      view.digest(p);
      to.src[i] = view.src;
      to.dst[i] = view.dst;
      to.ports[i] = (view.sport << 16) | view.dport;
      to.ttl[i] = view.ttl;
      to.digest0[i] = view.digest0;
      to.digest1[i] = view.type === FrameType.IPV4 ? view.digest1 : 0;
    }
  }
}
