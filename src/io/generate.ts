/** Seeded traffic of a cluster, packet by packet in the order of time, as its pods' eth0 would show it sent. */
import { InputError } from '../verdict/input-error.js';
import { DamagedFrame } from './generate-damage.js';
import { Flows } from './generate-flows.js';
import { TrafficFrames } from './generate-frames.js';
import { TRAFFIC_PROFILES, type TrafficProfile, type TrafficProfileName } from './generate-profiles.js';
import { SeededRandom } from './generate-random.js';
import { Schedule } from './generate-schedule.js';
import { IDLE, type TrafficScript } from './generate-script.js';
import type { TrafficTopology } from './generate-topology.js';
import { ZipfRanks } from './generate-zipf.js';

export interface TrafficOptions {
  readonly profile: TrafficProfileName;
  /** Packets in all, the damaged ones included. */
  readonly packets: number;
  /** Client and server pairs with ports of their own; memory grows with them, not with the packets. */
  readonly flows: number;
  /** How much the first flows are preferred; 0 not at all. Default: the profile's. */
  readonly zipf?: number;
  /** u32. The same topology, options and seed give the same packets. */
  readonly seed: number;
  /** Packets per second at most, about: a flow that is drawn again waits for its answers. Default 100,000. */
  readonly rate?: number;
  /** Of 1,000 packets, how many are damaged copies of the one before. Default 0. */
  readonly badPermille?: number;
}

/** Takes the frames. bytes[offset, offset + length) is overwritten by the next one. */
export interface TrafficSink {
  /** `pod`: row of the topology whose eth0 sends the frame at `tsNs`, which never falls. */
  packet(pod: number, tsNs: number, bytes: Uint8Array, offset: number, length: number): void;
}

const RATE = 100_000;
const NS_PER_SECOND = 1e9;
/** Parts of a run draw from streams of their own, so that an option of one does not shift another. */
const Stream = { Flows: 1, Arrivals: 2, Script: 3, Damage: 4 } as const;

export class TrafficGenerator {
  packets = 0;
  bytes = 0;
  /** Damaged packets among them. */
  damaged = 0;
  /** Time of the last packet. */
  nowNs = 0;
  readonly #options: TrafficOptions;
  readonly #frames = new TrafficFrames();
  readonly #script: TrafficScript;
  readonly #ranks: ZipfRanks;
  readonly #schedule = new Schedule();
  readonly #arrivals: SeededRandom;
  readonly #damage: SeededRandom;
  readonly #damagedFrame = new DamagedFrame();
  /** 1: the flow has a packet in the schedule. */
  readonly #isBusy: Uint8Array;
  readonly #meanNs: number;
  readonly #badShare: number;
  #arriving: number;
  #arrivalNs = 0;

  /** @throws InputError when the cluster cannot have such traffic. */
  constructor(topology: TrafficTopology, options: TrafficOptions) {
    const { seed, flows: count } = options;
    const profile: TrafficProfile = TRAFFIC_PROFILES[options.profile];
    const zipf = options.zipf ?? profile.zipf;
    const fail = (found: string): InputError => impossible(options.profile, found);
    const draw = new SeededRandom(seed, Stream.Flows);
    const wish = profile.wish(topology, draw);
    if (typeof wish === 'string') throw fail(wish);
    const flows = new Flows(topology, count, wish, draw, fail);
    const random = new SeededRandom(seed, Stream.Script);
    const { targets } = wish;
    this.#options = options;
    this.#script = profile.script({ topology, targets, flows, frames: this.#frames, random, zipf });
    this.#ranks = new ZipfRanks(count, zipf);
    this.#arrivals = new SeededRandom(seed, Stream.Arrivals);
    this.#damage = new SeededRandom(seed, Stream.Damage);
    this.#isBusy = new Uint8Array(count);
    this.#meanNs = (this.#script.packetsPerExchange / (options.rate ?? RATE)) * NS_PER_SECOND;
    this.#badShare = (options.badPermille ?? 0) / 1_000;
    this.#arriving = this.#ranks.draw(this.#arrivals);
  }

  get connections(): number {
    return this.#script.connections;
  }

  /** Give about `burst` packets to `sink`. Returns how many; 0 at the end. */
  run(sink: TrafficSink, burst: number): number {
    const { packets: limit } = this.#options;
    const frames = this.#frames;
    const before = this.packets;
    const end = Math.min(limit, before + burst);
    while (this.packets < end) {
      const flow = this.#nextFlow();
      const delayNs = this.#script.step(flow);
      if (delayNs === IDLE) this.#isBusy[flow] = 0;
      else this.#schedule.push(this.nowNs + delayNs, flow);
      this.#give(sink, frames.bytes, frames.at, frames.length);
      if (this.#badShare > 0 && this.packets < limit && this.#damage.unit() < this.#badShare)
        this.#giveDamaged(sink);
    }
    return this.packets - before;
  }

  /** The flow whose packet is next. One that is drawn while it is at work is waited for, and with it the later
   *  ones, so that the shares of the flows are right at any rate. */
  #nextFlow(): number {
    const flow = this.#arriving;
    if (this.#isBusy[flow] === 1 || this.#schedule.nextNs < this.#arrivalNs) {
      this.nowNs = this.#schedule.nextNs;
      return this.#schedule.pop();
    }
    this.nowNs = Math.max(this.nowNs, this.#arrivalNs);
    this.#isBusy[flow] = 1;
    this.#arriving = this.#ranks.draw(this.#arrivals);
    this.#arrivalNs = this.nowNs + Math.floor(this.#arrivals.exponential(this.#meanNs));
    return flow;
  }

  #give(sink: TrafficSink, bytes: Uint8Array, offset: number, length: number): void {
    this.packets++;
    this.bytes += length;
    sink.packet(this.#frames.pod, this.nowNs, bytes, offset, length);
  }

  #giveDamaged(sink: TrafficSink): void {
    const { bytes, at, length } = this.#frames;
    const copy = this.#damagedFrame;
    copy.take(bytes, at, length, this.#damage);
    this.damaged++;
    this.#give(sink, copy.bytes, 0, copy.length);
  }
}

const impossible = (profile: string, found: string): InputError =>
  new InputError([{ file: `profile ${profile}`, at: null, subject: '', field: '', found, wanted: '' }]);
