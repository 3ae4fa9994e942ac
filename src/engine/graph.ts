/** The path as data: every stage, the device it stands for, where its edges lead, and where packets enter. */
import { hostArp } from '../stages/arp.js';
import { podLoopback } from '../stages/block-output.js';
import { BridgeNext, bridge } from '../stages/bridge.js';
import {
  ForwardNext,
  forward,
  hostOutput,
  PostroutingNext,
  PreroutingNext,
  postrouting,
  prerouting,
  Tun0InputNext,
  tun0Input,
} from '../stages/host.js';
import { hostInput } from '../stages/host-input.js';
import { NicNeighbourNext, nicNeighbour, Tun0OutputNext, tun0Output } from '../stages/neighbour.js';
import { NicInputNext, NicOutputNext, nicInput, nicOutput } from '../stages/nic.js';
import { PodOutputNext, podInput, podOutput } from '../stages/pod.js';
import { Waits } from '../stages/reassembly.js';
import { VxlanInputNext, VxlanOutputNext, vxlanInput, vxlanOutput } from '../stages/tunnel.js';
import { Entry, type Walk } from '../stages/walk.js';
import { PORT_KIND } from '../tables/nodes.js';

interface StageRow {
  readonly name: string;
  readonly device: string;
  readonly run: (w: Walk) => number;
  /** Edge number -> stage name. */
  readonly next: Readonly<Record<number, string>>;
}

/** In the order in which a packet to a Service on another node meets them. */
export const GRAPH: readonly StageRow[] = [
  { name: 'pod-output', device: 'eth0', run: podOutput, next: { [PodOutputNext.Bridge]: 'bridge' } },
  {
    name: 'bridge',
    device: 'br0',
    run: bridge,
    next: {
      [BridgeNext.Vxlan0]: 'vxlan-output',
      [BridgeNext.Tun0]: 'tun0-input',
      [BridgeNext.Pod]: 'pod-input',
    },
  },
  {
    name: 'tun0-input',
    device: 'tun0',
    run: tun0Input,
    next: { [Tun0InputNext.Prerouting]: 'prerouting', [Tun0InputNext.Arp]: 'arp' },
  },
  {
    name: 'prerouting',
    device: 'netfilter',
    run: prerouting,
    next: { [PreroutingNext.Forward]: 'forward', [PreroutingNext.Input]: 'host-input' },
  },
  { name: 'forward', device: 'netfilter', run: forward, next: { [ForwardNext.Postrouting]: 'postrouting' } },
  {
    name: 'postrouting',
    device: 'netfilter',
    run: postrouting,
    next: { [PostroutingNext.Tun0]: 'tun0-output', [PostroutingNext.Nic]: 'nic-neighbour' },
  },
  { name: 'tun0-output', device: 'tun0', run: tun0Output, next: { [Tun0OutputNext.Bridge]: 'bridge' } },
  { name: 'vxlan-output', device: 'vxlan0', run: vxlanOutput, next: { [VxlanOutputNext.Nic]: 'nic-output' } },
  {
    name: 'nic-neighbour',
    device: 'eth0',
    run: nicNeighbour,
    next: { [NicNeighbourNext.Nic]: 'nic-output' },
  },
  { name: 'nic-output', device: 'eth0', run: nicOutput, next: { [NicOutputNext.Network]: 'nic-input' } },
  {
    name: 'nic-input',
    device: 'eth0',
    run: nicInput,
    next: {
      [NicInputNext.Vxlan]: 'vxlan-input',
      [NicInputNext.Prerouting]: 'prerouting',
      [NicInputNext.Arp]: 'arp',
    },
  },
  { name: 'vxlan-input', device: 'vxlan0', run: vxlanInput, next: { [VxlanInputNext.Bridge]: 'bridge' } },
  { name: 'pod-input', device: 'eth0', run: podInput, next: {} },
  { name: 'host-input', device: 'host', run: hostInput, next: {} },
  {
    name: 'host-output',
    device: 'host',
    run: hostOutput,
    next: {
      [PostroutingNext.Tun0]: 'tun0-output',
      [PostroutingNext.Nic]: 'nic-neighbour',
      [PostroutingNext.Input]: 'host-input',
    },
  },
  { name: 'arp', device: 'host', run: hostArp, next: {} },
  { name: 'pod-loopback', device: 'lo', run: podLoopback, next: {} },
];

export const EDGES_MAX = 4;
/** More stages than the longest real path has. */
export const STEPS_MAX = 64;

const stageNumber = (name: string): number => {
  const number = GRAPH.findIndex((row) => row.name === name);
  if (number < 0) throw new Error(`no stage ${name}`);
  return number;
};

/** Stage behind edge e of stage s, at s * EDGES_MAX + e; -1 where there is no such edge. */
export const NEXT_STAGE: Int8Array = (() => {
  const next = new Int8Array(GRAPH.length * EDGES_MAX).fill(-1);
  GRAPH.forEach((row, stage) => {
    for (const [edge, name] of Object.entries(row.next))
      next[stage * EDGES_MAX + Number(edge)] = stageNumber(name);
  });
  return next;
})();

/** Stage at which each Entry begins. */
export const ENTRY_STAGE: readonly number[] = (() => {
  const stages: number[] = [];
  stages[Entry.POD] = stageNumber('pod-output');
  stages[Entry.NIC] = stageNumber('nic-input');
  stages[Entry.HOST] = stageNumber('host-output');
  stages[Entry.BRIDGE_FROM_TUN0] = stageNumber('bridge');
  stages[Entry.NIC_OUTPUT] = stageNumber('nic-output');
  stages[Entry.POD_LOOPBACK] = stageNumber('pod-loopback');
  return stages;
})();

/** Stage at which what comes in by a kind of port begins. */
export const PORT_STAGE: readonly number[] = (() => {
  const stages: number[] = [];
  stages[PORT_KIND.POD] = ENTRY_STAGE[Entry.POD]!;
  stages[PORT_KIND.NIC] = ENTRY_STAGE[Entry.NIC]!;
  stages[PORT_KIND.TUN] = ENTRY_STAGE[Entry.HOST]!;
  return stages;
})();

/** Stage at which copies begin. */
export const BRIDGE_STAGE = stageNumber('bridge');

/** Stage at which packets wait. */
export const WAIT_STAGE = stageNumber('tun0-output');

/** Stage at which fragments wait, by Waits. */
export const FRAGMENT_STAGE: readonly number[] = (() => {
  const stages: number[] = [];
  stages[Waits.BRIDGE] = stageNumber('bridge');
  stages[Waits.PREROUTING] = stageNumber('prerouting');
  stages[Waits.OUTPUT] = stageNumber('host-output');
  stages[Waits.POD] = stageNumber('pod-input');
  return stages;
})();
