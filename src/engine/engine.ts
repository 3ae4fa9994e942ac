/** The engine: takes batches of frames, walks each through the graph, and accounts for every one. */
import { type Kernels, loadKernels } from '../kernels/backend.js';
import { StateBuffer } from '../layout/state-buffer.js';
import {
  type Arena,
  FRAME_MAX,
  HEADROOM,
  type InputBatch,
  type OutputBatch,
  ROWS_PER_PACKET,
} from '../packet/batch.js';
import type { Ledger } from '../packet/ledger.js';
import { Entry, Walk } from '../stages/walk.js';
import { Conntrack } from '../tables/conntrack.js';
import type { Epoch } from '../tables/epoch.js';
import { Fragments } from '../tables/fragments.js';
import { HeldPackets } from '../tables/held.js';
import { PORT_KIND } from '../tables/nodes.js';
import { Reason } from '../verdict/reasons.js';
import { Account } from './account.js';
import { Copier } from './copier.js';
import type { EngineOptions } from './engine-options.js';
import { type EngineParts, type EngineState, restoreEngine, saveEngine } from './engine-state.js';
import { explainPacket, type PacketTrace } from './explain.js';
import { ENTRY_STAGE, PORT_STAGE } from './graph.js';
import { walkGraph } from './graph-walk.js';
import { HopLog } from './hop-log.js';
import { carryOver, findNode } from './install.js';
import { LookUp } from './look-up.js';
import { EngineMetrics } from './metrics.js';
import { hasRoom, hasRoomFor } from './room.js';
import { RuleCounts } from './rule-counts.js';
import { ShortWay } from './short-way.js';
import { StageClock } from './stage-clock.js';
import { Timers } from './timers.js';

export type { EngineOptions } from './engine-options.js';

const CONNECTIONS_PER_NODE = 131_072;

export class Engine implements Disposable {
  readonly epochNs: bigint;
  readonly ledger: Ledger;
  #epoch: Epoch;
  #metrics: EngineMetrics;
  readonly #kernels: Kernels;
  readonly #walk: Walk;
  readonly #conntrack: Conntrack;
  readonly #held = new HeldPackets();
  readonly #fragments = new Fragments();
  readonly #log: HopLog | null;
  readonly #short: ShortWay | null;
  #rules: RuleCounts | null = null;
  readonly #clock: StageClock | null;
  readonly #run: (w: Walk, stage: number) => void;
  readonly #look: LookUp;
  readonly #seed: number;
  readonly #account: Account;
  readonly #timers: Timers;
  readonly #copier: Copier;
  #isDisposed = false;

  /** @throws RangeError when `node` is no node of the epoch, or the epoch has been overwritten. */
  constructor(epoch: Epoch, options: EngineOptions = {}) {
    this.#epoch = epoch;
    this.epochNs = options.epochNs ?? 0n;
    this.#seed = (options.seed ?? 1) >>> 0;
    this.#metrics = options.metrics ?? new EngineMetrics(epoch.tables);
    const { stageTimes } = this.#metrics;
    const clock = stageTimes.length > 0 ? new StageClock(stageTimes) : null;
    this.#clock = clock;
    const kernels = loadKernels(options.backend ?? 'auto');
    this.#kernels = clock === null ? kernels : clock.timed(kernels);
    this.#run = clock === null ? walkGraph : (w, stage) => clock.run(w, stage);
    const { nodes } = epoch.tables;
    const limit = options.connectionsMax ?? CONNECTIONS_PER_NODE * Math.max(1, nodes.rows);
    this.#conntrack = new Conntrack(this.#seed, limit);
    this.#look = new LookUp(this.#kernels, this.#seed);
    this.#walk = new Walk(epoch.tables, this.#conntrack, this.#held, this.#fragments, {
      seed: this.#seed,
      respond: options.respond ?? false,
      onlyNode: options.node === undefined ? -1 : findNode(epoch, options.node),
    });
    this.#log = options.explain ? new HopLog() : null;
    this.#account = new Account(this.#walk, this.#log, this.#run);
    this.#timers = new Timers(this.#walk, this.#account, this.#log);
    this.#copier = new Copier(this.#walk, this.#account, this.#log, this.#run);
    this.ledger = this.#account.ledger;
    this.#countIn(this.#metrics);
    const isCaching = (options.cache ?? true) && this.#log === null;
    this.#short = isCaching ? new ShortWay(this.#conntrack, limit * 2, this.#kernels.shortPath) : null;
    epoch.hold();
  }

  /** The table set in force. */
  get epoch(): Epoch {
    return this.#epoch;
  }

  /** Counts beside the ledger; another object after an install() that brought other rows. */
  get metrics(): EngineMetrics {
    return this.#metrics;
  }

  get backend(): string {
    return this.#kernels.name;
  }

  /** Conntrack entries made so far, all nodes together. */
  get connections(): number {
    return this.#conntrack.created;
  }

  /** Walk the rows from input.next on; append a row for each packet, and for each that it caused, to `output`.
   *  Stops early, with input.next at the first row not taken, when the output or the arena has no room for another:
   *  the caller empties them and calls again. A packet may have more copies than there is room for; then input.next stays at
   *  its row until all are walked. Packets must come in time order; one from the past keeps its own time,
   *  and fires no timer. Bytes stay in the arena, packets are changed in place. Returns how many rows were appended.
   *  The arena must hold, free, twice the packet and 4 KiB more; when datagrams come in fragments, 1 MiB is enough.
   *  @throws RangeError when a row names a port that does not exist, or bytes outside the arena. */
  process(input: InputBatch, output: OutputBatch): number {
    const before = output.count;
    this.#log?.clear();
    const { arena } = input;
    this.#useArena(arena);
    this.#short?.useBatch(input, output, this.#look.keys, this.#look.rows);
    if (this.#finishCopies(input, output)) while (input.next < input.count && this.#takeRun(input, output)) {}
    this.#short?.addCounts(this.ledger);
    this.#settle();
    return output.count - before;
  }

  /** When the next timer is due, on the batches' scale; Infinity when none is. */
  nextTimerNs(): number {
    return this.#timers.nextNs();
  }

  /** Fire the timers that are due at `ns`; their packets go to `output`, their bytes to the arena's free end.
   *  Call again while nextTimerNs() is not beyond `ns`: it stops early when there is no room. Returns the rows appended. */
  advance(ns: number, output: OutputBatch, arena: Arena): number {
    const before = output.count;
    this.#log?.clear();
    this.#useArena(arena);
    this.#timers.fire(ns, output, arena);
    this.#settle();
    return output.count - before;
  }

  /** Walk by another table set of the cluster from the next packet on. Connections stay, but for those of UDP that
   *  kube-proxy has conntrack forget; packets that wait go on waiting; every packet's path is found anew. Rows of ports,
   *  Services and endpoints are those of the new set from now on. Counts go on in `metrics`, of the new set, where given.
   *  @throws RangeError, with nothing changed, when the engine's only node, or one where packets wait, is gone, `epoch`
   *  has been overwritten, or copies of a packet are still to be walked. */
  install(epoch: Epoch, metrics?: EngineMetrics): void {
    if (this.#walk.copies.depth > 0)
      throw new RangeError('copies of a packet are still to be walked: call process()');
    const from = this.#epoch;
    const now = carryOver(from, epoch, { ...this.#parts(), onlyNode: this.#walk.onlyNode }, metrics);
    this.#walk.onlyNode = now.onlyNode;
    if (now.metrics !== this.#metrics) this.#countIn(now.metrics);
    this.#short?.forget(from.tables.nodes.rows, epoch.tables.nodes.rows);
    this.#log?.clear();
    this.#walk.tables = epoch.tables;
    this.#epoch = epoch;
  }

  /** What happened to input row `i` of the last call: the packet, then those that it caused. -1: what timers fired.
   *  @throws Error when the engine was made without `explain`. */
  explain(i: number): readonly PacketTrace[] {
    if (this.#log === null) throw new Error('make the engine with { explain: true } to ask for explanations');
    return this.#log.packets
      .filter((packet) => packet.origin === i)
      .map((packet) => explainPacket(this.#epoch, packet));
  }

  /** Take the next row without walking it: it is dropped for `reason`. The rest is as in process(). */
  refuse(input: InputBatch, output: OutputBatch, reason: Reason): number {
    const [before, row] = [output.count, input.next];
    const at = input.offset[row]!;
    this.#log?.clear();
    this.#useArena(input.arena);
    if (!this.#timers.fire(input.tsNs[row]!, output, input.arena) || !hasRoom(output, input.arena, 0))
      return output.count - before;
    this.#walk.begin(at, at + input.length[row]!, input.tsNs[row]!);
    this.#walk.drop(reason);
    this.ledger.in++;
    const kind = this.#epoch.tables.ports.kind[input.port[row]!] ?? PORT_KIND.NIC;
    this.#account.name(this.#account.packets++, -1, input.sequence[row]!, -1);
    this.#log?.begin(this.#walk.number, -1, row, PORT_STAGE[kind]!);
    this.#account.record(output, row);
    this.#settle();
    input.next = row + 1;
    return output.count - before;
  }

  /** Copy what is known of all packets so far to where `into` stands. Cheap: a copy of the rows in use. */
  saveState(into: EngineState = new StateBuffer()): EngineState {
    saveEngine(into, this.#parts(), { packets: this.#account.packets, clockNs: this.#timers.clockNs });
    return into;
  }

  /** Go back to what saveState() copied, of this engine or of one made alike; read from where `from` stands.
   *  @throws RangeError when the engine was made with another seed, table set or metrics. */
  restoreState(from: EngineState): void {
    const { packets, clockNs } = restoreEngine(from, this.#parts());
    this.#account.packets = packets;
    this.#timers.clockNs = clockNs;
    this.#short?.paths.clear();
    this.#rules?.forget();
  }

  #parts(): EngineParts {
    return {
      seed: this.#seed,
      epoch: this.#epoch.number,
      ledger: this.ledger,
      conntrack: this.#conntrack,
      held: this.#held,
      recent: this.#walk.recent,
      copies: this.#walk.copies,
      fragments: this.#fragments,
      metrics: this.#metrics,
    };
  }

  /** Release the connection table's memory and the table set. */
  [Symbol.dispose](): void {
    this.#conntrack.clear();
    if (!this.#isDisposed) this.#epoch.release();
    this.#isDisposed = true;
  }

  #useArena(arena: Arena): void {
    const w = this.#walk;
    w.arena = arena;
    w.p = arena.view;
    w.bytes = arena.bytes;
  }

  #countIn(metrics: EngineMetrics): void {
    this.#metrics = metrics;
    this.#walk.serviceConnections = metrics.serviceConnections;
    this.#walk.endpointConnections = metrics.endpointConnections;
    this.#clock?.useCells(metrics.stageTimes);
    this.#rules = metrics.rulePackets.length > 0 ? new RuleCounts(metrics.rulePackets, this.#log) : null;
    this.#walk.hops = this.#rules ?? this.#log;
  }

  /** Bring the metrics up to date. */
  #settle(): void {
    this.ledger.pending = this.#held.count + this.#fragments.count;
    this.#rules?.settle();
    this.#metrics.noteConnections(this.#conntrack.count, this.#conntrack.created);
  }

  /** Walk the copies of row input.next that an earlier call had no room for. False when it still has none. */
  #finishCopies(input: InputBatch, output: OutputBatch): boolean {
    if (this.#walk.copies.depth === 0) return true;
    if (!this.#copier.run(output, input.arena)) return false;
    input.next++;
    return true;
  }

  /** Take one run of rows. False when it stopped for want of room. */
  #takeRun(input: InputBatch, output: OutputBatch): boolean {
    const first = input.next;
    const end = Math.min(first + this.#look.length, input.count);
    const known = this.#short?.paths ?? this.#conntrack;
    this.#look.find(input, first, end - first, this.#epoch.tables.ports, known, this.#short?.space ?? 0);
    this.#short?.beginRun();
    let isKnown = true;
    while (input.next < end) {
      if (this.#short !== null) this.#takeShort(this.#short, input, output, first, end);
      const row = input.next;
      if (row === end) break;
      isKnown = false;
      if (!this.#timers.fire(input.tsNs[row]!, output, input.arena)) return false;
      if (!this.#hasRoom(input, row, output)) return false;
      this.#takeInput(input, row, row - first, output);
      if (!this.#copier.run(output, input.arena)) return false;
      input.next = row + 1;
    }
    this.#look.note(isKnown);
    return true;
  }

  /** The rows from input.next on that are known, as far as there is room for them. */
  #takeShort(short: ShortWay, input: InputBatch, output: OutputBatch, first: number, end: number): void {
    const from = input.next;
    const room = output.capacity - output.count - ROWS_PER_PACKET;
    const until = Math.min(end, from + Math.max(0, room));
    const next = short.take(from, until, first, output.count, this.#account.packets, this.#timers.nextNs());
    const taken = next - from;
    output.count += taken;
    this.#account.packets += taken;
    this.ledger.in += taken;
    this.#metrics.notePaths(taken, 0);
    this.#rules?.countShort(this.#look.rows, from - first, next - first);
    this.#timers.pass(short.latestNs);
    input.next = next;
  }

  #takeInput(input: InputBatch, row: number, i: number, output: OutputBatch): void {
    const { ports } = this.#epoch.tables;
    const w = this.#walk;
    const port = input.port[row]!;
    let at = input.offset[row]!;
    const length = input.length[row]!;
    if (at + length > input.arena.bytes.length)
      throw new RangeError(`row ${row}: bytes lie outside the arena`);
    if (input.headroom < HEADROOM) at = this.#move(at, length);
    w.begin(at, at + length, input.tsNs[row]!);
    w.node = ports.node[port]!;
    w.pick = input.pick[row]!;
    w.spawned = 0;
    let entry: number = Entry.NIC;
    if (ports.kind[port] === PORT_KIND.POD) {
      w.pod = ports.pod[port]!;
      if (this.#short === null) w.hint = this.#look.rows[i]!;
      entry = Entry.POD;
    } else if (ports.kind[port] === PORT_KIND.TUN) entry = Entry.HOST;
    this.ledger.in++;
    if (this.#short !== null) this.#metrics.notePaths(0, 1);
    const packet = this.#account.packets++;
    w.copies.origin = row;
    this.#account.name(packet, -1, input.sequence[row]!, packet);
    this.#log?.begin(packet, -1, row, ENTRY_STAGE[entry]!);
    if (length > FRAME_MAX) w.drop(Reason.TunnelTooLong);
    else if (length < 14) w.drop(Reason.FrameTruncated);
    else {
      const isKnown = this.#short !== null && entry === Entry.POD && this.#look.keys[i * 4 + 3] !== 0;
      if (isKnown) this.#short!.begin(w);
      this.#rules?.begin();
      this.#run(w, ENTRY_STAGE[entry]!);
      const path = isKnown ? this.#short!.remember(w, port, i * 4, this.#look.hashes[i]!) : -1;
      if (path >= 0) this.#rules?.remember(path);
    }
    this.#account.record(output, row);
    this.#account.runCaused(output, row);
  }

  #hasRoom({ arena, offset, length }: InputBatch, row: number, output: OutputBatch): boolean {
    const mtu = this.#epoch.tables.config.mtu[0]!;
    const isPlain = this.#fragments.queues === 0 && length[row]! <= mtu;
    if (isPlain) return hasRoom(output, arena, length[row]!);
    return hasRoomFor(output, arena, offset[row]!, length[row]!, mtu, this.#fragments);
  }

  /** Copy a packet that lacks headroom to the arena's free end. */
  #move(at: number, length: number): number {
    const w = this.#walk;
    const to = w.allocate(length);
    w.bytes.copyWithin(to, at, at + length);
    return to;
  }
}
