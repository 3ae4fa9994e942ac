/** Time by stage and kernel as histograms in cells of f64, so that engines add up; and the table that comes of them.
 *
 *  Of each row: packets | packets measured | buckets of those. A bucket is a sixteenth of an octave wide, below 16 ns one
 *  nanosecond: what is read from it is within three percent. */
import { GRAPH } from './graph.js';

/** Rows behind the stages: the kernels, which work on many packets in one call. */
export const KERNEL_NAMES = ['five-tuple', 'look-up', 'short-way'] as const;

const HEAD = { PACKETS: 0, MEASURED: 1, SIZE: 2 } as const;
const STEPS = 16;
const OCTAVES_MAX = 31;
const BUCKETS = (OCTAVES_MAX - 2) * STEPS;
const ROW = HEAD.SIZE + BUCKETS;

export const STAGE_CELLS = (GRAPH.length + KERNEL_NAMES.length) * ROW;

export interface StageTime {
  /** Name of the stage or kernel. */
  readonly stage: string;
  readonly device: string;
  readonly packets: number;
  readonly measured: number;
  readonly medianNs: number;
  /** Without the slowest hundredth, in which the thread was not running, or memory was being cleared. */
  readonly meanNs: number;
  /** Part of the mean times of all packets and rows, 0 to 1. */
  readonly share: number;
}

/** Packets came to a row. */
export function countPackets(cells: Float64Array, row: number, packets: number): void {
  cells[row * ROW + HEAD.PACKETS]! += packets;
}

/** `packets` of them took `ns` nanoseconds together. */
export function countTime(cells: Float64Array, row: number, packets: number, ns: number): void {
  if (packets === 0) return;
  const at = row * ROW;
  cells[at + HEAD.MEASURED]! += packets;
  cells[at + HEAD.SIZE + bucketOf(ns / packets)]! += packets;
}

/** Rows that packets came to, in the order of the graph, kernels first. */
export function stageTimes(cells: Float64Array): StageTime[] {
  const kernels = KERNEL_NAMES.map((_, i) => GRAPH.length + i);
  const rows = [...kernels, ...GRAPH.keys()].filter((row) => cells[row * ROW + HEAD.PACKETS]! > 0);
  const totals = rows.map((row) => meanOf(cells, row) * cells[row * ROW + HEAD.PACKETS]!);
  const all = totals.reduce((sum, total) => sum + total, 0);
  return rows.map((row, i) => ({
    stage: GRAPH[row]?.name ?? KERNEL_NAMES[row - GRAPH.length]!,
    device: GRAPH[row]?.device ?? 'kernel',
    packets: cells[row * ROW + HEAD.PACKETS]!,
    measured: cells[row * ROW + HEAD.MEASURED]!,
    medianNs: medianOf(cells, row),
    meanNs: meanOf(cells, row),
    share: all > 0 ? totals[i]! / all : 0,
  }));
}

function meanOf(cells: Float64Array, row: number): number {
  const measured = cells[row * ROW + HEAD.MEASURED]!;
  const kept = measured - Math.ceil(measured / 100);
  let left = kept;
  let sum = 0;
  for (let bucket = 0; left > 0; bucket++) {
    const packets = Math.min(left, cells[row * ROW + HEAD.SIZE + bucket]!);
    sum += packets * middleOf(bucket);
    left -= packets;
  }
  return kept === 0 ? medianOf(cells, row) : sum / kept;
}

function medianOf(cells: Float64Array, row: number): number {
  const half = cells[row * ROW + HEAD.MEASURED]! / 2;
  const first = row * ROW + HEAD.SIZE;
  let seen = 0;
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    seen += cells[first + bucket]!;
    if (seen > 0 && seen >= half) return middleOf(bucket);
  }
  return 0;
}

/** Bucket of a time. */
export function bucketOf(ns: number): number {
  const whole = Math.min(Math.max(0, Math.floor(ns)), 0x7fffffff);
  if (whole < STEPS) return whole;
  const octave = 31 - Math.clz32(whole);
  return (octave - 3) * STEPS + ((whole >>> (octave - 4)) & (STEPS - 1));
}

/** The time in the middle of a bucket. */
export function middleOf(bucket: number): number {
  if (bucket < STEPS) return bucket + 0.5;
  const octave = Math.floor(bucket / STEPS) + 3;
  const width = 2 ** (octave - 4);
  return 2 ** octave + (bucket % STEPS) * width + width / 2;
}
