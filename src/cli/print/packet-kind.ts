/** What a packet is, in two or three words: `TCP SYN`, `ICMP port unreachable`, `ARP request`. */
import type { DecodedFrame, DecodedIcmp } from '../../packet/decode.js';
import { ARP_REQUEST } from '../../wire/arp.js';
import { PROTOCOL } from '../../wire/ipv4.js';

/** By bit, lowest first (RFC 9293 section 3.1). */
const FLAG_NAMES = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG', 'ECE', 'CWR'];

/** By type and code (RFC 792, RFC 1812 section 5.2.7.1). */
const ICMP_NAMES: Readonly<Record<string, string>> = {
  '0/0': 'echo reply',
  '3/0': 'network unreachable',
  '3/1': 'host unreachable',
  '3/3': 'port unreachable',
  '3/4': 'fragmentation needed',
  '8/0': 'echo request',
  '11/0': 'TTL exceeded',
};

export function packetKind(frame: DecodedFrame | null): string {
  if (frame === null) return 'truncated frame';
  if (frame.arp !== undefined) return frame.arp.oper === ARP_REQUEST ? 'ARP request' : 'ARP reply';
  const { ip } = frame;
  if (ip === undefined) return `EtherType 0x${frame.etherType.toString(16).padStart(4, '0')}`;
  if (ip.tcp !== undefined) return `TCP ${flagNames(ip.tcp.flags)}`;
  if (ip.icmp !== undefined) return `ICMP ${icmpName(ip.icmp)}`;
  return ip.protocol === PROTOCOL.UDP
    ? 'UDP'
    : ip.protocol === PROTOCOL.TCP
      ? 'TCP'
      : `protocol ${ip.protocol}`;
}

const flagNames = (flags: number): string =>
  FLAG_NAMES.filter((_, bit) => ((flags >> bit) & 1) === 1).join('+') || 'without flags';

const icmpName = ({ type, code }: DecodedIcmp): string => ICMP_NAMES[`${type}/${code}`] ?? `${type}/${code}`;
