/** br0 puts a multicast frame out of several ports: the packet in hand takes the first, its copies the others, one by one.
 *  Source: Open vSwitch ofproto-dpif-xlate.c (each output works on the frame as it is then, and never on in_port). */
import type { Copies } from '../tables/copies.js';
import type { Tables } from '../tables/epoch.js';
import { classify, FLOW_KEY_SIZE, Op } from '../tables/flows.js';
import { findTransport } from './transport.js';
import type { Walk } from './walk.js';

/** Keep what the rule's other actions, from row `action` on, need. False when there is no room for it. */
export function keepCopies(w: Walk, rule: number, action: number): boolean {
  const { copies } = w;
  const level = copies.push(w.bytes, w.at, w.end, w.key);
  if (level < 0) return false;
  copies.tsNs[level] = w.nowNs;
  copies.root[level] = w.root;
  copies.mru[level] = w.mru;
  copies.node[level] = w.node;
  copies.ofport[level] = w.ofport;
  copies.tunId[level] = w.tunId;
  copies.etherType[level] = w.etherType;
  copies.rule[level] = rule;
  copies.action[level] = action;
  return true;
}

/** Is there another port to put the frame of `level` out of? Then its action is the next one. */
export function findOutput(tables: Tables, copies: Copies, level: number, key: Int32Array): boolean {
  const { rule, action } = tables.flows;
  const own = tables.nodes.address[copies.node[level]!]!;
  for (let at = copies.action[level]!; ; at++) {
    const arg = action.arg[at]!;
    switch (action.op[at]) {
      case Op.OutputCopy:
        if (arg === copies.ofport[level]) break;
        copies.action[level] = at;
        return true;
      case Op.TunnelCopy:
        if (arg === own) break;
        copies.action[level] = at;
        return true;
      case Op.Goto: {
        for (let i = 0; i < FLOW_KEY_SIZE; i++) key[i] = copies.key[level * FLOW_KEY_SIZE + i]!;
        const row = classify(tables.flows, arg, key);
        copies.rule[level] = row;
        at = rule.actionFirst[row]! - 1;
        break;
      }
      default:
        return false;
    }
  }
}

/** Take a copy of the frame of `level` in hand: the rest of its walk begins in br0, at the action that findOutput found. */
export function beginCopy(w: Walk, level: number): void {
  const { copies } = w;
  const length = copies.length[level]!;
  const at = w.allocate(length);
  w.begin(at, at + length, copies.tsNs[level]!);
  copies.take(level, w.bytes, at, w.key);
  w.node = copies.node[level]!;
  w.ofport = copies.ofport[level]!;
  w.tunId = copies.tunId[level]!;
  w.etherType = copies.etherType[level]!;
  w.mru = copies.mru[level]!;
  if (w.mru > 0) findTransport(w);
  w.isRecordable = false;
  w.isCopy = true;
}
