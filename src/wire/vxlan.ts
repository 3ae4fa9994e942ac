/** VXLAN header, 8 bytes, RFC 7348 section 5. Flags(8) Reserved(24) | VNI(24) Reserved(8). */

export const VXLAN = { FLAGS: 0, VNI: 4, SIZE: 8 } as const;
export const VXLAN_FLAG_I = 0x08;
/** Outer Ethernet, IPv4, UDP and VXLAN in front of the inner frame. */
export const VXLAN_OVERHEAD = 50;

export const vxlanVni = (p: DataView, at: number): number => p.getUint32(at + VXLAN.VNI) >>> 8;

export function writeVxlan(p: DataView, at: number, vni: number): void {
  p.setUint32(at, 0x08000000);
  p.setUint32(at + VXLAN.VNI, (vni << 8) >>> 0);
}
