/** Remembers the hops of a batch, with the frame as it was at each; only there when somebody asked for explanations. */
import type { HopSink, Walk } from '../stages/walk.js';

export interface LoggedHop {
  readonly stage: number;
  /** br0's table and rule, or -1 each for the arrival at a stage. */
  readonly table: number;
  readonly rule: number;
  readonly node: number;
  readonly nowNs: number;
  readonly bytes: Uint8Array;
  /** br0's flow key, fields as tables/flows.ts numbers them; the last one there was, outside br0. */
  readonly key: Int32Array;
  /** NetID and tunnel end that br0 has set, or that the packet came with. */
  readonly tunId: number;
  readonly tunDst: number;
}

export interface LoggedPacket {
  readonly packet: number;
  readonly parent: number;
  /** Input row, or -1 for what a timer caused. */
  readonly origin: number;
  readonly hops: LoggedHop[];
  verdict: number;
  reason: number;
  exit: number;
  service: number;
  endpoint: number;
}

export class HopLog implements HopSink {
  packets: LoggedPacket[] = [];
  #current: LoggedHop[] = [];
  #stage = 0;

  clear(): void {
    this.packets = [];
  }

  /** A packet begins at `stage`, which its end shows when it meets no other. */
  begin(packet: number, parent: number, origin: number, stage: number): void {
    this.#stage = stage;
    this.#current = [];
    this.packets.push({
      packet,
      parent,
      origin,
      hops: this.#current,
      verdict: 0,
      reason: 0,
      exit: -1,
      service: -1,
      endpoint: -1,
    });
  }

  stage(walk: Walk, stage: number): void {
    this.#stage = stage;
    this.#add(walk, -1, -1);
  }

  rule(walk: Walk, table: number, rule: number): void {
    this.#add(walk, table, rule);
  }

  copy(walk: Walk, table: number, rule: number): void {
    this.#add(walk, table, rule);
  }

  end(walk: Walk): void {
    const last = this.packets.at(-1)!;
    last.verdict = walk.verdict;
    last.reason = walk.reason;
    last.exit = walk.exit;
    last.service = walk.service;
    last.endpoint = walk.endpoint;
    this.#add(walk, -1, -1);
  }

  #add(walk: Walk, table: number, rule: number): void {
    this.#current.push({
      stage: this.#stage,
      table,
      rule,
      node: walk.node,
      nowNs: walk.nowNs,
      bytes: walk.bytes.slice(walk.at, walk.end),
      key: walk.key.slice(),
      tunId: walk.tunId,
      tunDst: walk.tunDst,
    });
  }
}
