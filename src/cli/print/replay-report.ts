/** The report of `podplane replay`: plain values for JSON, tables for people. */
import type { ChangeCounts } from '../../replay/changes.js';
import type { Count, NamedCount } from '../../replay/counts.js';
import type { ReplayResult } from '../../replay/replay.js';
import { REASONS } from '../../verdict/reasons.js';
import type { Paint } from './colour.js';
import { textTable } from './table.js';

export type ReplayReport = ReturnType<typeof replayReport>;

/** Everything that is known of a run. `fingerprint` and all counts but `pathCache` and `stages` depend on trace, cluster,
 *  seed, pick and lanes alone. */
export function replayReport(result: ReplayResult) {
  return {
    packets: result.packets,
    bytes: result.bytes,
    seconds: result.seconds,
    packetsPerSecond: result.packetsPerSecond,
    verdicts: packetsByName(result.verdicts),
    verdictBytes: bytesByName(result.verdicts),
    reasons: packetsByName(result.reasons),
    reasonBytes: bytesByName(result.reasons),
    services: result.services,
    nodePairs: result.nodePairs,
    connections: result.connections,
    connectionsLive: result.connectionsLive,
    pathCache: result.pathCache,
    quirks: result.quirks,
    ...(result.rules === null ? {} : { rules: result.rules.map(({ rank: _, ...rule }) => rule) }),
    ...(result.stages === null ? {} : { stages: result.stages }),
    observations: result.observations,
    differences: result.differences,
    readdressed: result.readdressed,
    translatedMacs: result.translatedMacs,
    interfaces: result.sources.map(({ file, facts }) => ({
      file,
      name: facts.name,
      linkType: facts.linkTypeName,
      packets: facts.packets,
      unsupported: facts.unsupported,
    })),
    fingerprint: result.fingerprint,
    ledger: { ...result.ledger, lost: result.lost, balanced: result.balanced },
    ...(result.changes === null ? {} : { changes: changesReport(result.changes) }),
    lanes: result.lanes,
    splitState: result.splitState,
    workers: result.workers,
    recovered: result.recovered,
    quarantined: result.quarantined,
    backend: result.backend,
  };
}

const changesReport = ({ taken, later, list }: ChangeCounts) => ({
  taken,
  later,
  list: list.map(({ name, unixNs, packet }) => ({ name, time: timeText(unixNs), packet })),
});

/** RFC 3339, to the nanosecond. */
function timeText(unixNs: bigint): string {
  const seconds = new Date(Number(unixNs / 1_000_000_000n) * 1000).toISOString().slice(0, 19);
  return `${seconds}.${(unixNs % 1_000_000_000n).toString().padStart(9, '0')}Z`;
}

const packetsByName = (counts: readonly NamedCount[]): Record<string, number> =>
  Object.fromEntries(counts.map(({ name, packets }) => [name, packets]));

const bytesByName = (counts: readonly NamedCount[]): Record<string, number> =>
  Object.fromEntries(counts.map(({ name, bytes }) => [name, bytes]));

/** The report as text. */
export function replayText(report: ReplayReport, paint: Paint): string {
  const sections = [
    verdictsText(report, paint),
    reasonsText(report, paint),
    quirksText(report, paint),
    servicesText(report, paint),
    pairsText(report, paint),
    stagesText(report, paint),
    interfacesText(report, paint),
    observationsText(report, paint),
    changesText(report, paint),
    runText(report, paint),
  ];
  return sections.filter((section) => section !== '').join('\n');
}

const right = 'right';
const number = (value: number): string => value.toLocaleString('en-US');
const columns = (count: Count): [string, string] => [number(count.packets), number(count.bytes)];

const verdictsText = (report: ReplayReport, paint: Paint): string =>
  textTable(
    [{ head: 'VERDICT' }, { head: 'PACKETS', align: right }, { head: 'BYTES', align: right }],
    Object.entries(report.verdicts).map(([name, packets]) => [
      paint(COLOUR[name] ?? 'green', name),
      ...columns({ packets, bytes: report.verdictBytes[name]! }),
    ]),
    paint,
  );

const COLOUR: Readonly<Record<string, 'red' | 'yellow'>> = { dropped: 'red', rejected: 'yellow' };

const reasonsText = (report: ReplayReport, paint: Paint): string =>
  textTable(
    [
      { head: 'REASON' },
      { head: 'PACKETS', align: right },
      { head: 'BYTES', align: right },
      { head: 'WHAT IT MEANS' },
    ],
    Object.entries(report.reasons).map(([name, packets]) => [
      name,
      ...columns({ packets, bytes: report.reasonBytes[name]! }),
      REASONS.find((reason) => reason.name === name)?.sentence ?? '',
    ]),
    paint,
  );

const quirksText = (report: ReplayReport, paint: Paint): string =>
  report.quirks.length === 0
    ? ''
    : textTable(
        [
          { head: 'QUIRK OF THE SDN' },
          { head: 'RULE' },
          { head: 'VERDICT' },
          { head: 'PACKETS', align: right },
        ],
        report.quirks.map(({ quirk, rule, verdict, packets }) => [quirk, rule, verdict, number(packets)]),
        paint,
      );

const servicesText = (report: ReplayReport, paint: Paint): string =>
  textTable(
    [
      { head: 'SERVICE' },
      { head: 'ENDPOINT' },
      { head: 'CONNECTIONS', align: right },
      { head: 'PACKETS', align: right },
      { head: 'BYTES', align: right },
    ],
    report.services.flatMap((service) => [
      [service.name, '', number(service.connections), ...columns(service)],
      ...service.endpoints.map((endpoint) => [
        '',
        endpoint.name,
        number(endpoint.connections),
        ...columns(endpoint),
      ]),
    ]),
    paint,
  );

const pairsText = (report: ReplayReport, paint: Paint): string =>
  textTable(
    [{ head: 'FROM' }, { head: 'TO' }, { head: 'PACKETS', align: right }, { head: 'BYTES', align: right }],
    report.nodePairs.map((pair) => [pair.from, pair.to, ...columns(pair)]),
    paint,
  );

function stagesText({ stages }: ReplayReport, paint: Paint): string {
  if (stages === undefined) return '';
  const time = (ns: number): string => ns.toFixed(ns < 100 ? 1 : 0);
  return textTable(
    [
      { head: 'STAGE' },
      { head: 'DEVICE' },
      { head: 'PACKETS', align: right },
      { head: 'MEASURED', align: right },
      { head: 'MEDIAN NS', align: right },
      { head: 'MEAN NS', align: right },
      { head: 'SHARE', align: right },
    ],
    stages.map(({ stage, device, packets, measured, medianNs, meanNs, share }) => [
      stage,
      device,
      number(packets),
      number(measured),
      time(medianNs),
      time(meanNs),
      `${(share * 100).toFixed(1)}%`,
    ]),
    paint,
  );
}

const interfacesText = (report: ReplayReport, paint: Paint): string =>
  textTable(
    [
      { head: 'CAPTURE' },
      { head: 'INTERFACE' },
      { head: 'LINK TYPE' },
      { head: 'PACKETS', align: right },
      { head: 'NOT READ', align: right },
    ],
    report.interfaces.map(({ file, name, linkType, packets, unsupported }) => [
      file,
      name,
      linkType,
      number(packets),
      unsupported === 0 ? '' : number(unsupported),
    ]),
    paint,
  );

function observationsText(report: ReplayReport, paint: Paint): string {
  const { total, matched, different, missing, uncompared } = report.observations;
  if (total === 0) return '';
  const parts = [`${number(matched)} matched`];
  if (different > 0) parts.push(paint('red', `${number(different)} different`));
  if (missing > 0) parts.push(paint('red', `${number(missing)} without an original`));
  if (uncompared > 0) parts.push(`${number(uncompared)} not compared`);
  const notes = report.differences.map((note) => `  ${note}\n`).join('');
  return `seen again on the way or on arrival: ${number(total)}, ${parts.join(', ')}\n${notes}`;
}

/** Changes that are told one by one. */
const CHANGES_MAX = 20;

function changesText({ changes }: ReplayReport, paint: Paint): string {
  if (changes === undefined) return '';
  const { taken, later, list } = changes;
  const table = textTable(
    [{ head: 'CHANGE' }, { head: 'TIME' }, { head: 'FROM PACKET', align: right }],
    list.slice(0, CHANGES_MAX).map(({ name, time, packet }) => [name, time, number(packet)]),
    paint,
  );
  const more = [
    taken > CHANGES_MAX ? `${number(taken - CHANGES_MAX)} more changes` : '',
    later > 0 ? `${number(later)} after the last packet, not made` : '',
  ].filter((text) => text !== '');
  return `${table}${more.length === 0 ? '' : `${more.join('; ')}\n`}`;
}

function runText(report: ReplayReport, paint: Paint): string {
  const { ledger } = report;
  const { balanced, lost, ...entries } = ledger;
  const terms = Object.entries(entries).filter(([name, value]) => value > 0 || name === 'in');
  const left = terms.filter(([name]) => SOURCES.includes(name));
  const sides = [left, terms.filter(([name]) => !SOURCES.includes(name))].map(
    (side) => side.map(([name, value]) => `${number(value)} ${name}`).join(' + ') || '0',
  );
  const sign = balanced ? '=' : paint('red', '≠');
  const rows: [string, string][] = [
    [
      'packets',
      `${number(report.packets)}, ${number(report.bytes)} bytes, in ${report.seconds.toFixed(2)} s: ${number(report.packetsPerSecond)} packets/s`,
    ],
    ['connections', number(report.connections)],
    ['readdressed', report.readdressed === 0 ? '' : number(report.readdressed)],
    ['ledger', `${sides[0]} ${sign} ${sides[1]}`],
    ['lost', lost === 0 ? '' : paint('red', `${number(lost)} with a worker`)],
    ['recovered', recoveredText(report)],
    ['fingerprint', report.fingerprint],
    [
      'run',
      `${report.lanes} ${report.lanes === 1 ? 'lane' : 'lanes'}, ${report.workers} workers, ${report.backend} back end`,
    ],
    ['lanes', lanesText(report)],
  ];
  return rows
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${paint('dim', name.padEnd(12))}${value}\n`)
    .join('');
}

/** Why there is one lane, or what several are not exact in. */
function lanesText({ lanes, splitState }: ReplayReport): string {
  if (splitState === '') return '';
  return lanes === 1 ? `one, for ${splitState}` : `not exact in ${splitState}`;
}

function recoveredText({ recovered, quarantined }: ReplayReport): string {
  if (recovered === 0) return '';
  const workers =
    recovered === 1
      ? '1 worker died and was replaced'
      : `${number(recovered)} workers died and were replaced`;
  if (quarantined === 0) return `${workers}; nothing was lost`;
  const packets =
    quarantined === 1 ? 'a packet that kills is' : `${number(quarantined)} packets that kill are`;
  return `${workers}; ${packets} dropped as worker-quarantine`;
}

const SOURCES: readonly string[] = ['in', 'generated', 'copies'];
