/** The text of `podplane resolve`: resolv.conf, each query with its way and its answer, then the connection. */
import { formatResolvConf } from '../../resolver/resolv-conf.js';
import type { ExchangeReport } from '../dns-exchange.js';
import type { ResolveReport } from '../resolve.js';
import type { Paint } from './colour.js';
import type { TraceReport } from './trace-report.js';
import { traceText } from './trace-text.js';

export function resolveText(report: ResolveReport, paint: Paint): string {
  const conf = formatResolvConf(report.resolvConf).trimEnd().split('\n').join(', ');
  const parts = [
    `${paint('bold', report.name)} asked for by ${report.from}  ${paint('dim', conf)}`,
    ...report.queries.map((query, i) => queryText(query, i + 1, paint)),
    resultText(report, paint),
  ];
  if (report.connection !== undefined) {
    parts.push('', traceText(report.connection, `connects to ${report.resolved}`, paint));
    for (const caused of report.connection.caused) parts.push(traceText(caused, 'caused by it', paint));
  }
  return `${parts.join('\n').trimEnd()}\n`;
}

function queryText(exchange: ExchangeReport, number: number, paint: Paint): string {
  const { query, reply } = exchange;
  const again = exchange.attempt > 1 ? ` (attempt ${exchange.attempt})` : '';
  const lines = [
    `${String(number).padStart(3)}  ${paint('bold', `${exchange.name} ${exchange.type}?`)}${again}  ${answerText(exchange, paint)}`,
    `     ${paint('dim', 'query')}  ${wayText(query)}`,
  ];
  if (reply !== null) lines.push(`     ${paint('dim', 'reply')}  ${wayText(reply)}`);
  return lines.join('\n');
}

function answerText(exchange: ExchangeReport, paint: Paint): string {
  const { rcode, addresses, alias, query } = exchange;
  if (rcode === null) {
    const why = query.reason === null ? query.verdict : `${query.verdict}: ${query.reason}`;
    return paint('red', `no answer (${why})`);
  }
  if (addresses.length > 0) return paint('green', `${addresses.join(', ')}  ttl ${exchange.ttl}`);
  if (alias !== null) return paint('yellow', `alias of ${alias}`);
  return paint('yellow', rcode === 'NOERROR' ? 'no data' : rcode);
}

/** Ends and devices: `10.128.0.2:32768 > 172.30.0.10:53 → 10.128.0.4:5353  node1: eth0 br0 tun0 …`. */
function wayText(trace: TraceReport): string {
  const places: string[] = [];
  let node = '';
  let device = '';
  for (const hop of trace.hops) {
    if (hop.node === node && hop.device === device) continue;
    places.push(hop.node === node ? hop.device : `${hop.node}: ${hop.device}`);
    node = hop.node;
    device = hop.device;
  }
  const rewritten = [
    trace.snat === null ? '' : ` as ${trace.snat}`,
    trace.dnat === null ? '' : ` → ${trace.dnat}`,
  ];
  return `${trace.src}${rewritten[0]} > ${trace.dst}${rewritten[1]}  ${places.join(' ')}`;
}

function resultText(report: ResolveReport, paint: Paint): string {
  if (report.error !== null)
    return `  ${paint('red', `✘ ${report.error}`)}: ${ERROR_TEXTS[report.error] ?? ''}`;
  return `  ${paint('green', `✔ ${report.resolved}`)}  ${report.addresses.join(', ')}`;
}

const ERROR_TEXTS: Readonly<Record<string, string>> = {
  NoName: 'no candidate exists',
  NoData: 'the name exists and has no address',
  Again: 'no server gave an answer',
  Fail: 'the server refused for good',
};
