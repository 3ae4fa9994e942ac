/** ARP for IPv4 over Ethernet, 28 bytes, RFC 826.
 *  HType(16) PType(16) HLen(8) PLen(8) Oper(16) SHA(48) SPA(32) THA(48) TPA(32). */

export const ARP = {
  HTYPE: 0,
  PTYPE: 2,
  HLEN: 4,
  PLEN: 5,
  OPER: 6,
  SHA: 8,
  SPA: 14,
  THA: 18,
  TPA: 24,
  SIZE: 28,
} as const;
export const ARP_REQUEST = 1;
export const ARP_REPLY = 2;

/** Is it whole, and IPv4 over Ethernet? */
export const isArpIpv4 = (p: DataView, at: number, end: number): boolean =>
  end - at >= ARP.SIZE &&
  p.getUint32(at + ARP.HTYPE) === 0x0001_0800 &&
  p.getUint16(at + ARP.HLEN) === 0x0604;

export const arpOper = (p: DataView, at: number): number => p.getUint16(at + ARP.OPER);
export const arpShaHi = (p: DataView, at: number): number => p.getUint16(at + ARP.SHA);
export const arpShaLo = (p: DataView, at: number): number => p.getUint32(at + ARP.SHA + 2);
export const arpSpa = (p: DataView, at: number): number => p.getUint32(at + ARP.SPA);
export const arpTpa = (p: DataView, at: number): number => p.getUint32(at + ARP.TPA);

export function writeArp(
  p: DataView,
  at: number,
  oper: number,
  shaHi: number,
  shaLo: number,
  spa: number,
  thaHi: number,
  thaLo: number,
  tpa: number,
): void {
  p.setUint32(at + ARP.HTYPE, 0x0001_0800);
  p.setUint16(at + ARP.HLEN, 0x0604);
  p.setUint16(at + ARP.OPER, oper);
  p.setUint16(at + ARP.SHA, shaHi);
  p.setUint32(at + ARP.SHA + 2, shaLo);
  p.setUint32(at + ARP.SPA, spa);
  p.setUint16(at + ARP.THA, thaHi);
  p.setUint32(at + ARP.THA + 2, thaLo);
  p.setUint32(at + ARP.TPA, tpa);
}
