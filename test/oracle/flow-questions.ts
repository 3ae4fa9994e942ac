/** Cuts podplane's walks into visits to br0: what came in, which rules it met, what it left with. */
import { formatIpv4 } from '../../src/addr/ipv4.js';
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
  /** Where it left, in order: `3`, or `1 vni 1001 to 192.168.1.102`. None where it is dropped. */
  readonly outputs: readonly string[];
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
/** An output to a pod that the walk does not name. */
export const UNKNOWN_POD = 'unknown pod';

/** The visits of all walks that one packet caused. A copy of a multicast packet goes on in the visit that made it. */
export function questionsOf(traces: readonly PacketTrace[], plan: Plan): FlowQuestion[] {
  const found: { readonly packet: number; readonly question: FlowQuestion; readonly outputs: string[] }[] =
    [];
  for (const trace of traces)
    for (const { visit, after } of visitsOf(trace)) {
      const output = outputOf(visit, after, trace.exit, plan);
      const origin = isCopy(trace, visit)
        ? found.findLast(({ packet, question }) => packet === trace.parent && question.node === after.node)
        : undefined;
      if (origin !== undefined) origin.outputs.push(...output);
      else {
        const outputs = [...output];
        found.push({ packet: trace.packet, question: questionOf(visit, after, outputs), outputs });
      }
    }
  return found.map(({ question }) => question);
}

interface Visit {
  /** The arrival, then a hop for each rule. */
  readonly visit: readonly [Hop, Hop, ...Hop[]];
  readonly after: Hop;
}

function visitsOf({ hops }: PacketTrace): Visit[] {
  const found: Visit[] = [];
  for (let at = 0; at < hops.length; at++) {
    if (hops[at]!.stage !== 'bridge' || hops[at]!.rule !== undefined) continue;
    let end = at + 1;
    while (end < hops.length && hops[end]!.rule !== undefined) end++;
    const [arrival, first, ...others] = hops.slice(at, end) as [Hop, Hop?, ...Hop[]];
    if (first !== undefined) found.push({ visit: [arrival, first, ...others], after: hops[end]! });
    // The end of a walk that stops in br0 is logged there once more.
    at = hops[end]?.stage === 'bridge' ? end : end - 1;
  }
  return found;
}

/** Does the visit go on with the actions of a rule, instead of beginning in table 0? */
const isCopy = ({ parent, hops }: PacketTrace, [arrival, first]: Visit['visit']): boolean =>
  parent >= 0 && arrival === hops[0] && first.table !== 0;

function questionOf(visit: Visit['visit'], after: Hop, outputs: readonly string[]): FlowQuestion {
  const [arrival, ...ruled] = visit;
  const { flow } = ruled[0]!;
  const isFromTunnel = flow.inPort === OFPORT.VXLAN0;
  const cut = isCutShort(arrival.bytes)
    ? 0
    : ruled.findIndex((hop, i) => stopsJudge(hop, ruled[i + 1] ?? after));
  return {
    node: arrival.node,
    frame: arrival.bytes,
    inPort: flow.inPort,
    tunId: isFromTunnel ? flow.tunId : 0,
    tunSrc: isFromTunnel ? flow.tunSrc : 0,
    ctState: flow.ctState,
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
      outputs,
    },
    comparable: cut < 0 ? NOWHERE : cut + 1,
  };
}

const isTracked = (hop: Hop): boolean => hop.rule!.actions.includes('ct(');

/** Behind this rule the two have different packets: conntrack translated it, put fragments together or dropped it. Or the
 *  trace ends, where a group has the datapath compute a hash. */
function stopsJudge(hop: Hop, next: Hop): boolean {
  if (hop.rule!.actions.includes('group:')) return true;
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

/** Where the visit led, by the stage behind it; none, or one. */
function outputOf(visit: readonly Hop[], after: Hop, exit: string, plan: Plan): string[] {
  switch (after.stage) {
    case 'vxlan-output':
      return [tunnelText(after.flow.tunId, after.flow.tunDst)];
    case 'tun0-input':
      return [`${OFPORT.TUN0}`];
    case 'pod-input': {
      // A pod whose stack refused the packet is no exit: then the rule that chose it tells.
      const name = exit === '' ? visit.findLast(isChoice)?.rule?.object.replace(/^Pod /, '') : exit.slice(4);
      return [`${plan.pods.find((pod) => pod.name === name)?.ofport ?? UNKNOWN_POD}`];
    }
    default:
      return [];
  }
}

/** An output into the tunnel. */
export const tunnelText = (tunId: number, tunDst: number): string =>
  `${OFPORT.VXLAN0} vni ${tunId} to ${formatIpv4(tunDst)}`;

const isChoice = ({ table }: Hop): boolean => table === 70 || table === 40;

/** A match with its parts in one order; the two sides write some of them differently. */
export const sortedMatch = (match: string): string =>
  match
    .replaceAll(/\{[^}]*\}/g, MANY)
    .split(',')
    .filter(Boolean)
    .sort()
    .join(',');

/** What podplane shows of a policy's rule where the switch has a flow for each of many pods or blocks. */
export const MANY = '{}';

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
