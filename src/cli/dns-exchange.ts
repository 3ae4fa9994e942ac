/** One DNS question of a pod as packets: the query on its way to the server, the reply on its way back. */
import { formatIpv4, parseIpv4 } from '../addr/ipv4.js';
import { buildUdp } from '../packet/build.js';
import type { ResolverQuery } from '../resolver/resolution.js';
import type { Epoch } from '../tables/epoch.js';
import { DNS_QUERY_MAX, DNS_RCODE_NAMES, DNS_TYPE, writeDnsQuery } from '../wire/dns.js';
import { type DnsMessage, readDnsMessage } from '../wire/dns-message.js';
import { ETHERNET } from '../wire/ethernet.js';
import { IPV4, ipv4HeaderSize, ipv4Protocol, PROTOCOL } from '../wire/ipv4.js';
import { UDP } from '../wire/udp.js';
import { entryOf } from './entry.js';
import type { PacketRun } from './packet-run.js';
import { type TraceReport, traceReport } from './print/trace-report.js';
import type { Reference } from './reference.js';

const DNS_PORT = 53;

/** A question, what came back, and both ways. */
export interface ExchangeReport {
  readonly name: string;
  readonly type: 'A' | 'AAAA';
  readonly nameserver: string;
  readonly attempt: number;
  /** `NOERROR`, `NXDOMAIN` …; null when no reply came. */
  readonly rcode: string | null;
  readonly addresses: readonly string[];
  /** Where the name leads, for an alias; null otherwise. */
  readonly alias: string | null;
  /** Seconds the answer may be kept; null when there is none. */
  readonly ttl: number | null;
  readonly query: TraceReport;
  readonly reply: TraceReport | null;
}

export interface Exchange {
  readonly report: ExchangeReport;
  /** The DNS message that came back, or null. */
  readonly message: Uint8Array | null;
}

/** Ask `query` from `from`, by a socket with source port `sport`. `id` is the message's identifier. */
export function askServer(
  run: PacketRun,
  epoch: Epoch,
  from: Reference & { readonly kind: 'pod' },
  query: ResolverQuery,
  sport: number,
  id: number,
): Exchange {
  const dst = parseIpv4(query.nameserver);
  const entry = entryOf('--from', epoch, from, dst);
  const startNs = run.nowNs;
  const payload = queryBytes(id, query);
  const sent = run.send(entry.port, (arena) =>
    buildUdp(arena, { ...entry, dst, sport, dport: DNS_PORT, payload }),
  );
  const back = sent.caused.find(
    ({ trace }) =>
      trace.verdict === 'delivered' && trace.exit === epoch.text(epoch.tables.ports.name[entry.port]!),
  );
  const message = back === undefined ? null : udpPayload(back.bytes);
  const read = message === null ? null : readWhole(message);
  return {
    message,
    report: {
      name: query.name,
      type: query.type === DNS_TYPE.AAAA ? 'AAAA' : 'A',
      nameserver: query.nameserver,
      attempt: query.attempt,
      ...answerOf(read),
      query: traceReport(epoch, sent.packet, startNs),
      reply: back === undefined ? null : traceReport(epoch, back, startNs),
    },
  };
}

function answerOf(message: DnsMessage | null) {
  if (message === null) return { rcode: null, addresses: [], alias: null, ttl: null };
  const { answers, rcode } = message;
  return {
    rcode: DNS_RCODE_NAMES[rcode] ?? `RCODE ${rcode}`,
    addresses: answers.filter(({ type }) => type === DNS_TYPE.A).map(({ address }) => formatIpv4(address)),
    alias: answers.find(({ type }) => type === DNS_TYPE.CNAME)?.target ?? null,
    ttl: answers[0]?.ttl ?? null,
  };
}

function queryBytes(id: number, query: ResolverQuery): Uint8Array {
  const bytes = new Uint8Array(DNS_QUERY_MAX);
  const length = writeDnsQuery(new DataView(bytes.buffer), 0, id, query.name, query.type);
  return bytes.subarray(0, length);
}

const readWhole = (message: Uint8Array): DnsMessage | null =>
  readDnsMessage(new DataView(message.buffer, message.byteOffset, message.length), 0, message.length);

/** The payload of a whole UDP frame, or null when it is none. */
function udpPayload(frame: Uint8Array): Uint8Array | null {
  const p = new DataView(frame.buffer, frame.byteOffset, frame.length);
  const l3 = ETHERNET.SIZE;
  if (frame.length < l3 + IPV4.MIN_SIZE + UDP.SIZE || ipv4Protocol(p, l3) !== PROTOCOL.UDP) return null;
  return frame.subarray(l3 + ipv4HeaderSize(p, l3) + UDP.SIZE);
}
