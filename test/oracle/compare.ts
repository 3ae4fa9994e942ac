/** Holds two lists of sightings against each other: same places, same order there, same bytes under the masks. */
import { decodeFields } from './decode-fields.js';
import { type MaskContext, masked, UNSEEN } from './masks.js';
import type { PodplaneSighting } from './podplane-side.js';
import type { Sighting } from './witness.js';

export interface Difference {
  /** `node1:tun0 in`. */
  readonly place: string;
  readonly kind: 'bytes' | 'only in the witness' | 'only in podplane';
  readonly witness?: Uint8Array;
  readonly podplane?: Uint8Array;
}

export interface Comparison {
  readonly frames: number;
  readonly differences: readonly Difference[];
}

export interface CompareOptions {
  readonly vxlanPort: number;
  readonly masquerades: ReadonlySet<number>;
  /** ARP of the nodes is the case's own subject. */
  readonly comparesArp: boolean;
}

const NOBODY: readonly never[] = [];

export function compareSightings(
  witness: readonly Sighting[],
  podplane: readonly PodplaneSighting[],
  options: CompareOptions,
): Comparison {
  const isHidden = (bytes: Uint8Array): boolean =>
    !options.comparesArp && UNSEEN.some((one) => one.covers(bytes));
  const real = group(witness.filter(({ at, bytes }) => at !== 'outside' && !isHidden(bytes)));
  const model = group(podplane);
  const differences: Difference[] = [];
  let frames = 0;
  for (const place of new Set([...real.keys(), ...model.keys()])) {
    const reals = real.get(place) ?? NOBODY;
    const models = model.get(place) ?? NOBODY;
    for (let i = 0; i < Math.max(reals.length, models.length); i++) {
      const difference = compareOne(place, reals[i], models[i], options);
      if (difference !== null) differences.push(difference);
      frames++;
    }
  }
  return { frames, differences };
}

function compareOne(
  place: string,
  real: Sighting | undefined,
  model: PodplaneSighting | undefined,
  options: CompareOptions,
): Difference | null {
  if (real === undefined) return { place, kind: 'only in podplane', podplane: model!.bytes };
  if (model === undefined) return { place, kind: 'only in the witness', witness: real.bytes };
  const { masquerades, vxlanPort } = options;
  const context: MaskContext = { masquerades, vxlanPort, isGenerated: model.isGenerated };
  const isSame = Buffer.compare(masked(real.bytes, context), masked(model.bytes, context)) === 0;
  return isSame ? null : { place, kind: 'bytes', witness: real.bytes, podplane: model.bytes };
}

function group<T extends Sighting>(sightings: readonly T[]): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const sighting of sightings) {
    const place = `${sighting.at} ${sighting.way}`;
    groups.set(place, [...(groups.get(place) ?? []), sighting]);
  }
  return groups;
}

/** Both packets, field by field; fields that differ are marked. */
export function describeDifference({ place, kind, witness, podplane }: Difference): string {
  const lines = [`${place}: ${kind === 'bytes' ? 'the bytes differ' : kind}`];
  const real = new Map(witness === undefined ? [] : decodeFields(witness));
  const model = new Map(podplane === undefined ? [] : decodeFields(podplane));
  for (const name of new Set([...real.keys(), ...model.keys()])) {
    const left = real.get(name) ?? '-';
    const right = model.get(name) ?? '-';
    const isBoth = kind === 'bytes';
    const mark = isBoth && left !== right ? '!' : ' ';
    lines.push(
      `  ${mark} ${name.padEnd(22)} ${isBoth ? `${left.padEnd(24)} ${right}` : left === '-' ? right : left}`,
    );
  }
  return lines.join('\n');
}
