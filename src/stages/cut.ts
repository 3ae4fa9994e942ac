/** Cuts a datagram into fragments on its way out: what came in fragments keeps its shape, the rest is cut to fit.
 *  Source: Linux net/ipv4/ip_output.c (ip_do_fragment, ip_fraglist_prepare, ip_frag_next, ip_options_fragment),
 *  net/openvswitch/actions.c (ovs_fragment); RFC 791 section 3.2. */
import { Field } from '../tables/flows.js';
import { Reason } from '../verdict/reasons.js';
import { Verdict } from '../verdict/verdict.js';
import { ETHERNET, ETHERTYPE } from '../wire/ethernet.js';
import {
  fillIpv4Checksum,
  IPV4,
  IPV4_DF,
  IPV4_MF,
  ipv4Dst,
  ipv4Protocol,
  ipv4Src,
  PROTOCOL,
} from '../wire/ipv4.js';
import { FORKS_MAX, forkEdge } from './forks.js';
import { findTransport, ipv4End } from './transport.js';
import type { Walk } from './walk.js';

const OPTION = { END: 0, NOOP: 1, COPIED: 0x80 } as const;
/** Transport headers that lie in one piece once somebody has looked at them for writing (skb_ensure_writable). */
const TCP_SIZE = 20;
const SCTP_SIZE = 12;

/** Cut the datagram in hand to `mtu`, or to the longest fragment that it came in; its pieces go on by `edge`.
 *  `isHost`: a host's stack does it, which keeps DF for the path's sake, and leaves options that are not to be copied
 *  to the first piece. `isTouched`: its transport header was read or written in one piece on the way.
 *  Returns what a stage answers then. Drops: FragmentTableFull. */
export function cut(w: Walk, edge: number, mtu: number, isHost: boolean, isTouched: boolean): number {
  const { l3, l4, at, forks } = w;
  const { row } = w.fragments;
  const space = (w.mru > 0 && w.mru < mtu ? w.mru : mtu) - (l4 - l3);
  const length = ipv4End(w) - l4;
  const keepsShape = w.mru > 0 && fitsShape(w, space, isTouched);
  const pieces = keepsShape ? rowsOf(w) : Math.ceil(length / (space & ~7)) + 1;
  if (forks.count + pieces > FORKS_MAX) return w.drop(Reason.FragmentTableFull);
  const flags = isHost && w.keepsDf && !keepsShape ? IPV4_DF : 0;
  w.isRecordable = false;
  let firstEnd = 0;
  for (let from = 0; from < length; ) {
    let to = from + space >= length ? length : from + (space & ~7);
    if (keepsShape) to = row.end[w.crew]!;
    if (from === 0) {
      firstEnd = l4 + to;
      push(w, at, firstEnd);
    } else {
      const piece = copyPiece(w, l4 + from, l4 + to, isHost);
      setFragment(w, piece, flags | (from >> 3) | (to < length ? IPV4_MF : 0), piece + l4 - at + to - from);
      push(w, piece, piece + l4 - at + to - from);
    }
    from = to;
  }
  // The first piece stays where it is; the others have been copied from under its header.
  setFragment(w, at, flags | (firstEnd < l4 + length ? IPV4_MF : 0), firstEnd);
  w.finish(Verdict.None, Reason.None);
  return forkEdge(edge);
}

/** Take fork `i` in hand, with what the stages behind its edge look at. */
export function takeFork(w: Walk, i: number): void {
  w.forks.take(w, i);
  w.etherType = ETHERTYPE.IPV4;
  findTransport(w);
  w.key[Field.NW_SRC] = ipv4Src(w.p, w.l3) | 0;
  w.key[Field.NW_DST] = ipv4Dst(w.p, w.l3) | 0;
  w.key[Field.NW_PROTO] = ipv4Protocol(w.p, w.l3);
}

/** Are the fragments that it came in fit to go on as they are? */
function fitsShape(w: Walk, space: number, isTouched: boolean): boolean {
  const { row } = w.fragments;
  const protocol = ipv4Protocol(w.p, w.l3);
  const header = protocol === PROTOCOL.TCP ? TCP_SIZE : protocol === PROTOCOL.SCTP ? SCTP_SIZE : 0;
  if (isTouched && row.end[w.crew]! < header) return false;
  for (let i = w.crew; i >= 0 && row.end[i]! > row.offset[i]!; i = row.next[i]!)
    if (row.end[i]! - row.offset[i]! > space) return false;
  return true;
}

/** Fragments of this datagram in the crew. */
function rowsOf(w: Walk): number {
  const { row } = w.fragments;
  let rows = 0;
  for (let i = w.crew; i >= 0 && row.end[i]! > row.offset[i]!; i = row.next[i]!) rows++;
  return rows;
}

/** The headers, and bytes [from, end) behind them, in a place of their own. */
function copyPiece(w: Walk, from: number, end: number, isHost: boolean): number {
  const front = w.l4 - w.at;
  const piece = w.allocate(front + end - from);
  w.bytes.copyWithin(piece, w.at, w.l4);
  w.bytes.copyWithin(piece + front, from, end);
  if (isHost) blankOptions(w, piece + ETHERNET.SIZE + IPV4.MIN_SIZE, piece + front);
  return piece;
}

/** Options that are not to be copied become no-operations. */
function blankOptions(w: Walk, from: number, end: number): void {
  const { bytes } = w;
  for (let i = from; i < end; ) {
    const option = bytes[i]!;
    if (option === OPTION.END) return;
    const size = option === OPTION.NOOP ? 1 : bytes[i + 1]!;
    if (option !== OPTION.NOOP && (size < 2 || i + size > end)) return;
    if ((option & OPTION.COPIED) === 0) bytes.fill(OPTION.NOOP, i, i + size);
    i += size;
  }
}

function setFragment(w: Walk, at: number, field: number, end: number): void {
  const l3 = at + ETHERNET.SIZE;
  w.p.setUint16(l3 + IPV4.LENGTH, end - l3);
  w.p.setUint16(l3 + IPV4.FRAGMENT, field);
  fillIpv4Checksum(w.p, l3);
}

/** The piece takes the place of the next of the crew, so that N fragments that came are N that go; without a crew the
 *  first takes the datagram's own; those left over are copies. */
function push(w: Walk, at: number, end: number): void {
  const { fragments: store, forks } = w;
  if (w.crew >= 0) {
    const { row } = store;
    const i = w.crew;
    forks.push(w, at, end, row.number[i]!, row.parent[i]!, row.root[i]!);
    w.crew = store.free(i);
    w.isSplit = true;
  } else if (!w.isSplit) {
    forks.push(w, at, end, w.number, w.parent, w.root);
    w.isSplit = true;
  } else forks.push(w, at, end, -1, w.number, w.root);
}
