/** The words in which the witness's cases are written. */
import type { Datapath } from './plan.js';

/** One packet of a case: sent as written, or the answer of the pod that got the last one. */
export type Step =
  | {
      /** Port: a pod of the test cluster, `nic1`, `nic2` for a frame from the underlay, or
       *  `tun1`, `tun2` for what the node's own stack sends. */
      readonly from: string;
      /** The packet, in the words of test/support/packets. */
      readonly send: string;
      /** MACs by name, `a > tun1`, where the sender's routing would write others. */
      readonly via?: string;
      /** Damage it before it is sent. */
      readonly damage?: (frame: Uint8Array) => Uint8Array;
      /** Seconds that pass afterwards, on both sides. */
      readonly wait?: number;
      /** Sent to fill the switch's flow cache, and not compared: the first packet of a flow goes through userspace. */
      readonly isWarmUp?: boolean;
    }
  | { readonly answer: 'from the pod that got it' };

export type RandomPort = boolean | 'of the gateways' | 'of the sender';

export interface Scenario {
  readonly name: string;
  readonly why: string;
  readonly steps: readonly Step[];
  /** The pods' own stacks answer. */
  readonly isLive?: boolean;
  /** Netfilter takes a random source port on the way: with any address of a node, a gateway's alone, or the sender's own. */
  readonly hasRandomPort?: RandomPort;
  /** The Service remembers its clients, so only the first choice is the kernel's: podplane must remember it as well. */
  readonly isSticky?: boolean;
  /** Why what the witness captured of it is not replayed. */
  readonly notReplayed?: string;
  /** ARP frames are compared too. */
  readonly comparesArp?: boolean;
  /** Podplane is known to differ, and why: the case is red when it does not. */
  readonly knownDifference?: string;
  /** Why a witness with this datapath says nothing true about the case. */
  readonly notIn?: Partial<Readonly<Record<Datapath, string>>>;
}

const UN_NAT =
  'userspace Open vSwitch tracks connections apart from netfilter, so replies of Services stay as they are';

/** For cases whose answer is translated back in br0. */
export const NEEDS_KERNEL = { notIn: { netdev: UN_NAT } } as const;

/** For frames longer than their packet. */
export const NEEDS_KERNEL_CT = {
  notIn: { netdev: "userspace Open vSwitch's conntrack does not cut padding off" },
} as const;

export const ANSWER: Step = { answer: 'from the pod that got it' };

const IP = 14;

/** Break the IPv4 header's checksum. */
export const badIpv4Checksum = (frame: Uint8Array): Uint8Array => flip(frame, IP + 10);

/** Break the transport's checksum; the header has no options. */
export const badTransportChecksum = (frame: Uint8Array): Uint8Array =>
  flip(frame, IP + 20 + (frame[IP + 9] === 6 ? 16 : frame[IP + 9] === 17 ? 6 : 2));

/** Say that there is no UDP checksum. */
export function noUdpChecksum(frame: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(frame);
  copy.fill(0, IP + 26, IP + 28);
  return copy;
}

function flip(frame: Uint8Array, at: number): Uint8Array {
  const copy = Uint8Array.from(frame);
  copy[at]! ^= 0x55;
  return copy;
}

/** Put bytes behind the packet, as Ethernet pads short frames. */
export const padded =
  (size: number) =>
  (frame: Uint8Array): Uint8Array =>
    Uint8Array.of(...frame, ...new Uint8Array(Math.max(0, size - frame.length)));
