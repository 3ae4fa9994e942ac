/** `podplane trace`: one packet, hop by hop. */
import { type Command, Option } from 'commander';
import type { LoadedCluster } from '../cluster.js';
import type { EthernetFields } from '../packet/build.js';
import type { DecodedFrame } from '../packet/decode.js';
import type { Epoch } from '../tables/epoch.js';
import { PORT_KIND } from '../tables/nodes.js';
import { chosenKernels } from './backend.js';
import { entryOf, podNextHop } from './entry.js';
import { EXIT } from './exit.js';
import {
  type ClusterOptions,
  clusterCommand,
  failOnOption,
  loadNamedCluster,
  portNumber,
  seedNumber,
} from './options.js';
import { PacketRun, type SentPacket } from './packet-run.js';
import { paintFor } from './print/colour.js';
import { conversationText } from './print/conversation-text.js';
import { writeJson, writeText } from './print/output.js';
import { type TraceReport, traceReport } from './print/trace-report.js';
import { ReferenceBook, referenceName } from './reference.js';
import { answerTo, buildFirst, FIRST_SPORT } from './send-packet.js';
import { PACKET_PROTOCOLS, type PacketProtocol, targetOf } from './target.js';

interface TraceOptions extends ClusterOptions {
  readonly from: string;
  readonly to: string;
  readonly proto?: PacketProtocol;
  readonly sport: number;
  readonly seed: number;
  readonly reply?: boolean;
  readonly respond?: boolean;
  readonly failOn?: readonly string[];
}

/** The answer goes back this much later. */
const ANSWER_NS = 1e6;

export function traceCommand(): Command {
  return clusterCommand('trace')
    .description('send one packet and show its way, hop by hop')
    .requiredOption('--from <reference>', 'who sends: a pod, a node, or an address outside')
    .requiredOption('--to <reference>', 'who is asked: a pod, a Service, a node, or an address')
    .addOption(
      new Option('--proto <name>', "protocol; else that of the destination's port").choices(PACKET_PROTOCOLS),
    )
    .option('--sport <n>', 'source port, or identifier of an echo', portNumber, FIRST_SPORT)
    .option('--reply', 'send the answer back, and show its way too')
    .option('--respond', 'pods answer SYN, echo and UDP by themselves')
    .option('--seed <n>', 'seed of the random choices', seedNumber, 1)
    .addOption(failOnOption(['dropped', 'rejected']))
    .addHelpText(
      'after',
      [
        '',
        'Examples:',
        '  podplane trace -c examples/two-nodes --from pod:web/pod-1 --to svc:web/jws-app:8080 --reply',
        '  podplane trace -c examples/two-nodes --from pod-1 --to jws-app.web --proto icmp',
      ].join('\n'),
    )
    .action(async (options: TraceOptions) => {
      const report = traceConversation(await loadNamedCluster(options), options);
      if (options.json === true) writeJson(report);
      else writeText(conversationText(report, paintFor(process.stdout)));
      if (options.failOn?.includes(report.verdict) === true) process.exitCode = EXIT.FAIL_ON;
    });
}

export interface ConversationReport extends TraceReport {
  readonly from: string;
  readonly to: string;
  readonly protocol: PacketProtocol;
  /** What the packet caused: answers, notices, questions for MACs. */
  readonly caused: readonly TraceReport[];
  /** The answer that --reply sent. */
  readonly reply?: TraceReport & { readonly caused: readonly TraceReport[] };
  readonly noReply?: string;
}

function traceConversation(cluster: LoadedCluster, options: TraceOptions): ConversationReport {
  chosenKernels();
  const epoch = cluster.compile();
  const book = new ReferenceBook(cluster.model);
  const from = book.find('--from', options.from);
  const target = targetOf('--to', book.find('--to', options.to), options.proto);
  const entry = entryOf('--from', epoch, from, target.address);
  const mtu = epoch.tables.config.mtu[0]!;
  using run = new PacketRun(epoch, { seed: options.seed, respond: options.respond === true });
  const startNs = run.nowNs;
  const sent = run.send(entry.port, (arena) => buildFirst(arena, entry, target, options.sport, mtu));
  const report = {
    from: referenceName(from),
    to: target.name,
    protocol: target.protocol,
    ...traceReport(epoch, sent.packet, startNs),
    caused: sent.caused.map((packet) => traceReport(epoch, packet, startNs)),
  };
  if (options.reply !== true) return report;
  const answer = answerOf(epoch, sent, mtu);
  if (typeof answer === 'string') return { ...report, noReply: answer };
  run.wait(ANSWER_NS);
  const back = run.send(answererOf(epoch, sent), answer);
  return {
    ...report,
    reply: {
      ...traceReport(epoch, back.packet, startNs),
      caused: back.caused.map((packet) => traceReport(epoch, packet, startNs)),
    },
  };
}

/** What builds the answer of whoever got the packet, or why there is none to send. */
function answerOf(epoch: Epoch, sent: SentPacket, mtu: number) {
  const { packet, verdict } = sent.packet.trace;
  if (sent.caused.some(({ trace }) => trace.parent === packet)) return 'it has been answered already';
  if (verdict !== 'delivered' && verdict !== 'left') return `nobody got the packet: it was ${verdict}`;
  if (sent.exit < 0) return 'it ended at no port';
  const macs = (dst: number, received: DecodedFrame): EthernetFields =>
    answerMacs(epoch, sent.exit, dst, received);
  return answerTo(sent.packet.bytes, mtu, macs) ?? 'such a packet has no answer';
}

/** Port by which the answerer sends: a node's own socket sends through its stack, whatever came in by the NIC. */
function answererOf({ tables }: Epoch, { exit, packet }: SentPacket): number {
  const { ports, nodes } = tables;
  const isHost = packet.trace.verdict === 'delivered' && ports.kind[exit] === PORT_KIND.NIC;
  return isHost ? nodes.tunPort[ports.node[exit]!]! : exit;
}

/** A pod looks its next hop up again; everybody else answers to the MAC that the frame came from. */
function answerMacs(epoch: Epoch, exit: number, dst: number, received: DecodedFrame): EthernetFields {
  const { ports } = epoch.tables;
  const back = {
    srcMacHi: received.dstMacHi,
    srcMacLo: received.dstMacLo,
    dstMacHi: received.srcMacHi,
    dstMacLo: received.srcMacLo,
  };
  if (ports.kind[exit] !== PORT_KIND.POD) return back;
  const next = podNextHop(epoch.tables, ports.node[exit]!, dst);
  return { ...back, dstMacHi: next.hi, dstMacLo: next.lo };
}
