/** Where each packet of a replay ended, read from the capture that the replay writes. */
import { readFileSync } from 'node:fs';

const BLOCK = { INTERFACE: 1, PACKET: 6 } as const;
const OPTION = { COMMENT: 1, NAME: 2 } as const;

export interface ReplayedPacket {
  /** A port, or `dropped`. */
  readonly at: string;
  /** Verdict and reason. */
  readonly comment: string;
  readonly bytes: Uint8Array;
  readonly tsNs: bigint;
}

/** The packets of a pcapng file as podplane writes it: one section, nanoseconds, little-endian. */
export function readOutcomes(path: string): ReplayedPacket[] {
  const file = readFileSync(path);
  const names: string[] = [];
  const packets: ReplayedPacket[] = [];
  for (let at = 0; at < file.length; at += file.readUInt32LE(at + 4)) {
    const end = at + file.readUInt32LE(at + 4) - 4;
    if (file.readUInt32LE(at) === BLOCK.INTERFACE) names.push(option(file, at + 16, end, OPTION.NAME));
    if (file.readUInt32LE(at) !== BLOCK.PACKET) continue;
    const length = file.readUInt32LE(at + 20);
    packets.push({
      at: names[file.readUInt32LE(at + 8)]!,
      tsNs: (BigInt(file.readUInt32LE(at + 12)) << 32n) | BigInt(file.readUInt32LE(at + 16)),
      bytes: file.subarray(at + 28, at + 28 + length),
      comment: option(file, at + 28 + ((length + 3) & ~3), end, OPTION.COMMENT),
    });
  }
  return packets;
}

/** Text of the first option with this code, or empty. */
function option(file: Buffer, from: number, end: number, code: number): string {
  for (let at = from; at + 4 <= end; at += 4 + ((file.readUInt16LE(at + 2) + 3) & ~3)) {
    const length = file.readUInt16LE(at + 2);
    if (file.readUInt16LE(at) === code) return file.toString('utf8', at + 4, at + 4 + length);
  }
  return '';
}
