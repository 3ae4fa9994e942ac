/** Runs cases through witness and podplane, step by step, and gathers what differs. */
import { parseIpv4 } from '../../src/addr/ipv4.js';
import { parseMac } from '../../src/addr/mac.js';
import { createArena } from '../../src/packet/batch.js';
import { buildArp } from '../../src/packet/build.js';
import type { Epoch } from '../../src/tables/epoch.js';
import { answerTo } from './answer.js';
import { type Comparison, compareSightings, type Difference, describeDifference } from './compare.js';
import { OuterPorts } from './outer-ports.js';
import type { Plan, PodPlan } from './plan.js';
import { PodplaneSide, type PodplaneSighting } from './podplane-side.js';
import type { Recording } from './recording.js';
import type { RandomPort } from './scenario.js';
import type { Injection, Sighting, Witness } from './witness.js';

/** A case with its frames made. A step may depend on what the pods got so far, which both sides see for themselves. */
export interface Case {
  readonly name: string;
  readonly steps: readonly CaseStep[];
  readonly isLive: boolean;
  readonly hasRandomPort: RandomPort;
  readonly isSticky: boolean;
  readonly isReplayed: boolean;
  readonly comparesArp: boolean;
  /** Why the two are known to differ here, or empty. */
  readonly knownDifference: string;
}

export type CaseStep =
  | { readonly frame: Injection; readonly waitSeconds: number; readonly isWarmUp: boolean }
  | { readonly isAnswer: true };

export interface CaseResult {
  readonly name: string;
  readonly frames: number;
  readonly knownDifference: string;
  readonly differences: readonly Difference[];
  /** What is wrong with the outer source ports of either side. */
  readonly faults: readonly string[];
  /** Reasons that podplane gave, for the count of what the cases reached. */
  readonly outcomes: readonly string[];
}

export interface Bench {
  readonly witness: Witness;
  readonly plan: Plan;
  /** Epoch that podplane walks; the witness was built from another one when a rule is broken on purpose. */
  readonly epoch: Epoch;
  /** Where what the witness saw is noted, if anybody wants it. */
  readonly recording?: Recording;
}

const WARM_UP_TRIES = 40;

/** Send from one pod of each node to another until it arrives: a young switch may not take first packets yet.
 *  @throws Error when one never does. */
export async function warmUp({ witness, plan }: Bench): Promise<void> {
  for (const from of plan.nodes.map(({ name }) => plan.pods.find(({ node }) => node === name))) {
    const to = plan.pods.find((pod) => pod.node === from?.node && pod !== from);
    if (from === undefined || to === undefined) continue;
    const question = questionFor(from, to);
    let hasArrived = false;
    for (let i = 0; i < WARM_UP_TRIES && !hasArrived; i++) {
      const seen = await witness.inject([{ at: `pod:${from.name}`, bytes: question }], 250, LIMIT_MS);
      hasArrived = seen.some(({ at, way }) => at === `pod:${to.name}` && way === 'in');
    }
    if (!hasArrived) throw new Error(`the bridge of ${from.node} takes no packets`);
  }
}

/** ARP, which every policy lets through. */
function questionFor(from: PodPlan, to: PodPlan): Uint8Array {
  const arena = createArena(256);
  const mac = parseMac(from.mac)!;
  const { offset, length } = buildArp(arena, {
    dstMacHi: 0xffff,
    dstMacLo: 0xffffffff,
    srcMacHi: mac.hi,
    srcMacLo: mac.lo,
    oper: 1,
    senderMacHi: mac.hi,
    senderMacLo: mac.lo,
    sender: parseIpv4(from.address.split('/')[0]!),
    targetMacHi: 0,
    targetMacLo: 0,
    target: parseIpv4(to.address.split('/')[0]!),
  });
  return arena.bytes.slice(offset, offset + length);
}

/** Long enough for the slowest first packet: the switch's slow path, under emulation. */
const QUIET_MS = { guest: 150, namespaces: 90 } as const;
/** Frames that podplane expects are waited for longer: the machine may be busy, and what comes late would be the next case's. */
const PATIENCE_MS = 1500;
const LIMIT_MS = 5000;

export async function runCases(
  bench: Bench,
  cases: readonly Case[],
  onResult: (result: CaseResult) => void = () => {},
): Promise<CaseResult[]> {
  const silentSide = new PodplaneSide(bench.epoch, false);
  const liveSide = new PodplaneSide(bench.epoch, true);
  const results: CaseResult[] = [];
  const { vxlanPort } = bench.plan;
  const ports = { real: new OuterPorts(vxlanPort), model: new OuterPorts(vxlanPort) };
  // Switching the pods' stacks takes a while, so the cases that want them live come together at the end.
  for (const one of [...cases].sort((x, y) => Number(x.isLive) - Number(y.isLive))) {
    await setStacks(bench, one);
    const result = await runCase(bench, one.isLive ? liveSide : silentSide, ports, one);
    results.push(result);
    onResult(result);
  }
  return results;
}

/** In a live case all pods' stacks answer but the sender's: the client's socket is in no case, and would be missed. */
function setStacks({ witness, plan }: Bench, one: Case): Promise<void> {
  const first = one.steps[0];
  const sender = first !== undefined && 'frame' in first ? first.frame.at : '';
  return witness.silence(
    plan.prefix,
    Object.fromEntries(plan.pods.map(({ space, name }) => [space, !one.isLive || `pod:${name}` === sender])),
  );
}

async function runCase(
  bench: Bench,
  side: PodplaneSide,
  ports: { readonly real: OuterPorts; readonly model: OuterPorts },
  one: Case,
): Promise<CaseResult> {
  const masquerades = randomEnds(bench.epoch, one);
  const differences: Difference[] = [];
  const outcomes: string[] = [];
  const faults: string[] = [];
  let frames = 0;
  let real: readonly Sighting[] = [];
  let model: readonly Sighting[] = [];
  for (const [number, step] of one.steps.entries()) {
    const forReal = frameToSend(step, real, bench.plan);
    const forModel = frameToSend(step, model, bench.plan);
    // The frame to be answered did not arrive: said once, when it was missing.
    if (forReal === null || forModel === null) break;
    const seconds = 'frame' in step ? step.waitSeconds : 0;
    // With one endpoint at most podplane's walk is known beforehand, and says how many frames to wait for.
    const isFree = hasChoice(bench.epoch, forModel.bytes) && !(one.isSticky && number > 0);
    const early = isFree ? null : side.send(forModel, -1);
    const expected = early === null ? 0 : visible(early.sightings, one, bench).length;
    real = await witnessStep(bench, forReal, seconds, expected);
    if (isReplayable(one)) bench.recording?.add(forReal, real, seconds);
    const walked = early ?? side.send(forModel, pickOf(bench.epoch, real));
    const waited = seconds > 0 ? side.wait(seconds).sightings : [];
    const sightings = [...walked.sightings, ...waited];
    model = sightings;
    outcomes.push(walked.reason === 'None' ? walked.verdict : `${walked.verdict} ${walked.reason}`);
    if ('frame' in step && step.isWarmUp) continue;
    const comparison: Comparison = compareSightings(real, visible(sightings, one, bench), {
      vxlanPort: bench.plan.vxlanPort,
      masquerades,
      comparesArp: one.comparesArp,
    });
    frames += comparison.frames;
    faults.push(
      ...ports.real.faults(real).map((fault) => `witness ${fault}`),
      ...ports.model.faults(sightings).map((fault) => `podplane ${fault}`),
    );
    differences.push(...comparison.differences);
  }
  const { name, knownDifference } = one;
  return { name, frames, knownDifference, differences, faults, outcomes };
}

/** A replay makes stacks' answers itself, and cannot know a random port again. */
const isReplayable = ({ isLive, isReplayed, hasRandomPort }: Case): boolean =>
  isReplayed && !isLive && hasRandomPort === false;

/** The frame of a step: the one written there, or the answer to what a pod got; null when no pod got any. */
export function frameToSend(step: CaseStep, seen: readonly Sighting[], plan: Plan): Injection | null {
  if ('frame' in step) return step.frame;
  const arrived = seen.findLast(({ at, way }) => way === 'in' && at.startsWith('pod:'));
  const pod = plan.pods.find(({ name }) => `pod:${name}` === arrived?.at);
  return arrived === undefined || pod === undefined
    ? null
    : { at: arrived.at, bytes: answerTo(arrived.bytes, pod, plan) };
}

async function witnessStep(
  { witness }: Bench,
  frame: Injection,
  seconds: number,
  expected: number,
): Promise<Sighting[]> {
  // A frame for a NIC comes from the underlay; podplane takes it where it arrives.
  const at = /:eth0$/.test(frame.at) ? 'outside' : frame.at;
  const isExpected = expected > 0 && seconds === 0;
  const quietMs = isExpected ? PATIENCE_MS : Math.max(QUIET_MS[witness.kind], seconds * 1000);
  const limitMs = LIMIT_MS + seconds * 1000;
  return witness.inject([{ at, bytes: frame.bytes }], quietMs, limitMs, seconds > 0 ? 0 : expected);
}

/** What of podplane's sightings the witness can have: at its devices, and of pods only where their stacks are live. */
const visible = (
  sightings: readonly PodplaneSighting[],
  { isLive }: Case,
  { plan }: Bench,
): readonly PodplaneSighting[] =>
  sightings.filter(
    ({ at, isFromPod }) => (isLive || !isFromPod) && plan.captures.some(({ name }) => name === at),
  );

/** Does the frame go to a Service with more than one endpoint? */
function hasChoice(epoch: Epoch, frame: Uint8Array): boolean {
  const { services } = epoch.tables;
  if (frame.length < 34) return false;
  const destination = new DataView(frame.buffer, frame.byteOffset).getUint32(30);
  for (let row = 0; row < services.rows; row++)
    if (services.ip[row] === destination && services.count[row]! > 1) return true;
  return false;
}

/** Endpoint row that the kernel chose, as the first frame behind a node's netfilter shows; -1 when none did. */
function pickOf(epoch: Epoch, seen: readonly Sighting[]): number {
  const { endpoints } = epoch.tables;
  for (const { at, way, bytes } of seen) {
    if (!at.endsWith(':tun0') || way !== 'out' || bytes.length < 38 || bytes[12] !== 8 || bytes[13] !== 0)
      continue;
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const address = view.getUint32(30);
    const port = view.getUint16(14 + (bytes[14]! & 15) * 4 + 2);
    for (let row = 0; row < endpoints.rows; row++)
      if (endpoints.address[row] === address && endpoints.port[row] === port && isAsked(epoch, row, seen))
        return row;
  }
  return -1;
}

/** Is the endpoint of the very Service that the packet was sent to? */
function isAsked(epoch: Epoch, row: number, seen: readonly Sighting[]): boolean {
  const { endpoints, services } = epoch.tables;
  const ip = services.ip[endpoints.service[row]!]!;
  return seen.some(({ at, way, bytes }) => {
    if (!at.endsWith(':tun0') || way !== 'in' || bytes.length < 34) return false;
    return new DataView(bytes.buffer, bytes.byteOffset).getUint32(30) === ip;
  });
}

/** Addresses behind which a case's ports are random. */
function randomEnds(epoch: Epoch, { hasRandomPort, steps }: Case): ReadonlySet<number> {
  if (hasRandomPort === false) return new Set();
  const { nodes } = epoch.tables;
  const gateways = nodes.gateway.subarray(0, nodes.rows);
  if (hasRandomPort === 'of the gateways') return new Set(gateways);
  if (hasRandomPort === true) return new Set([...gateways, ...nodes.address.subarray(0, nodes.rows)]);
  const first = steps[0]!;
  if (!('frame' in first)) return new Set();
  const { bytes } = first.frame;
  return new Set([new DataView(bytes.buffer, bytes.byteOffset).getUint32(26)]);
}

/** A difference that nobody knew of, or a known one that is no more. */
export const isRed = ({ differences, faults, knownDifference }: CaseResult): boolean =>
  faults.length > 0 || differences.length > 0 === (knownDifference === '');

/** The report of a run: one line for each case that differs, then both packets. */
export function describeResults(results: readonly CaseResult[]): string {
  const red = results.filter(isRed);
  const frames = results.reduce((sum, result) => sum + result.frames, 0);
  const head = `${results.length} cases, ${frames} frames compared, ${red.length} cases differ`;
  const parts = red.map(
    (result) =>
      `${result.name} (podplane: ${result.outcomes.join(', ')})   witness / podplane\n${[
        ...result.differences.map(describeDifference),
        ...result.faults,
        ...(result.knownDifference !== '' && result.differences.length === 0
          ? ['nothing differs any more: take the mark of a known difference away']
          : []),
      ].join('\n')}`,
  );
  return [head, ...parts].join('\n\n');
}
