/** A datagram has not become whole in time: its fragments die, and an end host says so about the first one.
 *  Source: Linux net/ipv4/ip_fragment.c (ip_expire); RFC 792, time exceeded code 1. */
import { FragmentUser } from '../tables/fragments.js';
import { Reason } from '../verdict/reasons.js';
import { Verdict } from '../verdict/verdict.js';
import { ETHERTYPE } from '../wire/ethernet.js';
import { ICMP_TYPE } from '../wire/icmp.js';
import { ipv4Dst } from '../wire/ipv4.js';
import { deservesIcmpError, writeIcmpError } from './icmp-error.js';
import { isLocal } from './local.js';
import { findTransport } from './transport.js';
import { Entry, type Walk } from './walk.js';

const REASSEMBLY = 1;

/** The fragment in hand waited for `user` at `place` (a node's row, or a pod's; -1 when that is gone). Conntrack is
 *  silent about what was for somebody else (frag_expire_skip_icmp). */
export function expire(w: Walk, user: number, place: number, isFirst: boolean): void {
  const isPod = user === FragmentUser.DELIVER;
  w.etherType = ETHERTYPE.IPV4;
  findTransport(w);
  if (isPod) w.pod = place;
  if (place >= 0) w.node = isPod ? w.tables.pods.node[place]! : place;
  const isOwn = isPod || (place >= 0 && isLocal(w, ipv4Dst(w.p, w.l3)));
  if (!isFirst || place < 0 || !isOwn || !deservesIcmpError(w)) {
    w.drop(Reason.FragmentTimeout);
    return;
  }
  const at = writeIcmpError(w, ICMP_TYPE.TIME_EXCEEDED, REASSEMBLY, 0, ipv4Dst(w.p, w.l3));
  w.spawn(at, w.arena.used, isPod ? Entry.POD : Entry.HOST, place);
  w.finish(Verdict.Rejected, Reason.FragmentTimeout);
}
