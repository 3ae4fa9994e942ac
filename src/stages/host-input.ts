/** Local delivery on a node: INPUT, and the sockets of the host. Which ports a host listens on is in no manifest, so all do. */
import { Reason } from '../verdict/reasons.js';
import { Verdict } from '../verdict/verdict.js';
import { ICMP_TYPE, icmpType } from '../wire/icmp.js';
import { ipv4Dst, ipv4Protocol, PROTOCOL } from '../wire/ipv4.js';
import { refuseService, translateInput, turnAway } from './host.js';
import { isEgressIp } from './local.js';
import { brokenReason } from './pod.js';
import { answerEcho } from './pod-answers.js';
import { confirm } from './track.js';
import { CtInfo, Entry, HostDevice, Refusal, type Walk } from './walk.js';

export function hostInput(w: Walk): number {
  const { nodes } = w.tables;
  if (w.refusal !== Refusal.NONE) return refuseService(w, true);
  const protocol = ipv4Protocol(w.p, w.l3);
  translateInput(w);
  const bad = brokenReason(w, protocol);
  if (bad !== Reason.None) return w.drop(bad);
  // REJECT in INPUT: the error comes from the address that was asked for.
  if (isRefusedEgressIp(w)) return turnAway(w, Reason.EgressIpClosed, ipv4Dst(w.p, w.l3));
  const refused = confirm(w);
  if (refused !== Reason.None) return w.drop(refused);
  const port = w.inDevice === HostDevice.NIC ? nodes.nicPort[w.node]! : nodes.tunPort[w.node]!;
  if (w.responds && protocol === PROTOCOL.ICMP && icmpType(w.p, w.l4) === ICMP_TYPE.ECHO) {
    answerEcho(w, Entry.HOST, w.node);
    return w.finish(Verdict.Answered, Reason.EchoAnswered, port);
  }
  return w.finish(Verdict.Delivered, Reason.None, port);
}

/** OPENSHIFT-FIREWALL-ALLOW: nobody connects to an egress address, but from the pod network (iptables.go
 *  ensureEgressIPRules). */
const isRefusedEgressIp = (w: Walk): boolean =>
  w.ctInfo === CtInfo.NEW && w.inDevice !== HostDevice.TUN0 && isEgressIp(w, ipv4Dst(w.p, w.l3));
