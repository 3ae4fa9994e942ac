/** Ethernet II header, 14 bytes, IEEE 802.3: Destination(48) Source(48) EtherType(16). No FCS, as captures have it. */

export const ETHERNET = { DST: 0, SRC: 6, TYPE: 12, SIZE: 14 } as const;
export const ETHERTYPE = { IPV4: 0x0800, ARP: 0x0806, IPV6: 0x86dd, VLAN: 0x8100, SVLAN: 0x88a8 } as const;

export const etherType = (p: DataView, at: number): number => p.getUint16(at + ETHERNET.TYPE);
export const ethDstHi = (p: DataView, at: number): number => p.getUint16(at + ETHERNET.DST);
export const ethDstLo = (p: DataView, at: number): number => p.getUint32(at + ETHERNET.DST + 2);
export const ethSrcHi = (p: DataView, at: number): number => p.getUint16(at + ETHERNET.SRC);
export const ethSrcLo = (p: DataView, at: number): number => p.getUint32(at + ETHERNET.SRC + 2);

/** Group bit of the destination: broadcast or multicast. */
export const isGroupMac = (hi: number): boolean => (hi & 0x0100) !== 0;

export function setEthDst(p: DataView, at: number, hi: number, lo: number): void {
  p.setUint16(at + ETHERNET.DST, hi);
  p.setUint32(at + ETHERNET.DST + 2, lo);
}

export function setEthSrc(p: DataView, at: number, hi: number, lo: number): void {
  p.setUint16(at + ETHERNET.SRC, hi);
  p.setUint32(at + ETHERNET.SRC + 2, lo);
}

export function writeEthernet(
  p: DataView,
  at: number,
  dstHi: number,
  dstLo: number,
  srcHi: number,
  srcLo: number,
  type: number,
): void {
  setEthDst(p, at, dstHi, dstLo);
  setEthSrc(p, at, srcHi, srcLo);
  p.setUint16(at + ETHERNET.TYPE, type);
}
