/** A conversation's trace as text: a line a step, in columns, with what each step changed below it. */
import { REASONS } from '../../verdict/reasons.js';
import type { ConversationReport } from '../trace.js';
import type { Colour, Paint } from './colour.js';
import type { HopReport, TraceReport } from './trace-report.js';

const VERDICT_COLOURS: Readonly<Record<string, Colour>> = {
  delivered: 'green',
  left: 'green',
  answered: 'green',
  rejected: 'red',
  dropped: 'red',
};

/** The whole conversation: the packet, what it caused, the answer. */
export function traceText(report: ConversationReport, paint: Paint): string {
  const parts = [packetText(report, `${report.from} → ${report.to}`, paint)];
  for (const caused of report.caused) parts.push(packetText(caused, 'caused by it', paint));
  if (report.noReply !== undefined) parts.push(`${paint('dim', `no reply is sent: ${report.noReply}`)}\n`);
  if (report.reply !== undefined) {
    parts.push(packetText(report.reply, 'the reply', paint));
    for (const caused of report.reply.caused) parts.push(packetText(caused, 'caused by the reply', paint));
  }
  return parts.join('\n');
}

function packetText(trace: TraceReport, title: string, paint: Paint): string {
  const head = `${paint('bold', trace.what)}  ${trace.src} > ${trace.dst}  ${paint('dim', title)}`;
  return `${[head, ...hopLines(trace.hops, paint), verdictLine(trace, paint)].join('\n')}\n`;
}

interface Line {
  readonly node: string;
  readonly device: string;
  readonly step: string;
  readonly text: string;
}

function hopLines(hops: readonly HopReport[], paint: Paint): string[] {
  const lines = hops.flatMap((hop, i) => linesOf(hop, hops[i - 1], hops[i + 1], paint));
  const width = (of: (line: Line) => string): number => Math.max(0, ...lines.map((line) => of(line).length));
  const node = width((line) => line.node);
  const device = width((line) => line.device);
  const step = width((line) => line.step);
  return lines.map((line, i) => {
    const before = lines[i - 1];
    const isSameNode = before?.node === line.node;
    const isSameDevice = isSameNode && before?.device === line.device;
    return [
      '',
      paint('cyan', (isSameNode ? '' : line.node).padEnd(node)),
      paint('bold', (isSameDevice ? '' : line.device).padEnd(device)),
      line.step.padEnd(step),
      line.text,
    ]
      .join('  ')
      .trimEnd();
  });
}

function linesOf(
  hop: HopReport,
  before: HopReport | undefined,
  after: HopReport | undefined,
  paint: Paint,
): Line[] {
  const place = { node: hop.node, device: hop.device };
  const lines: Line[] = [
    hop.table === undefined
      ? { ...place, step: hop.stage, text: isSame(hop, before) ? '' : packetFacts(hop, before, paint) }
      : { ...place, step: `table ${hop.table}`, text: ruleText(hop, paint) },
  ];
  for (const [step, text] of after === undefined ? [] : changes(hop, after))
    lines.push({ ...place, step: '', text: `${paint('yellow', step)} ${text}` });
  return lines;
}

/** What the engine did to the packet between two hops. */
function changes(hop: HopReport, after: HopReport): [string, string][] {
  const found: [string, string][] = [];
  if (hop.dst !== after.dst) found.push(['DNAT', `${hop.dst} → ${after.dst}`]);
  if (hop.src !== after.src) found.push(['SNAT', `${hop.src} → ${after.src}`]);
  return found;
}

const isSame = (hop: HopReport, before: HopReport | undefined): boolean =>
  before !== undefined &&
  before.src === hop.src &&
  before.dst === hop.dst &&
  before.ttl === hop.ttl &&
  before.length === hop.length &&
  (before.tunnel === undefined) === (hop.tunnel === undefined);

function packetFacts(hop: HopReport, before: HopReport | undefined, paint: Paint): string {
  const size = `${hop.length} bytes`;
  const ttl = hop.ttl === null ? '' : `ttl ${hop.ttl}`;
  const facts = [`${hop.src} > ${hop.dst}`, ttl, size];
  if (hop.tunnel !== undefined && before?.tunnel === undefined) {
    const { src, dst, vni, ttl: outerTtl } = hop.tunnel;
    facts.unshift(paint('yellow', `VXLAN vni ${vni}  ${src} > ${dst} ttl ${outerTtl}`), '|');
  }
  return facts.filter((fact) => fact !== '').join('  ');
}

function ruleText(hop: HopReport, paint: Paint): string {
  const { rule } = hop;
  if (rule === undefined) return '';
  const object = rule.object === '' ? '' : `  ${paint('cyan', rule.object)}`;
  return `${String(rule.priority).padStart(3)}  ${rule.match === '' ? 'any' : rule.match} → ${rule.actions}${object}`;
}

function verdictLine(trace: TraceReport, paint: Paint): string {
  const reason = REASONS.find((one) => one.name === trace.reason && one.name !== 'none');
  const place = trace.exit === '' ? '' : ` at ${trace.exit}`;
  const endpoint = trace.endpoint === '' ? '' : ` (${trace.service} → ${trace.endpoint})`;
  const why =
    reason === undefined ? '' : `: ${reason.name}. ${reason.sentence} ${paint('dim', `[${reason.layer}]`)}`;
  const verdict = paint(VERDICT_COLOURS[trace.verdict] ?? 'yellow', trace.verdict);
  return `  ${verdict}${place}${endpoint}${why}`;
}
