/** DNS in generated traffic: queries of pods and the answers of cluster DNS. */
import {
  DNS,
  DNS_CLASS_IN,
  DNS_FLAG,
  DNS_QUERY_MAX,
  DNS_RCODE,
  DNS_TYPE,
  writeDnsHeader,
  writeDnsQuery,
  writeDnsRecordHead,
} from '../wire/dns.js';
import { encodeDnsName } from '../wire/dns-name.js';
import type { Flows } from './generate-flows.js';
import type { Payload, TrafficFrames } from './generate-frames.js';
import type { SeededRandom } from './generate-random.js';
import { IDLE, oneWayNs, type TrafficScript, thinkNs } from './generate-script.js';
import type { TrafficName } from './generate-topology.js';
import { ZipfRanks } from './generate-zipf.js';

/** Seconds, CoreDNS' kubernetes plugin; for what does not exist as well. */
const TTL = 5;
/** A pointer to the first name behind the header. */
const QUESTION_NAME = 0xc000 | DNS.SIZE;
/** SOA timers as CoreDNS makes them. Source: coredns/coredns plugin/backend_lookup.go SOA. */
const SOA = { SERIAL: 1, REFRESH: 7_200, RETRY: 1_800, EXPIRE: 86_400 } as const;
const MESSAGE_MAX = 1_232;

/** A prepared question and its answer. */
export interface DnsPair {
  readonly query: Payload;
  readonly answer: Payload;
}

/** @throws RangeError for a name that DNS does not allow. */
export function prepareDns(frames: TrafficFrames, { name, address }: TrafficName, zone: string): DnsPair {
  const message = new Uint8Array(DNS_QUERY_MAX + MESSAGE_MAX);
  const p = new DataView(message.buffer);
  const size = writeDnsQuery(p, 0, 0, name, DNS_TYPE.A);
  if (size === 0) throw new RangeError(`"${name}" is no domain name`);
  const query = frames.udpPayload(message.subarray(0, size));
  const isFound = address !== 0;
  const flags = DNS_FLAG.QR | DNS_FLAG.AA | DNS_FLAG.RD | DNS_FLAG.RA;
  writeDnsHeader(
    p,
    0,
    0,
    flags | (isFound ? DNS_RCODE.NOERROR : DNS_RCODE.NXDOMAIN),
    1,
    isFound ? 1 : 0,
    isFound ? 0 : 1,
    0,
  );
  const end = isFound ? writeAddress(p, size, address) : writeSoa(p, message, size, zone);
  return { query, answer: frames.udpPayload(message.subarray(0, end)) };
}

function writeAddress(p: DataView, at: number, address: number): number {
  p.setUint16(at, QUESTION_NAME);
  const data = writeDnsRecordHead(p, at + 2, DNS_TYPE.A, DNS_CLASS_IN, TTL, 4);
  p.setUint32(data, address);
  return data + 4;
}

function writeSoa(p: DataView, message: Uint8Array, at: number, zone: string): number {
  const names = [zone, `ns.dns.${zone}`, `hostmaster.${zone}`].map((name) => encodeDnsName(name)!);
  const [owner, server, mailbox] = names as [Uint8Array, Uint8Array, Uint8Array];
  message.set(owner, at);
  const length = server.length + mailbox.length + 20;
  let data = writeDnsRecordHead(p, at + owner.length, DNS_TYPE.SOA, DNS_CLASS_IN, TTL, length);
  message.set(server, data);
  message.set(mailbox, data + server.length);
  data += server.length + mailbox.length;
  for (const value of [SOA.SERIAL, SOA.REFRESH, SOA.RETRY, SOA.EXPIRE, TTL]) {
    p.setUint32(data, value);
    data += 4;
  }
  return data;
}

/** Profile `dns`: a flow is a socket of a client; each exchange asks for a name and gets its answer. */
export class DnsScript implements TrafficScript {
  readonly packetsPerExchange = 2;
  connections = 0;
  readonly #flows: Flows;
  readonly #frames: TrafficFrames;
  readonly #random: SeededRandom;
  readonly #pairs: readonly DnsPair[];
  readonly #ranks: ZipfRanks;
  /** The name asked, + 1; 0 while nothing is asked. */
  readonly #asked: Uint32Array;
  readonly #queryId: Uint16Array;
  readonly #isKnown: Uint8Array;

  constructor(
    flows: Flows,
    frames: TrafficFrames,
    random: SeededRandom,
    names: readonly TrafficName[],
    zone: string,
    zipf: number,
  ) {
    this.#flows = flows;
    this.#frames = frames;
    this.#random = random;
    this.#pairs = names.map((name) => prepareDns(frames, name, zone));
    this.#ranks = new ZipfRanks(names.length, zipf);
    this.#asked = new Uint32Array(flows.count);
    this.#queryId = new Uint16Array(flows.count);
    this.#isKnown = new Uint8Array(flows.count);
  }

  step(i: number): number {
    const frames = this.#frames;
    const random = this.#random;
    const asked = this.#asked[i]! - 1;
    if (asked < 0) {
      const name = this.#ranks.draw(random);
      const { query } = this.#pairs[name]!;
      if (this.#isKnown[i] === 0) {
        this.#isKnown[i] = 1;
        this.#queryId[i] = random.u32();
        this.connections++;
      }
      this.#asked[i] = name + 1;
      // Counted, not drawn: of a thousand drawn on one socket two are alike, which Wireshark calls a retransmission.
      frames.patchDnsId(query, ++this.#queryId[i]!);
      frames.fromClient(this.#flows, i);
      frames.udp(query, query.length, random.below(0x10000));
      return oneWayNs(random) + thinkNs(random);
    }
    const { answer } = this.#pairs[asked]!;
    this.#asked[i] = 0;
    frames.patchDnsId(answer, this.#queryId[i]!);
    frames.fromServer(this.#flows, i);
    frames.udp(answer, answer.length, random.below(0x10000));
    return IDLE;
  }
}
