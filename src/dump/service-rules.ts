/** kube-proxy's rules for the Services, in iptables mode, as one node has them.
 *  Source: kubernetes pkg/proxy/iptables/proxier.go (syncProxyRules, writeServiceToEndpointRules). */
import { formatIpv4 } from '../addr/ipv4.js';
import type { Epoch } from '../tables/epoch.js';
import { ANY_NODE, findService, SERVICE_FLAG } from '../tables/services.js';
import { endpointChain, serviceChain } from './chain-names.js';
import type { Rule } from './iptables-text.js';

const PROTOCOLS: Readonly<Record<number, string>> = { 6: 'tcp', 17: 'udp', 132: 'sctp' };
/** Where kube-proxy adds the marks that KUBE-POSTROUTING masquerades. */
const MARK_MASQUERADE = 'KUBE-MARK-MASQ';

export interface ServiceRules {
  /** Chains beyond the fixed ones. */
  readonly chains: readonly string[];
  readonly nat: readonly Rule[];
  readonly filter: readonly Rule[];
}

/** What the local detector does not call local: by device on OpenShift SDN, by address upstream. */
export type NotLocal = Pick<Rule, 'source' | 'inDevice'>;

/** A service port in words. */
interface Port {
  readonly name: string;
  readonly protocol: string;
  readonly chain: string;
  readonly address: string;
  /** Compares protocol and port, in a rule's fields. */
  readonly match: Pick<Rule, 'destination' | 'protocol' | 'matches'>;
  readonly object: string;
}

/** Rules of every service port, as node row `node` has them. */
export function serviceRules(epoch: Epoch, node: number, notLocal: NotLocal): ServiceRules {
  const { services, serviceSlots } = epoch.tables;
  const chains: string[] = [];
  const portals: Rule[] = [];
  const choices: Rule[] = [];
  const filter: Rule[] = [];
  for (let any = 0; any < services.rows; any++) {
    if (services.node[any] !== ANY_NODE) continue;
    const row = findService(services, serviceSlots, services.ip[any]!, services.portProto[any]!, node);
    const port = describePort(epoch, row);
    if (services.count[row] === 0) {
      filter.push(refusal(epoch, row, port));
      continue;
    }
    const comment = `${port.name} cluster IP`;
    portals.push({ chain: 'KUBE-SERVICES', ...port.match, comment, target: port.chain, object: port.object });
    chains.push(port.chain);
    choices.push({
      chain: port.chain,
      ...notLocal,
      ...port.match,
      comment,
      target: MARK_MASQUERADE,
      object: port.object,
    });
    endpointRules(epoch, row, port, chains, choices);
  }
  return { chains, nat: [...portals, ...choices], filter };
}

function describePort(epoch: Epoch, row: number): Port {
  const { services } = epoch.tables;
  const portProto = services.portProto[row]!;
  const name = epoch.text(services.name[row]!);
  const protocol = PROTOCOLS[portProto & 0xff]!;
  const isLocal = (services.flags[row]! & SERVICE_FLAG.LOCAL_ONLY) !== 0;
  const address = formatIpv4(services.ip[row]!);
  return {
    name,
    protocol,
    chain: serviceChain(isLocal ? 'SVL' : 'SVC', name, protocol),
    address,
    match: { destination: `${address}/32`, protocol, matches: `-m ${protocol} --dport ${portProto >>> 16}` },
    object: `Service ${name.split(':')[0]}`,
  };
}

/** A Service that nobody is behind: filter turns it away; where only other nodes have endpoints, it drops. */
function refusal(epoch: Epoch, row: number, port: Port): Rule {
  const isLocal = (epoch.tables.services.flags[row]! & SERVICE_FLAG.LOCAL_ONLY) !== 0;
  return {
    chain: 'KUBE-SERVICES',
    ...port.match,
    comment: `${port.name} ${isLocal ? 'has no local endpoints' : 'has no endpoints'}`,
    target: isLocal ? 'DROP' : 'REJECT --reject-with icmp-port-unreachable',
    object: port.object,
  };
}

/** Endpoint i of n is taken with chance 1/(n-i), so that all have the same; then each endpoint's own chain. */
function endpointRules(epoch: Epoch, row: number, port: Port, chains: string[], rules: Rule[]): void {
  const { services, endpoints } = epoch.tables;
  const { name, protocol } = port;
  const first = services.first[row]!;
  const count = services.count[row]!;
  const separate: Rule[] = [];
  for (let i = 0; i < count; i++) {
    const address = formatIpv4(endpoints.address[first + i]!);
    const target = `${address}:${endpoints.port[first + i]}`;
    const chain = endpointChain(name, protocol, target);
    const object = `${port.object} -> ${epoch.text(endpoints.name[first + i]!)}`;
    const left = count - i;
    const chance =
      left === 1 ? {} : { matches: `-m statistic --mode random --probability ${(1 / left).toFixed(10)}` };
    chains.push(chain);
    rules.push({ chain: port.chain, comment: `${name} -> ${target}`, ...chance, target: chain, object });
    // An endpoint that reaches itself through its Service would answer itself directly: it is masqueraded.
    separate.push({ chain, source: `${address}/32`, comment: name, target: MARK_MASQUERADE, object });
    const dnat = `DNAT --to-destination ${target}`;
    separate.push({ chain, protocol, comment: name, matches: `-m ${protocol}`, target: dnat, object });
  }
  rules.push(...separate);
}
