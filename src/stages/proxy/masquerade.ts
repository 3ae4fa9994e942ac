/** kube-proxy's masquerade and OpenShift SDN's on the first packet of a connection: whose address it goes on with, and from
 *  which port. Source: kubernetes pkg/proxy/iptables/proxier.go; openshift/sdn pkg/network/node/iptables.go;
 *  Linux net/netfilter/nf_nat_core.c (get_unique_tuple, nf_nat_l4proto_unique_tuple). */
import { CT_FLAG } from '../../tables/conntrack.js';
import { isClusterAddress } from '../../tables/nodes.js';
import { PROTOCOL } from '../../wire/ipv4.js';
import { natSource } from '../nat.js';
import { keyedRandom, SALT } from '../random.js';
import { HostDevice, type Walk } from '../walk.js';

/** NF_NAT_MAX_ATTEMPTS; then from other places, half as many each time, as long as there are this many. */
const PORT_TRIES = 128;
const PORT_TRIES_MIN = 8;

/** nat POSTROUTING. The mark is masqueraded from a random port; else what leaves the cluster network is, keeping its
 *  port where that is free. False when no port is free. */
export function translateNewSource(w: Walk): boolean {
  const isMarked = isMasqueradeMarked(w);
  const source = w.tuple[0]! >>> 0;
  const destination = w.reply[0]! >>> 0;
  const { nodes, networks } = w.tables;
  const isPod = isClusterAddress(networks, source);
  const leaves = isPod && !isClusterAddress(networks, destination);
  const isEgress = isPod && hasEgressMark(w);
  if (!isMarked && !isEgress && !leaves) return keepSource(w);
  const own = w.outDevice === HostDevice.TUN0 ? nodes.gateway[w.node]! : nodes.address[w.node]!;
  const address = isEgress && leaves ? w.tables.egressIps.address[w.egressIp]! : own;
  // The host's own packets already have this source, and keep their port while it is free.
  if (source === address && !isMarked) return true;
  w.fresh |= CT_FLAG.SRC_NAT;
  w.reply[1] = address;
  if (!choosePort(w, isMarked)) return false;
  natSource(w);
  return true;
}

/** KUBE-MARK-MASQ's bit. */
export const isMasqueradeMarked = (w: Walk): boolean => (w.mark & w.tables.config.masqueradeMark[0]!) !== 0;

/** The rules of an egress address in OPENSHIFT-MASQUERADE compare the whole mark: one that asks for masquerade, too, has
 *  another (iptables.go ensureEgressIPRules). An address that the node could not take has none. */
function hasEgressMark({ egressIp, mark, tables: { egressIps } }: Walk): boolean {
  return egressIp >= 0 && mark === egressIps.mark[egressIp] && egressIps.isRewritten[egressIp] === 1;
}

/** No rule changes the source; but when the endpoint already has a connection from this very port (the client reaches
 *  it directly too), the kernel moves this one to another port, so that answers can be told apart. */
function keepSource(w: Walk): boolean {
  if ((w.fresh & CT_FLAG.DST_NAT) === 0 || isFree(w)) return true;
  w.fresh |= CT_FLAG.SRC_NAT;
  if (!choosePort(w, false)) return false;
  natSource(w);
  return true;
}

/** Find a source port, or an echo identifier, that makes the reply tuple unique. */
function choosePort(w: Walk, isRandom: boolean): boolean {
  if (!isRandom && isFree(w)) return true;
  const isEcho = (w.tuple[3]! & 0xff) === PROTOCOL.ICMP;
  const original = w.tuple[2]! >>> 16;
  const first = isEcho ? 0 : original < 512 ? 1 : original < 1024 ? 600 : 1024;
  const last = isEcho ? 0xffff : original < 512 ? 511 : original < 1024 ? 1023 : 0xffff;
  const size = last - first + 1;
  // The kernel draws 16 bits, and lets them wrap.
  let offset = keyedRandom(w.seed ^ Math.imul(w.node + 1, 0x632be5ab), w.tuple, w.nowNs, SALT.PORT);
  for (let tries = PORT_TRIES; tries >= PORT_TRIES_MIN; tries >>= 1) {
    for (let i = 0; i < tries; i++) {
      setReplyPort(w, first + (((offset + i) & 0xffff) % size), isEcho);
      if (isFree(w)) return true;
    }
    offset = keyedRandom(w.seed ^ tries, w.tuple, w.nowNs, SALT.PORT);
  }
  return false;
}

function setReplyPort(w: Walk, port: number, isEcho: boolean): void {
  const word = w.reply[2]!;
  w.reply[2] = isEcho ? (port << 16) | (word & 0xffff) : (word & ~0xffff) | port;
}

const isFree = (w: Walk): boolean => w.conntrack.findTuple(w.reply, w.nowNs) < 0;
