/** kube-proxy's iptables mode on the first packet of a connection: which endpoint it goes to, and whether masqueraded.
 *  Source: kubernetes pkg/proxy/iptables/proxier.go. */
import { MISS } from '../../tables/addresses.js';
import { CT_FLAG } from '../../tables/conntrack.js';
import { FRONT_KIND, findFront, isInRanges } from '../../tables/fronts.js';
import { isClusterAddress, NONE } from '../../tables/nodes.js';
import { findService, rowOfNode } from '../../tables/services.js';
import { IPV4, PROTOCOL } from '../../wire/ipv4.js';
import { isLocal } from '../local.js';
import { natDestination } from '../nat.js';
import { keyedRandom, SALT } from '../random.js';
import { HostDevice, Refusal, type Walk } from '../walk.js';
import { noteEndpoint, rememberedEndpoint } from './affinity.js';

const KUBERNETES = 2;

/** nat PREROUTING / OUTPUT, KUBE-SERVICES: what is sent to a Service's address goes to one of its endpoints, all with equal
 *  chance. What nobody is behind, or may not pass, is left for filter to turn away. */
export function translateNewDestination(w: Walk): void {
  const { p, l3, l4, tables, tuple } = w;
  const protocol = tuple[3]! & 0xff;
  if (protocol !== PROTOCOL.TCP && protocol !== PROTOCOL.UDP && protocol !== PROTOCOL.SCTP) return;
  const ip = p.getUint32(l3 + IPV4.DST);
  const portProto = ((p.getUint16(l4 + 2) << 16) | protocol) >>> 0;
  const service = findService(tables.services, tables.serviceSlots, ip, portProto, w.node);
  if (service < 0) {
    if (tables.fronts.rows > 0) translateExternal(w, ip, portProto);
    return;
  }
  if (tables.services.count[service] === 0) refuse(w, service, Refusal.SERVICES);
  // KUBE-SVC marks what the local detector does not call local.
  else translateTo(w, service, !isFromPod(w));
}

/** External and load balancers' addresses, then, as the last rule of KUBE-SERVICES, the node's own with a node port. */
function translateExternal(w: Walk, ip: number, portProto: number): void {
  const { fronts, frontSlots } = w.tables;
  const named = findFront(fronts, frontSlots, ip, portProto);
  if (named >= 0 && translateFront(w, named)) return;
  if (!isLocal(w, ip)) return;
  const port = findFront(fronts, frontSlots, 0, portProto);
  if (port >= 0) translateFront(w, port);
}

/** KUBE-FW and KUBE-EXT. False when the packet falls through them untranslated. */
function translateFront(w: Walk, front: number): boolean {
  const { fronts, services, serviceSlots } = w.tables;
  const cluster = rowOfNode(services, serviceSlots, fronts.cluster[front]!, w.node);
  if (services.count[cluster] === 0) return refuse(w, cluster, Refusal.EXTERNAL);
  const hasFirewall = fronts.kind[front] === FRONT_KIND.LOAD_BALANCER && fronts.rangeCount[front]! > 0;
  if (hasFirewall && !passesFirewall(w, front)) return refuse(w, cluster, Refusal.FIREWALL);
  // Policy Cluster may cross nodes, and the answer must come back here.
  if (fronts.local[front] === NONE) return translateTo(w, cluster, true);
  // Pods and the node itself are served as by a load balancer outside: by any endpoint.
  if (isFromPod(w)) return translateTo(w, cluster, false);
  if (isLocal(w, w.tuple[0]! >>> 0)) return translateTo(w, cluster, true);
  const local = rowOfNode(services, serviceSlots, fronts.local[front]!, w.node);
  if (services.count[local]! > 0) return translateTo(w, local, false);
  return refuse(w, local, hasFirewall ? Refusal.FIREWALL : Refusal.EXTERNAL);
}

/** The ranges of sources; and the node itself, whose source is then the balancer's address, if they hold the node. */
function passesFirewall(w: Walk, front: number): boolean {
  const { fronts, nodes, ranges } = w.tables;
  const first = fronts.rangeFirst[front]!;
  const count = fronts.rangeCount[front]!;
  const source = w.tuple[0]! >>> 0;
  if (isInRanges(ranges, first, count, source)) return true;
  return source === fronts.ip[front] && isInRanges(ranges, first, count, nodes.address[w.node]!);
}

function refuse(w: Walk, service: number, refusal: number): boolean {
  w.service = service;
  w.refusal = refusal;
  return false;
}

/** KUBE-SVC or KUBE-SVL, then KUBE-SEP, which marks an endpoint that reaches itself. */
function translateTo(w: Walk, service: number, isMarked: boolean): boolean {
  const { tables } = w;
  const endpoint = chooseEndpoint(w, service, tables.services.count[service]!);
  if (tables.services.affinity[service]! > 0) noteEndpoint(w, service, endpoint);
  const address = tables.endpoints.address[endpoint]!;
  const port = tables.endpoints.port[endpoint]!;
  w.service = service;
  w.endpoint = endpoint;
  w.refusal = Refusal.NONE;
  if (isMarked || w.tuple[0]! >>> 0 === address) w.mark = (w.mark | tables.config.masqueradeMark[0]!) >>> 0;
  w.fresh |= CT_FLAG.DST_NAT;
  w.reply[0] = address;
  w.reply[2] = (port << 16) | (w.reply[2]! & 0xffff);
  natDestination(w);
  return true;
}

/** What a capture showed, if it is an endpoint of this Service; else what the client had; else by chance. kube-proxy's chain of 1/n, 1/(n-1) …
 *  gives every endpoint the same chance, so one draw does. */
function chooseEndpoint(w: Walk, service: number, count: number): number {
  const { services } = w.tables;
  if (w.pick >= 0 && sharesPort(w, w.pick, service)) return w.pick;
  const known = services.affinity[service]! > 0 ? rememberedEndpoint(w, service) : MISS;
  if (known >= 0) return known;
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

/** kube-proxy's local detector: on OpenShift SDN what came in by tun0, upstream what is from the pod network. */
function isFromPod(w: Walk): boolean {
  if (w.tables.config.platform[0] !== KUBERNETES) return w.inDevice === HostDevice.TUN0;
  return isClusterAddress(w.tables.networks, w.tuple[0]! >>> 0);
}
