/** Cuts podplane's walks into visits to br0: what came in, which rules it met, what it left with. */
import type { Hop, PacketTrace } from '../../src/engine/explain.js';
import { CT, OFPORT } from '../../src/tables/flows.js';
import type { Plan } from './plan.js';

/** A rule that matched, as both sides can say it. */
export interface MatchedRule {
  readonly table: number;
  readonly priority: number;
  /** The match's parts, sorted. */
  readonly match: string;
}

/** What became of a visit. */
export interface Passage {
  readonly rules: readonly MatchedRule[];
  readonly registers: readonly number[];
  /** NetID and outer destination where it leaves by the tunnel, else 0. */
  readonly tunId: number;
  readonly tunDst: number;
  /** Port number of br0, or -1 where it is dropped. */
  readonly output: number;
}

/** One visit as a question for `ofproto/trace`. */
export interface FlowQuestion {
  readonly node: string;
  readonly frame: Uint8Array;
  readonly inPort: number;
  /** NetID and outer source of a frame from the tunnel. */
  readonly tunId: number;
  readonly tunSrc: number;
  /** Bits of CT that it came with, and those that each ct() action gave it. */
  readonly ctState: number;
  readonly ctNext: readonly number[];
  readonly expected: Passage;
  /** The switch's own answer cannot go on behind this many rules, since ofproto/trace translates nothing; -1: it can. */
  readonly comparable: number;
}

const NOWHERE = -1;

/** The visits of one walk, in order. */
export function questionsOf(trace: PacketTrace, plan: Plan): FlowQuestion[] {
  const found: FlowQuestion[] = [];
  const { hops } = trace;
  for (let at = 0; at < hops.length; at++) {
    if (hops[at]!.stage !== 'bridge' || hops[at]!.rule !== undefined) continue;
    let end = at + 1;
    while (end < hops.length && hops[end]!.rule !== undefined) end++;
    if (end > at + 1) found.push(questionOf(hops.slice(at, end), hops[end]!, trace.exit, plan));
    // The end of a walk that stops in br0 is logged there once more.
    at = hops[end]?.stage === 'bridge' ? end : end - 1;
  }
  return found;
}

function questionOf(visit: readonly Hop[], after: Hop, exit: string, plan: Plan): FlowQuestion {
  const [arrival, ...ruled] = visit as [Hop, ...Hop[]];
  const first = ruled[0]!;
  const cut = isCutShort(arrival.bytes)
    ? 0
    : ruled.findIndex((hop, i) => stopsJudge(hop, ruled[i + 1] ?? after));
  const output = outputOf(ruled, after, exit, plan);
  const isTunnel = output === OFPORT.VXLAN0;
  return {
    node: arrival.node,
    frame: arrival.bytes,
    inPort: first.flow.inPort,
    tunId: first.flow.inPort === OFPORT.VXLAN0 ? first.flow.tunId : 0,
    tunSrc: first.flow.inPort === OFPORT.VXLAN0 ? first.flow.tunSrc : 0,
    ctState: first.flow.ctState,
    ctNext: ruled.flatMap((hop, i) =>
      isTracked(hop) && ruled[i + 1] !== undefined ? [ruled[i + 1]!.flow.ctState] : [],
    ),
    expected: {
      rules: ruled.map(({ table, rule }) => ({
        table: table!,
        priority: rule!.priority,
        match: sortedMatch(rule!.match),
      })),
      registers: after.flow.registers.map((value) => value >>> 0),
      tunId: isTunnel ? after.flow.tunId : 0,
      tunDst: isTunnel ? after.flow.tunDst : 0,
      output,
    },
    comparable: cut < 0 ? NOWHERE : cut + 1,
  };
}

const isTracked = (hop: Hop): boolean => hop.rule!.actions.includes('ct(');

/** Behind this rule the two have different packets: conntrack translated it, put fragments together or dropped it. */
function stopsJudge(hop: Hop, next: Hop): boolean {
  if (!isTracked(hop)) return false;
  if (next.rule === undefined || isFragment(hop.bytes)) return true;
  return Buffer.compare(hop.bytes.subarray(0, 38), next.bytes.subarray(0, 38)) !== 0;
}

const isFragment = (frame: Uint8Array): boolean =>
  frame[12] === 8 && frame[13] === 0 && frame.length >= 34 && ((frame[20]! & 0x3f) | frame[21]!) !== 0;

/** Longer by its header than it is: ovs-vswitchd then reads no addresses, the kernel's datapath does (docs/fidelity.md). */
const isCutShort = (frame: Uint8Array): boolean =>
  frame[12] === 8 &&
  frame[13] === 0 &&
  frame.length >= 34 &&
  ((frame[16]! << 8) | frame[17]!) > frame.length - 14;

/** Where the visit led, by the stage behind it. */
function outputOf(ruled: readonly Hop[], after: Hop, exit: string, plan: Plan): number {
  switch (after.stage) {
    case 'vxlan-output':
      return OFPORT.VXLAN0;
    case 'tun0-input':
      return OFPORT.TUN0;
    case 'pod-input': {
      // A pod whose stack refused the packet is no exit: then the rule that chose it tells.
      const name = exit === '' ? ruled.findLast(isChoice)?.rule?.object.replace(/^Pod /, '') : exit.slice(4);
      return plan.pods.find((pod) => pod.name === name)?.ofport ?? -1;
    }
    default:
      return -1;
  }
}

const isChoice = ({ table }: Hop): boolean => table === 70 || table === 40;

/** A match with its parts in one order; the two sides write some of them differently. */
export const sortedMatch = (match: string): string => match.split(',').filter(Boolean).sort().join(',');

const CT_WORDS: readonly (readonly [number, string])[] = [
  [CT.NEW, 'new'],
  [CT.EST, 'est'],
  [CT.REL, 'rel'],
  [CT.RPL, 'rpl'],
  [CT.INV, 'inv'],
  [CT.TRK, 'trk'],
];

/** Bits in the words of --ct-next. */
export const ctWords = (bits: number): string =>
  CT_WORDS.filter(([bit]) => (bits & bit) !== 0)
    .map(([, word]) => word)
    .join(',');
