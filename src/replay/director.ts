/** Decides for each captured packet, in order, whether it is injected and where, or is an observation, or neither.
 *
 *  Everything here is a function of trace and tables alone, never of what the engine makes of it: so it does not matter
 *  how many workers run or how the trace is cut. */
import { FrameKind } from '../io/capture-columns.js';
import { FRAME_MAX } from '../packet/batch.js';
import { FrameType, PacketView } from '../packet/packet-view.js';
import { ADDRESS_KIND } from '../tables/addresses.js';
import type { Epoch } from '../tables/epoch.js';
import { findService } from '../tables/services.js';
import { Reason } from '../verdict/reasons.js';
import { PROTOCOL } from '../wire/ipv4.js';
import { TCP, TCP_FLAG, tcpFlags } from '../wire/tcp.js';
import { RowRole } from '../workers/parcel.js';
import { type Chunk, Fate } from './chunk.js';
import { Entry, entryPort, isInside, rowOf } from './entry.js';
import { LaneChooser } from './lane.js';
import { settleMacs } from './link-addresses.js';
import { type CapturedPacket, LookAhead } from './look-ahead.js';
import { belongsTo, type PlaceRule, placeOf } from './places.js';
import { MISS, RecentTable } from './recent-table.js';
import { type Addressing, SeenPackets } from './seen-packets.js';
import type { Servers } from './servers.js';
import { ServiceIndex } from './service-index.js';
import type { TraceMerge } from './trace-merge.js';

/** Client connections whose endpoint is remembered. */
const CONNECTIONS = 262_144;

export interface DirectorOptions {
  readonly lanes: number;
  /** Packets that are looked at ahead of the one in hand. */
  readonly lookAhead: number;
  readonly lookAheadSize: number;
  readonly pick: 'recorded' | 'model';
  readonly places: readonly PlaceRule[];
  /** Of the whole run; those of the tables alone if not given. */
  readonly servers?: Servers;
}

export class Director {
  /** Packets whose destination MAC belonged to hardware of the recorded cluster. */
  translatedMacs = 0;
  /** Packets taken so far; the next one's sequence number. */
  sequence = 0;
  /** A chunk ends before the first packet that is not before this time. */
  stopNs = Number.POSITIVE_INFINITY;
  #epoch: Epoch;
  readonly #trace: TraceMerge;
  readonly #options: DirectorOptions;
  #vxlanPort: number;
  readonly #services: ServiceIndex;
  readonly #lanes: LaneChooser;
  readonly #ahead: LookAhead;
  readonly #seen = new SeenPackets();
  readonly #view = new PacketView();
  readonly #fillView = new PacketView();
  readonly #packet: CapturedPacket;
  readonly #as: Addressing = { src: 0, dst: 0, sport: 0, dport: 0 };
  /** (client, port and protocol, Service address, its port): the recorded endpoint, port 0 for none. */
  readonly #connections = new RecentTable(CONNECTIONS);
  readonly #endpointAddress = new Uint32Array(CONNECTIONS);
  readonly #endpointPort = new Uint16Array(CONNECTIONS);
  /** Its row, or -1, by the tables after so many changes. */
  readonly #endpoint = new Int32Array(CONNECTIONS);
  readonly #endpointChange = new Uint32Array(CONNECTIONS);
  /** (client, port and protocol, endpoint address, its port): the Service that the client asked for. */
  readonly #replies = new RecentTable(CONNECTIONS);
  readonly #serviceIp = new Uint32Array(CONNECTIONS);
  readonly #servicePort = new Uint32Array(CONNECTIONS);
  /** Its row, or -1, likewise. */
  readonly #service = new Int32Array(CONNECTIONS);
  readonly #serviceChange = new Uint32Array(CONNECTIONS);
  #changes = 0;
  #placeOfSource: number[] = [];

  constructor(epoch: Epoch, trace: TraceMerge, options: DirectorOptions) {
    this.#epoch = epoch;
    this.#trace = trace;
    this.#options = options;
    this.#vxlanPort = epoch.tables.config.vxlanPort[0]!;
    this.#services = new ServiceIndex(epoch.tables, options.servers);
    this.#lanes = new LaneChooser(epoch.tables, this.#services, options.lanes);
    this.#ahead = new LookAhead(options.lookAhead + 1, options.lookAheadSize);
    this.#packet = {
      offset: 0,
      length: 0,
      originalLength: 0,
      tsNs: 0,
      source: 0,
      kind: 0,
      isTruncated: false,
    };
  }

  /** Did the last chunk end because of stopNs? */
  get isStopped(): boolean {
    return this.#ahead.nextTsNs >= this.stopNs && this.#ahead.count > 0;
  }

  /** Decide by another table set from the next packet on. `isInPlace`: nothing but endpoints differs. */
  use(epoch: Epoch, isInPlace: boolean): void {
    this.#epoch = epoch;
    this.#vxlanPort = epoch.tables.config.vxlanPort[0]!;
    this.#services.use(epoch.tables, isInPlace);
    this.#lanes.use(epoch.tables);
    this.#placeOfSource = [];
    this.#changes++;
  }

  /** Fill `chunk` with what comes next. It is empty afterwards when the trace has ended, or isStopped. */
  async fill(chunk: Chunk): Promise<void> {
    chunk.reset(this.sequence);
    const ahead = this.#ahead;
    for (;;) {
      while (!this.#isAheadFull()) await this.#trace.refill();
      if (ahead.nextTsNs >= this.stopNs) return;
      if (ahead.count === 0 || !chunk.hasRoom(ahead.nextLength)) return;
      ahead.shift(this.#packet);
      this.#decide(chunk, this.#packet);
      this.sequence++;
    }
  }

  /** How many packets each lane gets of those that can be seen ahead, by lane number: what is to be expected of the whole
   *  trace. Before the first fill(), which it does not change. Copies count as the packets they show. */
  async laneWeights(): Promise<Float64Array> {
    while (!this.#isAheadFull()) await this.#trace.refill();
    const { arena, count } = this.#ahead;
    const { tables } = this.#epoch;
    const [view, packet] = [this.#view, this.#packet];
    // It learns from packets, and these will come again.
    const chooser = new LaneChooser(tables, this.#services, this.#options.lanes);
    const weights = new Float64Array(this.#options.lanes);
    for (let i = 0; i < count; i++) {
      this.#ahead.peek(i, packet);
      if (reasonUnusable(packet) !== Reason.None) continue;
      this.#read(packet);
      const place = this.#placeOf(packet.source);
      const port = place >= 0 ? place : entryPort(tables, arena.view, packet.offset, view);
      if (port >= 0) weights[chooser.laneOf(arena.view, view, port)]!++;
    }
    return weights;
  }

  #isAheadFull(): boolean {
    return this.#trace.fill(this.#ahead, this.#fillView, this.#vxlanPort, this.#services);
  }

  #decide(chunk: Chunk, packet: CapturedPacket): void {
    const unusable = reasonUnusable(packet);
    if (unusable !== Reason.None) {
      this.#drop(chunk, packet, unusable);
      return;
    }
    const { tables } = this.#epoch;
    const { view: p } = this.#ahead.arena;
    const view = this.#view;
    this.#read(packet);
    view.digest(p);
    if (view.isLaterFragment) this.#ahead.lendPorts(view);
    const natural = entryPort(tables, p, packet.offset, view);
    const place = this.#placeOf(packet.source);
    if (place >= 0) {
      if (belongsTo(this.#epoch, place, natural)) this.#inject(chunk, packet, place);
      else this.#observe(chunk, packet, this.#originOf(packet), natural);
      return;
    }
    const origin = natural === Entry.UNKNOWN ? -1 : this.#originOf(packet);
    if (origin >= 0 || natural === Entry.SERVICE_REPLY || natural === Entry.FROM_OUTSIDE)
      this.#observe(chunk, packet, origin, natural);
    else if (natural === Entry.UNKNOWN) this.#drop(chunk, packet, Reason.EntryUnknown);
    else this.#inject(chunk, packet, natural);
  }

  #read({ offset, length }: CapturedPacket): void {
    const view = this.#view;
    const { view: p } = this.#ahead.arena;
    view.read(p, offset, length, this.#vxlanPort);
    // A pod may not open tunnels: its packet is the outer one.
    if (view.isTunnelled && rowOf(this.#epoch.tables, view.outerSrc, ADDRESS_KIND.POD) >= 0)
      view.read(p, offset, length, -1);
  }

  #originOf(packet: CapturedPacket): number {
    const source = this.#trace.sources[packet.source]!;
    return this.#seen.originOf(this.#view, this.sequence, packet.source, packet.tsNs, source.isCooked);
  }

  #drop(chunk: Chunk, packet: CapturedPacket, reason: number): void {
    const row = chunk.addRow(packet, Fate.Drop);
    chunk.reason[row] = reason;
    chunk.setAside(row, packet, this.#ahead.arena);
  }

  #observe(chunk: Chunk, packet: CapturedPacket, origin: number, natural: number): void {
    const row = chunk.addRow(packet, Fate.Observe);
    chunk.origin[row] = origin;
    chunk.translated[row] = origin >= 0 && this.#seen.isTranslated ? 1 : 0;
    chunk.setObserved(row, this.#view);
    if (natural === Entry.SERVICE_REPLY) chunk.arrival[row] = 1;
    else if (natural === Entry.FROM_OUTSIDE && origin < 0) chunk.arrival[row] = 2;
  }

  #inject(chunk: Chunk, packet: CapturedPacket, port: number): void {
    const view = this.#view;
    const { arena } = this.#ahead;
    const isMade = packet.kind === FrameKind.Made;
    if (settleMacs(this.#epoch.tables, arena.view, packet.offset, view, port, isMade)) this.translatedMacs++;
    const row = chunk.addRow(packet, Fate.Inject);
    const lane = this.#lanes.laneOf(arena.view, view, port);
    const i = chunk.inject(row, lane, packet, arena, port);
    this.#seen.add(view, view, this.sequence, packet.source, packet.tsNs, false);
    if (view.type === FrameType.IPV4) this.#follow(chunk, packet, port, lane, i);
  }

  /** Note which connection the packet in hand belongs to, and under what addresses it may show again. */
  #follow(chunk: Chunk, packet: CapturedPacket, port: number, lane: number, i: number): void {
    const view = this.#view;
    const { view: p } = this.#ahead.arena;
    const rows = chunk.lanes[lane]!;
    const node = this.#epoch.tables.ports.node[port]!;
    const service = this.#serviceAsked(view, node);
    if (service >= 0) {
      const connection = this.#connectionOf(view, service, p);
      if (this.#options.pick === 'recorded') rows.input.pick[i] = this.#endpoint[connection]!;
      rows.role[i] = isTcpSyn(view, p) ? RowRole.OPENS : RowRole.TO_SERVICE;
      rows.service[i] = service;
      rows.client[i] = view.src;
      rows.clientPort[i] = (view.sport << 16) | view.protocol;
      if (this.#endpointPort[connection] !== 0) this.#rememberTranslated(packet, node, connection);
      return;
    }
    const reply = this.#replyTo(view);
    if (reply === MISS) {
      if (!isInside(this.#epoch.tables, view.dst)) this.#rememberMasqueraded(packet, node);
      return;
    }
    this.#rememberReply(packet, reply);
    const asked = this.#serviceRow(reply, node);
    if (asked < 0) return;
    rows.role[i] = RowRole.FROM_SERVER;
    rows.service[i] = asked;
    rows.client[i] = view.dst;
    rows.clientPort[i] = (view.dport << 16) | view.protocol;
    rows.inner[i] = view.at - packet.offset;
  }

  #serviceAsked(view: PacketView, node: number): number {
    if (!view.hasPorts || view.isTunnelled) return -1;
    const { services, serviceSlots } = this.#epoch.tables;
    return findService(services, serviceSlots, view.dst, ((view.dport << 16) | view.protocol) >>> 0, node);
  }

  /** Row of #replies if this is a Service's reply, or MISS. */
  #replyTo(view: PacketView): number {
    if (!view.hasPorts) return MISS;
    return this.#replies.find(view.dst, (view.dport << 16) | view.protocol, view.src, view.sport);
  }

  /** Row of the Service that the client of a reply asked for; -1 when it has gone. */
  #serviceRow(reply: number, node: number): number {
    if (this.#serviceChange[reply] !== this.#changes) {
      const { services, serviceSlots } = this.#epoch.tables;
      const [ip, port] = [this.#serviceIp[reply]!, this.#servicePort[reply]!];
      this.#service[reply] = findService(services, serviceSlots, ip, port, node);
      this.#serviceChange[reply] = this.#changes;
    }
    return this.#service[reply]!;
  }

  /** Row of #connections of a client's packet to a Service. */
  #connectionOf(view: PacketView, service: number, p: DataView): number {
    const client = (view.sport << 16) | view.protocol;
    let row = this.#connections.find(view.src, client, view.dst, view.dport);
    const known = row === MISS ? -1 : this.#endpointRow(row, service);
    const isNew = row === MISS || isTcpSyn(view, p);
    if (!isNew && known >= 0 && !this.#connections.isAged(row)) return row;
    const found =
      isNew || known < 0
        ? this.#ahead.endpointOf(this.#services, service, view.src, view.sport, view.protocol)
        : known;
    const endpoint = found < 0 ? known : found;
    const before = row;
    if (row === MISS || this.#connections.isAged(row))
      row = this.#connections.add(view.src, client, view.dst, view.dport);
    this.#noteEndpoint(row, endpoint, before);
    if (endpoint >= 0) this.#expectReplies(view, client, endpoint, service);
    return row;
  }

  /** Row of the endpoint of a known connection; -1 when none is known, or it is the Service's no more. */
  #endpointRow(connection: number, service: number): number {
    if (this.#endpointChange[connection] !== this.#changes) {
      const [address, port] = [this.#endpointAddress[connection]!, this.#endpointPort[connection]!];
      this.#endpoint[connection] = port === 0 ? -1 : this.#services.endpoint(service, address, port);
      this.#endpointChange[connection] = this.#changes;
    }
    return this.#endpoint[connection]!;
  }

  /** With no endpoint in sight, that of row `before` is still where the connection goes, though it may be the Service's no
   *  more. */
  #noteEndpoint(connection: number, endpoint: number, before: number): void {
    const { address, port } = this.#epoch.tables.endpoints;
    const isKept = endpoint < 0 && before !== MISS;
    this.#endpointAddress[connection] = isKept ? this.#endpointAddress[before]! : (address[endpoint] ?? 0);
    this.#endpointPort[connection] = isKept ? this.#endpointPort[before]! : (port[endpoint] ?? 0);
    this.#endpoint[connection] = endpoint;
    this.#endpointChange[connection] = this.#changes;
  }

  #expectReplies(view: PacketView, client: number, endpoint: number, service: number): void {
    const { address, port } = this.#epoch.tables.endpoints;
    let row = this.#replies.find(view.src, client, address[endpoint]!, port[endpoint]!);
    if (row === MISS || this.#replies.isAged(row))
      row = this.#replies.add(view.src, client, address[endpoint]!, port[endpoint]!);
    const { services } = this.#epoch.tables;
    this.#serviceIp[row] = services.ip[service]!;
    this.#servicePort[row] = services.portProto[service]!;
    this.#service[row] = service;
    this.#serviceChange[row] = this.#changes;
  }

  /** After DNAT; and, where the endpoint is the client itself, after masquerade to the node's tun0. */
  #rememberTranslated(packet: CapturedPacket, node: number, connection: number): void {
    const { nodes } = this.#epoch.tables;
    const view = this.#view;
    this.#as.src = view.src;
    this.#as.sport = view.sport;
    this.#as.dst = this.#endpointAddress[connection]!;
    this.#as.dport = this.#endpointPort[connection]!;
    this.#remember(packet);
    if (this.#as.dst !== view.src) return;
    this.#as.src = nodes.gateway[node]!;
    this.#remember(packet);
  }

  /** After un-NAT: the Service as the sender. */
  #rememberReply(packet: CapturedPacket, reply: number): void {
    const view = this.#view;
    this.#as.src = this.#serviceIp[reply]!;
    this.#as.sport = this.#servicePort[reply]! >>> 16;
    this.#as.dst = view.dst;
    this.#as.dport = view.dport;
    this.#remember(packet);
  }

  /** After masquerade to the node's address, its port kept. */
  #rememberMasqueraded(packet: CapturedPacket, node: number): void {
    const view = this.#view;
    this.#as.src = this.#epoch.tables.nodes.address[node]!;
    this.#as.sport = view.sport;
    this.#as.dst = view.dst;
    this.#as.dport = view.dport;
    this.#remember(packet);
  }

  #remember(packet: CapturedPacket): void {
    this.#seen.add(this.#view, this.#as, this.sequence, packet.source, packet.tsNs, true);
  }

  #placeOf(source: number): number {
    this.#placeOfSource[source] ??= placeOf(this.#options.places, this.#trace.sources[source]!, this.#epoch);
    return this.#placeOfSource[source]!;
  }
}

function reasonUnusable(packet: CapturedPacket): number {
  if (packet.kind === FrameKind.Unsupported) return Reason.LinkTypeUnsupported;
  if (packet.isTruncated) return Reason.CaptureTruncated;
  return packet.length > FRAME_MAX ? Reason.Ipv4BadTotalLength : Reason.None;
}

function isTcpSyn(view: PacketView, p: DataView): boolean {
  if (view.protocol !== PROTOCOL.TCP || view.isLaterFragment || view.l4 + TCP.MIN_SIZE > view.end)
    return false;
  return (tcpFlags(p, view.l4) & (TCP_FLAG.SYN | TCP_FLAG.ACK)) === TCP_FLAG.SYN;
}
