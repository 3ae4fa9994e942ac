/** Puts fragments together where a stack or conntrack asks for whole datagrams: a fragment waits, or is the last one
 *  that was missing and becomes the whole.
 *  Source: Linux net/ipv4/ip_fragment.c (ip_frag_queue, ip_frag_reasm), inet_fragment.c (inet_frag_queue_insert),
 *  net/netfilter/nf_conntrack_ovs.c; RFC 791, RFC 3168 section 5.3, RFC 5722. */
import { type FragmentUser, QUEUE_FLAG } from '../tables/fragments.js';
import { Reason } from '../verdict/reasons.js';
import { Verdict } from '../verdict/verdict.js';
import { ETHERNET } from '../wire/ethernet.js';
import {
  fillIpv4Checksum,
  IPV4,
  IPV4_DF,
  IPV4_MF,
  IPV4_OFFSET_MASK,
  ipv4Dst,
  ipv4Fragment,
  ipv4Id,
  ipv4Protocol,
  ipv4Src,
  ipv4Tos,
} from '../wire/ipv4.js';
import { findTransport, ipv4End } from './transport.js';
import { L4, type Walk } from './walk.js';

/** Where a fragment waits, for those who ask. */
export const Waits = { BRIDGE: 0, PREROUTING: 1, OUTPUT: 2, POD: 3 } as const;

const LENGTH_MAX = 0xffff;
const ECN_CE = 3;
/** Bits 1 << ECN of all fragments, of those that may be put together: none with Not-ECT (bit 0) beside another. */
const isEcnSound = (ecn: number): boolean => (ecn & 1) === 0 || ecn === 1;

/** Take the fragment in hand to its datagram. True: the packet in hand is the whole datagram now, w.mru the longest
 *  fragment of it. False: the walk has ended; the fragment waits, or died of its reason, with those before it. */
export function gather(
  w: Walk,
  user: (typeof FragmentUser)[keyof typeof FragmentUser],
  place: number,
  where: number,
): boolean {
  w.isRecordable = false;
  const { p, l3, l4, fragments: store } = w;
  const idProto = ((ipv4Id(p, l3) << 16) | ipv4Protocol(p, l3)) >>> 0;
  const q = store.claim(user, place, ipv4Src(p, l3), ipv4Dst(p, l3), idProto, w.nowNs);
  if (q < 0) return refuse(w, Reason.FragmentTableFull);
  const { queue, row } = store;
  if (store.isTooFar(q)) {
    discard(w, queue.first[q]!, Reason.FragmentTooFar);
    store.restart(q, w.nowNs);
  }
  const field = ipv4Fragment(p, l3);
  const offset = (field & IPV4_OFFSET_MASK) << 3;
  const end = endOfFragment(w, q, offset, (field & IPV4_MF) !== 0);
  if (end <= offset) return discardQueue(w, q, Reason.FragmentMalformed);
  let before = -1;
  let tail = -1;
  for (let i = queue.first[q]!; i >= 0; i = row.next[i]!) {
    if (row.offset[i]! < end && row.end[i]! > offset)
      return isInRun(w, q, offset, end)
        ? refuse(w, Reason.FragmentDuplicate)
        : discardQueue(w, q, Reason.FragmentOverlap);
    if (row.offset[i]! < offset) before = i;
    tail = i;
  }
  const size = l4 - w.at + end - offset;
  if (!store.hasRoom(size)) return refuse(w, Reason.FragmentTableFull);
  const i = store.add(q, before, offset, end);
  if (i < 0) return refuse(w, Reason.FragmentTableFull);
  if (tail >= 0 && before === tail && row.end[tail] === offset) row.isRun[i] = 0;
  row.number[i] = w.number;
  row.parent[i] = w.parent;
  row.root[i] = w.root;
  row.isGenerated[i] = w.isGenerated ? 1 : 0;
  row.stage[i] = where;
  noteFragment(w, q, offset, end, (field & IPV4_DF) !== 0);
  const isWhole =
    queue.flags[q] === (QUEUE_FLAG.FIRST_IN | QUEUE_FLAG.LAST_IN) && queue.meat[q] === queue.length[q];
  if (!isWhole) {
    store.keep(q, i, w.bytes, w.at, size);
    w.finish(Verdict.Pending, Reason.FragmentPending);
    return false;
  }
  row.frameAt[i] = w.at;
  row.size[i] = size;
  return putTogether(w, q);
}

/** One past its last byte of payload, or its offset when it cannot be part of the datagram. */
function endOfFragment(w: Walk, q: number, offset: number, hasMore: boolean): number {
  const { queue } = w.fragments;
  const length = queue.length[q]!;
  const isLastKnown = (queue.flags[q]! & QUEUE_FLAG.LAST_IN) !== 0;
  let end = offset + ipv4End(w) - w.l4;
  if (!hasMore) {
    if (end < length || (isLastKnown && end !== length)) return offset;
    queue.flags[q]! |= QUEUE_FLAG.LAST_IN;
  } else {
    // What is not the last is cut to a multiple of 8.
    end &= ~7;
    if (end <= length) return end;
    if (isLastKnown) return offset;
  }
  queue.length[q] = end;
  return end;
}

/** Do bytes [offset, end) lie within one run of fragments that followed on one another? */
function isInRun(w: Walk, q: number, offset: number, end: number): boolean {
  const { queue, row } = w.fragments;
  let start = 0;
  let runEnd = 0;
  for (let i = queue.first[q]!; i >= 0; i = row.next[i]!) {
    if (row.isRun[i] === 1) {
      if (offset >= start && end <= runEnd) return true;
      start = row.offset[i]!;
    }
    runEnd = row.end[i]!;
  }
  return offset >= start && end <= runEnd;
}

function noteFragment(w: Walk, q: number, offset: number, end: number, isDf: boolean): void {
  const { queue } = w.fragments;
  const size = w.l4 - w.l3 + end - offset;
  queue.meat[q]! += end - offset;
  queue.ecn[q]! |= 1 << (ipv4Tos(w.p, w.l3) & 3);
  if (offset === 0) queue.flags[q]! |= QUEUE_FLAG.FIRST_IN;
  if (size > queue.maxSize[q]!) queue.maxSize[q] = size;
  if (isDf && size > queue.maxDfSize[q]!) queue.maxDfSize[q] = size;
}

/** All are there: the datagram is written behind what the arena holds, under the first one's headers. */
function putTogether(w: Walk, q: number): boolean {
  const { fragments: store } = w;
  const { queue, row } = store;
  const ecn = queue.ecn[q]!;
  if (!isEcnSound(ecn)) return discardQueue(w, q, Reason.FragmentEcn);
  const first = queue.first[q]!;
  const front = row.size[first]! - row.end[first]!;
  const total = front - ETHERNET.SIZE + queue.length[q]!;
  if (total > LENGTH_MAX) return discardQueue(w, q, Reason.FragmentTooLong);
  const mru = queue.maxSize[q]!;
  const keepsDf = queue.maxDfSize[q] === mru;
  const at = w.allocate(ETHERNET.SIZE + total);
  store.copy(first, 0, front, w.bytes, at);
  store.close(q);
  let isGenerated = 0;
  let last = first;
  for (let i = first; i >= 0; i = row.next[i]!) {
    const size = row.size[i]!;
    store.copy(i, size - (row.end[i]! - row.offset[i]!), size, w.bytes, at + front + row.offset[i]!);
    isGenerated |= row.isGenerated[i]!;
    last = i;
  }
  const { p } = w;
  w.at = at;
  w.end = at + ETHERNET.SIZE + total;
  findTransport(w);
  const isCongested = (ecn & (1 << ECN_CE)) !== 0;
  p.setUint8(w.l3 + IPV4.TOS, ipv4Tos(p, w.l3) | (isCongested ? ECN_CE : 0));
  p.setUint16(w.l3 + IPV4.LENGTH, total);
  p.setUint16(w.l3 + IPV4.FRAGMENT, keepsDf ? IPV4_DF : 0);
  fillIpv4Checksum(p, w.l3);
  w.l4Status = L4.UNKNOWN;
  w.isGenerated = isGenerated === 1;
  w.mru = mru;
  w.keepsDf = keepsDf;
  // Fragments of what came around this one, a tunnel's, have no part in its shape.
  for (let i = w.crew; i >= 0; i = row.next[i]!) row.end[i] = row.offset[i]!;
  row.next[last] = w.crew;
  w.crew = first;
  return true;
}

function refuse(w: Walk, reason: number): boolean {
  w.drop(reason);
  return false;
}

/** The datagram cannot become whole: all of it goes (RFC 5722 for overlaps, as Linux does for IPv4, too). */
function discardQueue(w: Walk, q: number, reason: number): boolean {
  discard(w, w.fragments.close(q), reason);
  return refuse(w, reason);
}

/** The fragments chained from row `first` on die with the packet in hand. */
function discard(w: Walk, first: number, reason: number): void {
  const { row } = w.fragments;
  w.discardReason = reason;
  if (first < 0) return;
  let last = first;
  while (row.next[last]! >= 0) last = row.next[last]!;
  row.next[last] = w.discarded;
  w.discarded = first;
}
