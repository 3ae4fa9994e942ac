/** Traces as text: a line a step in columns: node, device, step, what happened there. */
import { REASONS } from '../../verdict/reasons.js';
import type { Colour, Paint } from './colour.js';
import type { HopReport, TraceReport } from './trace-report.js';

const VERDICT_COLOURS: Readonly<Record<string, Colour>> = {
  delivered: 'green',
  left: 'green',
  answered: 'green',
  rejected: 'red',
  dropped: 'red',
};
/** A longer match or action list pushes its line's next column out instead of widening all. */
const MATCH_WIDTH_MAX = 56;
const ACTIONS_WIDTH_MAX = 48;

/** One packet: what it is, its hops, its end. */
export function traceText(trace: TraceReport, title: string, paint: Paint): string {
  const head = `${paint('bold', trace.what)}  ${trace.src} > ${trace.dst}  ${paint('dim', title)}`;
  return `${[head, ...hopLines(trace, paint), endLine(trace, paint)].join('\n')}\n`;
}

/** `step` and `rule` are padded into columns; `text` goes as it is. */
interface Line {
  readonly node: string;
  readonly device: string;
  readonly step: string;
  readonly rule?: HopReport['rule'];
  readonly text: string;
}

function hopLines(trace: TraceReport, paint: Paint): string[] {
  const lines = trace.hops.flatMap((hop, i) => linesOf(trace, hop, i, paint));
  const widest = (of: (line: Line) => string, max = 80): number =>
    Math.max(0, ...lines.map((line) => of(line).length).filter((length) => length <= max));
  const node = widest((line) => line.node);
  const device = widest((line) => line.device);
  const step = widest((line) => line.step);
  const match = widest((line) => matchText(line.rule), MATCH_WIDTH_MAX);
  const actions = widest((line) => actionsText(line.rule), ACTIONS_WIDTH_MAX);
  const ruleColumns = ({ rule }: Line): string =>
    rule === undefined
      ? ''
      : [
          String(rule.priority).padStart(4),
          matchText(rule).padEnd(match),
          paint('dim', actionsText(rule).padEnd(actions)),
          paint('cyan', rule.object),
        ].join('  ');
  return lines.map((line, i) => {
    const isSameNode = lines[i - 1]?.node === line.node;
    const isSameDevice = isSameNode && lines[i - 1]?.device === line.device;
    return [
      '',
      paint('magenta', (isSameNode ? '' : line.node).padEnd(node)),
      paint('bold', (isSameDevice ? '' : line.device).padEnd(device)),
      line.step.padEnd(step),
      line.rule === undefined ? line.text : ruleColumns(line),
    ]
      .join('  ')
      .trimEnd();
  });
}

/** A hop's own line, then a line for each further thing that it changed. */
function linesOf(trace: TraceReport, hop: HopReport, i: number, paint: Paint): Line[] {
  const place = { node: hop.node, device: hop.device };
  const changes = hop.rewrites.map((rewrite) => {
    const service =
      rewrite.kind === 'DNAT' && trace.service !== null
        ? `  ${paint('cyan', `Service ${trace.service}`)}`
        : '';
    const arrow = rewrite.before === '' || rewrite.after === '' ? '' : ' → ';
    const isResized = rewrite.kind === 'VXLAN' || rewrite.kind === 'decap';
    const size = isResized ? `  ${(trace.hops[i + 1] ?? trace.end).length} bytes` : '';
    return `${paint('yellow', rewrite.kind)}  ${rewrite.before}${arrow}${rewrite.after}${size}${service}`;
  });
  if (hop.table !== undefined) {
    const step = `table ${String(hop.table).padStart(3)}`;
    const own: Line = { ...place, step, text: '', ...(hop.rule === undefined ? {} : { rule: hop.rule }) };
    return [own, ...changes.map((text) => ({ ...place, step: '', text }))];
  }
  // Arrival at br0 says nothing that its tables do not say; it is told only where no table was looked at.
  if (hop.device === 'br0' && trace.hops[i + 1]?.table !== undefined) return [];
  const facts = i === 0 ? sizeText(hop.ttl, hop.length) : '';
  const [first = facts, ...others] = changes;
  return [
    { ...place, step: hop.stage, text: first },
    ...others.map((text) => ({ ...place, step: '', text })),
  ];
}

/** OpenFlow's names without Nicira's dress: the columns stay narrow, and nothing is lost. */
const plainNames = (text: string): string =>
  text.replace(/NXM_NX_(REG\d|TUN_ID)\[[^\]]*\]/g, (_, name: string) => name.toLowerCase());

const matchText = (rule: HopReport['rule']): string =>
  rule === undefined ? '' : rule.match === '' ? 'any' : plainNames(rule.match);

const actionsText = (rule: HopReport['rule']): string =>
  rule === undefined ? '' : plainNames(rule.actions).replaceAll(',', ', ').replaceAll(', table=', ',table=');

const sizeText = (ttl: number | null, length: number): string =>
  [ttl === null ? '' : `ttl ${ttl}`, `${length} bytes`].filter((text) => text !== '').join('  ');

function endLine(trace: TraceReport, paint: Paint): string {
  const { end } = trace;
  const colour = VERDICT_COLOURS[trace.verdict] ?? 'yellow';
  const mark = colour === 'green' ? '✔' : colour === 'red' ? '✘' : '…';
  const place = trace.exit === null ? '' : ` at ${trace.exit}`;
  const reason = REASONS.find(({ name }) => name === trace.reason);
  const why =
    reason === undefined
      ? ''
      : `\n    ${reason.name}: ${reason.sentence} ${paint('dim', `(${reason.layer})`)}`;
  const afterMs = end.afterNs / 1e6;
  const after = afterMs >= 100 ? `  after ${afterMs / 1000} s` : '';
  const packet = end.src === '' ? '' : `  ${end.src} > ${end.dst}`;
  const verdict = paint(colour, `${mark} ${trace.verdict}${place}`);
  return `  ${verdict}${packet}  ${sizeText(end.ttl, end.length)}${after}${why}${policiesText(trace, paint)}`;
}

/** Which policies decided: who isolates and what would have been allowed, or the quirks but for which it were denied. */
function policiesText({ allowedBy = [], denial }: TraceReport, paint: Paint): string {
  const lines = allowedBy
    .filter(({ quirk }) => quirk !== '')
    .map(({ rule, quirk }) => `let through by ${paint('cyan', rule)} for a quirk alone: ${quirk}`);
  if (denial !== undefined) {
    lines.push(`isolated by ${paint('cyan', denial.isolatedBy.join(', '))}`);
    if (denial.nearest === null) lines.push('no rule of them allows anything');
    else
      lines.push(`nearest: ${paint('cyan', denial.nearest.rule)}, but ${denial.nearest.misses.join('; ')}`);
  }
  return lines.map((line) => `\n    ${line}`).join('');
}
