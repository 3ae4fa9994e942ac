/** Asks Open vSwitch's own `ofproto/trace` about visits to br0, and reads what it says. */
import { formatIpv4, parseIpv4 } from '../../src/addr/ipv4.js';
import { OFPORT } from '../../src/tables/flows.js';
import {
  ctWords,
  type FlowQuestion,
  type MatchedRule,
  type Passage,
  sortedMatch,
  tunnelText,
} from './flow-questions.js';
import type { Plan } from './plan.js';
import type { Witness } from './witness.js';

/** Questions that one line to the agent carries. */
const AT_ONCE = 100;

/** The switch's answers, in the order of the questions. The packet goes in as bytes, so that its own parser reads it. */
export async function askSwitch(
  witness: Witness,
  plan: Plan,
  questions: readonly FlowQuestion[],
): Promise<Passage[]> {
  const answers: Passage[] = new Array(questions.length);
  for (const node of plan.nodes) {
    const own = questions
      .map((question, i) => ({ question, i }))
      .filter(({ question }) => question.node === node.name);
    for (let first = 0; first < own.length; first += AT_ONCE) {
      const some = own.slice(first, first + AT_ONCE);
      const commands = some.map(({ question }) => commandFor(question, node.address));
      const texts = await witness.appctl(node.space, commands);
      some.forEach(({ i }, at) => {
        answers[i] = readTrace(texts[at]!);
      });
    }
  }
  return answers;
}

/** `ovs-appctl ofproto/trace …` as a list of words. */
function commandFor(question: FlowQuestion, ownAddress: string): string[] {
  const { inPort, tunId, tunSrc, ctState, ctNext, frame } = question;
  const metadata = [`in_port=${inPort}`];
  if (inPort === OFPORT.VXLAN0)
    metadata.push(`tun_id=${tunId}`, `tun_src=${formatIpv4(tunSrc)}`, `tun_dst=${ownAddress.split('/')[0]}`);
  if (ctState !== 0) metadata.push(`ct_state=${ctWords(ctState).replaceAll(',', '|')}`);
  return [
    'ofproto/trace',
    ...ctNext.flatMap((bits) => ['--ct-next', ctWords(bits)]),
    'br0',
    metadata.join(','),
    Buffer.from(frame).toString('hex'),
  ];
}

const RULE = /^ *(\d+)\. (?:(.*), )?priority (\d+)(?:, cookie 0x[0-9a-f]+)?$/;

/** Read the text of one trace.
 *  @throws Error when it is an error message. */
export function readTrace(text: string): Passage {
  if (!text.startsWith('Flow: ')) throw new Error(`ofproto/trace: ${text}`);
  const rules: MatchedRule[] = [];
  const registers = [0, 0, 0];
  const outputs: string[] = [];
  let [tunId, tunDst] = [0, 0];
  let isBr0 = false;
  for (const line of text.split('\n')) {
    if (line.startsWith('bridge(')) isBr0 = line === 'bridge("br0")';
    else if (isBr0) readLine(line);
  }
  return { rules, registers, outputs };

  function readLine(line: string): void {
    const rule = RULE.exec(line);
    if (rule !== null)
      rules.push({ table: Number(rule[1]), priority: Number(rule[3]), match: sortedMatch(rule[2] ?? '') });
    const loaded = /^ *load:(0x[0-9a-f]+|0)->NXM_NX_REG(\d)\[\]$/.exec(line);
    if (loaded !== null) registers[Number(loaded[2])] = Number(loaded[1]);
    const moved = /-> NXM_NX_(?:REG(\d)|TUN_ID)\[.*\] is now (\S+)$/.exec(line);
    if (moved !== null && moved[1] !== undefined) registers[Number(moved[1])] = Number(moved[2]);
    else if (moved !== null) tunId = Number(moved[2]);
    const end = /^ *set_field:([\d.]+)->tun_dst$/.exec(line);
    if (end !== null) tunDst = parseIpv4(end[1]!);
    const netId = /^ *load:(\S+)->NXM_NX_TUN_ID\[.*\]$/.exec(line);
    if (netId !== null) tunId = Number(netId[1]);
    const out = /^ *output:(\d+)$/.exec(line) ?? /-> output port is (\d+)$/.exec(line);
    if (out !== null) outputs.push(Number(out[1]) === OFPORT.VXLAN0 ? tunnelText(tunId, tunDst) : out[1]!);
    if (/skipping output to input port/.test(line)) outputs.pop();
  }
}
