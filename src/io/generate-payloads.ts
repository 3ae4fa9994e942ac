/** What generated packets carry: HTTP that Wireshark reads, and filler. */

/** A request head and what stands in place of the cookie that some have. */
const requestHead = (cookie: string): string =>
  `GET /index.html HTTP/1.1\r\nHost: service\r\nUser-Agent: podplane\r\nAccept: */*\r\n${cookie}\r\n`;

export const HTTP_REQUESTS: readonly Uint8Array[] = [
  '',
  `Cookie: session=${'0123456789abcdef'.repeat(16)}\r\n`,
].map((cookie) => new TextEncoder().encode(requestHead(cookie)));

/** Leading zeros are allowed in Content-Length (RFC 9110 section 8.6, 1*DIGIT), so the field has a fixed place. */
const RESPONSE_HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 0000000000\r\n\r\n';
export const HTTP_RESPONSE = {
  HEAD: new TextEncoder().encode(RESPONSE_HEAD),
  /** Offset of the ten digits; even, as the sum of a patched field needs it. */
  LENGTH_AT: RESPONSE_HEAD.indexOf('0000000000'),
} as const;

/** `length` bytes of lines of letters. */
export function bodyBytes(length: number): Uint8Array {
  const line = 'abcdefghijklmnopqrstuvwxyz0123456789 the quick brown fox jumps on\n';
  return Uint8Array.from({ length }, (_, i) => line.charCodeAt(i % line.length));
}
