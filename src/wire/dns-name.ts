/** Domain names on the wire: labels with length octets, pointers, RFC 1035 sections 3.1 and 4.1.4.
 *
 *   length(8) octets … | length(8) octets … | 0
 *   pointer: 11 offset(14), from the first octet of the message; it ends the name. */

/** Octets of a whole name, length octets and the closing zero included. */
export const DNS_NAME_MAX = 255;
export const DNS_LABEL_MAX = 63;
/** The two top bits of a length octet that say: pointer. Either bit alone is reserved (RFC 1035 section 4.1.4). */
export const DNS_POINTER = 0xc0;

const MALFORMED = -1;

/** Check the name at `at` and answer the offset behind it in place, or -1 when it is malformed.
 *
 *  `start` is the first octet of the message, `end` one past its last. A pointer must point to before the run
 *  of labels that it ends, so every jump goes backwards and no name can loop. Allocates nothing.
 *  (miekg/dns, which CoreDNS reads with, follows forward pointers too and counts jumps instead;
 *  no encoder writes one, as RFC 1035 lets a pointer name a prior occurrence only.) */
export function dnsNameEnd(p: DataView, start: number, at: number, end: number): number {
  let size = 1;
  let here = at;
  let runAt = at;
  let after = MALFORMED;
  while (here < end) {
    const length = p.getUint8(here);
    if (length === 0) return after === MALFORMED ? here + 1 : after;
    if (length >= DNS_POINTER) {
      if (here + 2 > end) return MALFORMED;
      const target = start + (p.getUint16(here) & 0x3fff);
      if (target >= runAt) return MALFORMED;
      if (after === MALFORMED) after = here + 2;
      here = runAt = target;
    } else {
      size += length + 1;
      if (length > DNS_LABEL_MAX || size > DNS_NAME_MAX) return MALFORMED;
      here += length + 1;
    }
  }
  return MALFORMED;
}

/** Size in octets of the pointerless name at `at`, closing zero included; -1 when malformed or when it has a
 *  pointer. */
export function plainDnsNameSize(p: DataView, at: number, end: number): number {
  let here = at;
  while (here < end) {
    const length = p.getUint8(here);
    here += length + 1;
    if (length > DNS_LABEL_MAX || here - at > DNS_NAME_MAX) return MALFORMED;
    if (length === 0) return here - at;
  }
  return MALFORMED;
}

/** The name at `at` as text without its last dot; the root is `.`. Dots and backslashes inside a label are
 *  written `\.` and `\\`, other octets outside printable ASCII `\ddd` (RFC 1035 section 5.1).
 *  Returns null when malformed. */
export function readDnsName(p: DataView, start: number, at: number, end: number): string | null {
  if (dnsNameEnd(p, start, at, end) === MALFORMED) return null;
  const labels: string[] = [];
  let here = at;
  for (;;) {
    const length = p.getUint8(here);
    if (length === 0) return labels.length === 0 ? '.' : labels.join('.');
    if (length >= DNS_POINTER) {
      here = start + (p.getUint16(here) & 0x3fff);
      continue;
    }
    let label = '';
    for (let i = 1; i <= length; i++) label += octetText(p.getUint8(here + i));
    labels.push(label);
    here += length + 1;
  }
}

/** Wire form of a name as text, with or without its last dot, case kept. Understands what readDnsName writes.
 *  Returns null when it is no name: an empty or too long label, too long a name, an octet outside ASCII. */
export function encodeDnsName(text: string): Uint8Array | null {
  const octets: number[] = [];
  let lengthAt = 0;
  if (text !== '.' && text !== '') {
    octets.push(0);
    for (let i = 0; i < text.length; i++) {
      const char = text[i]!;
      if (char === '.') {
        if (octets.length - lengthAt === 1) return null;
        if (i === text.length - 1) break;
        lengthAt = octets.push(0) - 1;
        continue;
      }
      const escaped = char === '\\' ? /^\d{3}|^[^\d]/.exec(text.slice(i + 1)) : null;
      if (char === '\\' && escaped === null) return null;
      const octet = escaped?.[0].length === 3 ? Number(escaped[0]) : (escaped?.[0] ?? char).charCodeAt(0);
      if (octet > (escaped?.[0].length === 3 ? 255 : 126)) return null;
      octets.push(octet);
      i += escaped?.[0].length ?? 0;
      if (++octets[lengthAt]! > DNS_LABEL_MAX) return null;
    }
  }
  octets.push(0);
  return octets.length > DNS_NAME_MAX ? null : Uint8Array.from(octets);
}

const DOT = 0x2e;
const BACKSLASH = 0x5c;

function octetText(octet: number): string {
  if (octet === DOT || octet === BACKSLASH) return `\\${String.fromCharCode(octet)}`;
  if (octet > 0x20 && octet < 0x7f) return String.fromCharCode(octet);
  return `\\${String(octet).padStart(3, '0')}`;
}
