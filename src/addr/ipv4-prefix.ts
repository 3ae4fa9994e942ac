/** IPv4 prefixes from text, by ip-num: apart from what needs addresses alone, as loading ip-num takes a thread 50 ms. */
import { IPv4CidrRange } from 'ip-num';
import type { Ipv4Prefix } from './ipv4.js';

/** Parse `a.b.c.d/n`. Returns null when the text is no prefix; host bits are cleared, as Go's ParseCIDR does. */
export function parsePrefix(text: string): Ipv4Prefix | null {
  if (!/^\d{1,3}(\.\d{1,3}){3}\/\d{1,2}$/.test(text)) return null;
  try {
    const range = IPv4CidrRange.fromCidr(text);
    return { base: Number(range.getFirst().getValue()), length: Number(range.getPrefix().getValue()) };
  } catch {
    return null;
  }
}
