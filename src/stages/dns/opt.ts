/** The reply's OPT record: the client's own, with the size that was agreed and the options that are understood. */
import { DNS_RECORD, DNS_TYPE, writeDnsRecordHead } from '../../wire/dns.js';

/** An OPT record without options. */
export const OPT_SIZE = 1 + DNS_RECORD.SIZE;
const OPTION_HEAD = 4;

/** Options that are sent back as they came (coredns/coredns request/edns0.go). */
const isEchoed = (code: number): boolean => code === NSID || (code >= EXPIRE && code <= PADDING);
const NSID = 3;
const EXPIRE = 9; // then 10 COOKIE, 11 TCP-KEEPALIVE
const PADDING = 12;

/** Octets of the options that go back. `optAt` is the offset behind the query's OPT name. */
export function optSize(p: DataView, optAt: number): number {
  const end = optionsEnd(p, optAt);
  let size = 0;
  for (let at = optAt + DNS_RECORD.SIZE; at < end; at += optionSize(p, at))
    if (isEchoed(p.getUint16(at))) size += optionSize(p, at);
  return size;
}

/** Write the reply's OPT record at `at`; returns the offset behind it. Extended code and version are zero; of
 *  the flags, DO and the seven bits below it go back, as the real server leaves them. */
export function writeOpt(p: DataView, bytes: Uint8Array, optAt: number, udpSize: number, at: number): number {
  p.setUint8(at, 0);
  const flags = p.getUint32(optAt + DNS_RECORD.TTL) & 0xff00;
  let out = writeDnsRecordHead(p, at + 1, DNS_TYPE.OPT, udpSize, flags, optSize(p, optAt));
  const end = optionsEnd(p, optAt);
  for (let option = optAt + DNS_RECORD.SIZE; option < end; option += optionSize(p, option)) {
    if (!isEchoed(p.getUint16(option))) continue;
    bytes.copyWithin(out, option, option + optionSize(p, option));
    out += optionSize(p, option);
  }
  return out;
}

const optionsEnd = (p: DataView, optAt: number): number =>
  optAt + DNS_RECORD.SIZE + p.getUint16(optAt + DNS_RECORD.LENGTH);
const optionSize = (p: DataView, at: number): number => OPTION_HEAD + p.getUint16(at + 2);
