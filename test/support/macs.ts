/** The MACs of the test cluster: what a sender's routing writes, and names for what a receiver must see. */
import { formatIpv4, parseIpv4, prefixContains } from '../../src/addr/ipv4.js';
import { parsePrefix } from '../../src/addr/ipv4-prefix.js';
import { NAMES, nodeOf } from './cluster.js';

interface Mac {
  readonly hi: number;
  readonly lo: number;
}
export interface Macs {
  readonly srcMac?: Mac;
  readonly dstMac?: Mac;
}

const CLUSTER = parsePrefix('10.128.0.0/14')!;
/** First two octets that compile gives a node's NIC, its tun0, and CNI a pod. */
const NIC_HI = 0x5254;
const TUN_HI = 0xc200;
const POD_HI = 0x0a58;

/** `tun1`, `nic2`, `router`, `lo`, or a name whose pod's MAC is meant. */
export function macOf(name: string): Mac {
  if (name === 'router') return { hi: NIC_HI, lo: 1 };
  if (name === 'lo') return { hi: 0, lo: 0 };
  if (name === 'all') return { hi: 0xffff, lo: 0xffffffff };
  const device = /^(tun|nic)([12])$/.exec(name);
  if (device === null)
    return isGroup(lookUp(name)) ? groupMac(lookUp(name)) : { hi: POD_HI, lo: lookUp(name) };
  return device[1] === 'tun'
    ? { hi: TUN_HI, lo: lookUp(`g${device[2]}`) }
    : { hi: NIC_HI, lo: lookUp(`n${device[2]}`) };
}

/** `source > destination` by the names of macOf. */
export function macsOf(via: string): Required<Macs> {
  const [src, dst] = via.split(' > ') as [string, string];
  return { srcMac: macOf(src), dstMac: macOf(dst) };
}

/** What the sender at port `at` writes: pods of the cluster network are on link, all else goes to the gateway. */
export function sentMacs(at: string, text: string): Macs {
  if (!/^[a-z]$/.test(at) || text.startsWith('arp') || text.startsWith('vxlan')) return {};
  const to = / > ([\w.]+)/.exec(text)![1]!;
  const destination = lookUp(to);
  if (isGroup(destination)) return { srcMac: macOf(at), dstMac: groupMac(destination) };
  const tun = `tun${nodeOf(at).slice(-1)}`;
  const isOnLink = prefixContains(CLUSTER, destination) && formatIpv4(destination) !== gatewayOf(at);
  return { srcMac: macOf(at), dstMac: isOnLink ? { hi: POD_HI, lo: destination } : macOf(tun) };
}

const isGroup = (address: number): boolean => address >>> 28 === 14;
/** RFC 1112 section 6.4. */
const groupMac = (group: number): Mac => ({ hi: 0x0100, lo: 0x5e000000 | (group & 0x7fffff) });

const gatewayOf = (pod: string): string => (nodeOf(pod) === 'node1' ? NAMES.g1 : NAMES.g2);

const lookUp = (name: string): number => parseIpv4((NAMES as Readonly<Record<string, string>>)[name] ?? name);
