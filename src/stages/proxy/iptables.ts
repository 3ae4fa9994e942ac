/** kube-proxy's iptables mode on the first packet of a connection: which endpoint, and whose address it comes from.
 *  Source: kubernetes pkg/proxy/iptables/proxier.go; openshift/sdn pkg/network/node/iptables.go;
 *  Linux net/netfilter/nf_nat_core.c (get_unique_tuple, nf_nat_l4proto_unique_tuple). */
import { CT_FLAG } from '../../tables/conntrack.js';
import { isClusterAddress } from '../../tables/nodes.js';
import { findService } from '../../tables/services.js';
import { IPV4, PROTOCOL } from '../../wire/ipv4.js';
import { natDestination, natSource } from '../nat.js';
import { keyedRandom } from '../random.js';
import { HostDevice, type Walk } from '../walk.js';

/** Which rule asks for a random number: no two may get the same one. */
const SALT = { ENDPOINT: 1, PORT: 2 } as const;
const PORT_TRIES = 128;
const KUBERNETES = 2;

/** nat PREROUTING / OUTPUT, KUBE-SERVICES: a ClusterIP's port goes to one of its endpoints, all with equal chance.
 *  A Service without endpoints is left for filter to reject. */
export function translateNewDestination(w: Walk): void {
  const { p, l3, l4, tables, tuple } = w;
  const protocol = tuple[3]! & 0xff;
  if (protocol !== PROTOCOL.TCP && protocol !== PROTOCOL.UDP && protocol !== PROTOCOL.SCTP) return;
  const ip = p.getUint32(l3 + IPV4.DST);
  const portProto = ((p.getUint16(l4 + 2) << 16) | protocol) >>> 0;
  const service = findService(tables.services, tables.serviceSlots, ip, portProto, w.node);
  if (service < 0) return;
  w.service = service;
  const count = tables.services.count[service]!;
  if (count === 0) {
    w.rejecting = true;
    return;
  }
  const endpoint = chooseEndpoint(w, service, count);
  const address = tables.endpoints.address[endpoint]!;
  const port = tables.endpoints.port[endpoint]!;
  w.endpoint = endpoint;
  if (needsMasquerade(w, address)) w.mark = tables.config.masqueradeMark[0]!;
  w.fresh |= CT_FLAG.DST_NAT;
  w.reply[0] = address;
  w.reply[2] = (port << 16) | (w.reply[2]! & 0xffff);
  natDestination(w);
}

/** What a capture showed, if it is an endpoint of this Service; else by chance. kube-proxy's chain of 1/n, 1/(n-1) …
 *  gives every endpoint the same chance, so one draw does. */
function chooseEndpoint(w: Walk, service: number, count: number): number {
  const { services } = w.tables;
  if (w.pick >= 0 && sharesPort(w, w.pick, service)) return w.pick;
  const random = keyedRandom(w.seed ^ Math.imul(w.node + 1, 0x632be5ab), w.tuple, w.nowNs, SALT.ENDPOINT);
  const first = services.first[service]!;
  return first + Math.floor((random * count) / 0x100000000);
}

/** Is the endpoint one of the same Service port, whichever node's choice it was compiled for? */
function sharesPort({ tables }: Walk, endpoint: number, row: number): boolean {
  const { services, endpoints } = tables;
  const owner = endpoints.service[endpoint]!;
  return services.ip[owner] === services.ip[row] && services.portProto[owner] === services.portProto[row];
}

/** KUBE-SEP marks an endpoint that reaches itself; KUBE-SVC marks what the local detector does not call local:
 *  on OpenShift SDN all that did not come in by tun0, upstream all that is not from the pod network. */
function needsMasquerade(w: Walk, endpoint: number): boolean {
  const source = w.tuple[0]! >>> 0;
  if (source === endpoint) return true;
  return w.tables.config.platform[0] === KUBERNETES
    ? !isPodNetwork(w, source)
    : w.inDevice !== HostDevice.TUN0;
}

const isPodNetwork = (w: Walk, address: number): boolean => isClusterAddress(w.tables.networks, address);

/** nat POSTROUTING. The mark is masqueraded from a random port; else what leaves the cluster network is, keeping its
 *  port where that is free. False when no port is free. */
export function translateNewSource(w: Walk): boolean {
  const isMarked = w.mark !== 0;
  const source = w.tuple[0]! >>> 0;
  const destination = w.reply[0]! >>> 0;
  if (!isMarked && !(isPodNetwork(w, source) && !isPodNetwork(w, destination))) return keepSource(w);
  const { nodes } = w.tables;
  const address = w.outDevice === HostDevice.TUN0 ? nodes.gateway[w.node]! : nodes.address[w.node]!;
  // The host's own packets already have this source, and keep their port while it is free.
  if (source === address && !isMarked) return true;
  w.fresh |= CT_FLAG.SRC_NAT;
  w.reply[1] = address;
  if (!choosePort(w, isMarked)) return false;
  natSource(w);
  return true;
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
  let offset = keyedRandom(w.seed ^ Math.imul(w.node + 1, 0x632be5ab), w.tuple, w.nowNs, SALT.PORT);
  for (let tries = Math.min(PORT_TRIES, size); tries >= 16; tries >>= 1) {
    for (let i = 0; i < tries; i++) {
      setReplyPort(w, first + ((offset + i) % size), isEcho);
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
