/** MAC addresses: text to two numbers (high 16 bits, low 32 bits) and back. */

/** A MAC as `hi` (first two octets, u16) and `lo` (last four, u32). */
export interface Mac {
  readonly hi: number;
  readonly lo: number;
}

/** The prefix that the CNI hwaddr helper puts before a pod's four address bytes
 *  (containernetworking/plugins pkg/utils/hwaddr). */
export const POD_MAC_HI = 0x0a58;

/** Parse `aa:bb:cc:dd:ee:ff`. Returns null when the text is no MAC. */
export function parseMac(text: string): Mac | null {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text)) return null;
  const hex = text.replaceAll(':', '');
  return { hi: Number.parseInt(hex.slice(0, 4), 16), lo: Number.parseInt(hex.slice(4), 16) };
}

export function formatMac(hi: number, lo: number): string {
  const hex = (hi & 0xffff).toString(16).padStart(4, '0') + (lo >>> 0).toString(16).padStart(8, '0');
  return hex.match(/../g)!.join(':');
}
