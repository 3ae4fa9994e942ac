/** Expected frames from text, to be compared byte for byte with what came out.
 *
 *  `tun1 > c | a:40000 > c:8080 SYN ttl=63`: the MACs (by the names of macOf), then the packet.
 *  `tun1 > a | g1 > a icmp 3/3 tos=192 (a:40000 > none:80 SYN ttl=63)`: an ICMP error quoting a whole packet;
 *  `rest=1450` is the word behind its checksum. A `*` for the source port or the id stands for any: the kernel's
 *  choice is random there, so it is read from the actual frame. */
import { internetChecksum } from './checksum.js';
import { frameOf } from './journey.js';
import { macsOf } from './macs.js';

const IP = 14;
const L4 = 34;

/** The bytes that `text` describes, its `*` filled in from `actual`. */
export function expectedFrame(text: string, actual: Uint8Array): Uint8Array {
  const [via, packet] = text.split(' | ') as [string, string];
  const filled = fill(packet, actual);
  const error = /^(\S+) > (\S+) icmp (\d+)\/(\d+)((?: \w+=\d+)*) \((.*)\)$/.exec(filled);
  if (error === null) return frameOf(filled, macsOf(via));
  const [, from, to, type, code, keys, quoted] = error as unknown as string[];
  const numbers = Object.fromEntries([...keys!.matchAll(/(\w+)=(\d+)/g)].map(([, k, v]) => [k!, Number(v)]));
  const quote = frameOf(quoted!)
    .subarray(IP)
    .subarray(0, 576 - 28);
  const header = `ttl=${numbers['ttl'] ?? 64} tos=${numbers['tos'] ?? 0} id=${idOf(actual)} fragment=0`;
  // A datagram of the same length carries the IPv4 header; what is behind it is then written over.
  const frame = frameOf(`${from} > ${to} udp "${' '.repeat(quote.length)}" ${header}`, macsOf(via));
  const view = new DataView(frame.buffer, frame.byteOffset);
  frame[IP + 9] = 1;
  view.setUint16(IP + 10, 0);
  view.setUint16(IP + 10, internetChecksum(frame.subarray(IP, L4)));
  frame.set([Number(type), Number(code), 0, 0], L4);
  view.setUint32(L4 + 4, numbers['rest'] ?? 0);
  frame.set(quote, L4 + 8);
  view.setUint16(L4 + 2, internetChecksum(frame.subarray(L4)));
  return frame;
}

function fill(text: string, actual: Uint8Array): string {
  const view = new DataView(actual.buffer, actual.byteOffset);
  return text
    .replace(':*', () => `:${view.getUint16(L4)}`)
    .replace('id=*', () => `id=${idOf(actual)}`)
    .replace('seq=*', () => `seq=${view.getUint32(L4 + 4)}`);
}

const idOf = (frame: Uint8Array): number => frame[IP + 4]! * 256 + frame[IP + 5]!;

/** A copy of `frame` with bytes written at `at`. */
export function patched(frame: Uint8Array, at: number, ...bytes: number[]): Uint8Array {
  const copy = Uint8Array.from(frame);
  copy.set(bytes, at);
  return copy;
}

/** Bytes in hexadecimal, for comparisons that show both sides whole. */
export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex').replace(/../g, '$& ');
