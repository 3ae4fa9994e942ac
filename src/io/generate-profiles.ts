/** The traffic profiles by name: which flows each wants, and the script that speaks for them. */
import { PROTOCOL } from '../wire/ipv4.js';
import { DnsScript } from './generate-dns.js';
import type { FlowWish } from './generate-draw.js';
import type { Flows } from './generate-flows.js';
import type { TrafficFrames } from './generate-frames.js';
import type { SeededRandom } from './generate-random.js';
import type { TrafficScript } from './generate-script.js';
import { IMIX, SMALL, StreamScript } from './generate-stream.js';
import { SynFloodScript } from './generate-synflood.js';
import { isServed, type TrafficTarget, type TrafficTopology } from './generate-topology.js';
import { WebScript } from './generate-web.js';

export interface TrafficProfile {
  /** One sentence for help texts. */
  readonly sentence: string;
  /** Zipf exponent unless the user gives one. */
  readonly zipf: number;
  /** Returns what is missing in the cluster as a text. */
  readonly wish: (topology: TrafficTopology, random: SeededRandom) => FlowWish | string;
  readonly script: (parts: ScriptParts) => TrafficScript;
}

export interface ScriptParts {
  readonly topology: TrafficTopology;
  readonly targets: readonly TrafficTarget[];
  readonly flows: Flows;
  readonly frames: TrafficFrames;
  readonly random: SeededRandom;
  readonly zipf: number;
}

const SERVICE_SHARE = 0.6;

const tcpTargets = ({ targets }: TrafficTopology): readonly TrafficTarget[] =>
  targets.filter(({ protocol }) => protocol === PROTOCOL.TCP);
const streamWish = (topology: TrafficTopology): FlowWish => ({
  targets: topology.targets,
  serviceShare: SERVICE_SHARE,
  closedShare: 0,
});

export const TRAFFIC_PROFILES = {
  web: {
    sentence:
      'HTTP to Services and pods: DNS query, handshake, requests and answers, close; a few attempts fail',
    zipf: 1,
    wish: (topology) => ({
      targets: tcpTargets(topology),
      serviceShare: SERVICE_SHARE,
      closedShare: 0.02,
    }),
    script: ({ flows, frames, random, targets }) => new WebScript(flows, frames, random, targets),
  },
  dns: {
    sentence: 'A queries to cluster DNS and their answers, some NXDOMAIN',
    zipf: 1,
    wish: ({ dns, names }) =>
      dns === null || names.length === 0
        ? 'the cluster has no DNS Service'
        : { targets: [dns], serviceShare: 1, closedShare: 0 },
    script: ({ topology, flows, frames, random, zipf }) =>
      new DnsScript(flows, frames, random, topology.names, topology.zone, zipf),
  },
  imix: {
    sentence: 'established TCP and UDP, frames of 64, 570 and 1,450 bytes, 7 to 4 to 1',
    zipf: 1,
    wish: streamWish,
    script: ({ flows, frames, random }) => new StreamScript(flows, frames, random, IMIX),
  },
  small: {
    sentence: 'established TCP and UDP, frames of 64 bytes',
    zipf: 1,
    wish: streamWish,
    script: ({ flows, frames, random }) => new StreamScript(flows, frames, random, SMALL),
  },
  synflood: {
    sentence: 'SYNs to one Service, each from another source port, no answers',
    zipf: 0,
    wish: (topology, random) => {
      const services = tcpTargets(topology).filter((target) => target.kind === 'service' && isServed(target));
      const victim = services[random.below(Math.max(services.length, 1))];
      return victim === undefined
        ? 'the cluster has no TCP Service with a ready endpoint in a pod'
        : { targets: [victim], serviceShare: 1, closedShare: 0 };
    },
    script: ({ flows, frames, random }) => new SynFloodScript(flows, frames, random),
  },
} as const satisfies Record<string, TrafficProfile>;

export type TrafficProfileName = keyof typeof TRAFFIC_PROFILES;
