/** kube-proxy's rules for the Services, in iptables mode, as one node has them.
 *  Source: kubernetes pkg/proxy/iptables/proxier.go (syncProxyRules, writeServiceToEndpointRules). */
import { formatIpv4, prefixContains } from '../addr/ipv4.js';
import { parsePrefix } from '../addr/ipv4-prefix.js';
import type { Epoch } from '../tables/epoch.js';
import { NONE } from '../tables/nodes.js';
import { endpointChain } from './chain-names.js';
import { externalRules } from './external-rules.js';
import type { Rule } from './iptables-text.js';
import { type LocalDetector, MARK_MASQUERADE, REJECT, type ServiceRules } from './rule-sets.js';
import { type PortView, servicePorts } from './service-ports.js';

/** Rules of every service port, as node row `node` has them. */
export function serviceRules(epoch: Epoch, node: number, detector: LocalDetector): ServiceRules {
  const rules: ServiceRules = { chains: [], nat: [], filter: [] };
  const own = epoch.tables.nodes.address[node]!;
  const isNodeInRange = (range: string): boolean => prefixContains(parsePrefix(range)!, own);
  for (const port of servicePorts(epoch, node)) {
    clusterIpRules(port, detector, rules);
    externalRules(port, detector, isNodeInRange, rules);
    endpointRules(epoch, port, rules);
  }
  return rules;
}

/** The portal of the ClusterIP, or what turns its traffic away. */
function clusterIpRules(port: PortView, { notLocal }: LocalDetector, { nat, filter }: ServiceRules): void {
  const { name, object, match } = port;
  if (!port.hasInternalEndpoints) {
    const comment = `${name} has no ${port.hasEndpoints ? 'local ' : ''}endpoints`;
    const target = port.hasEndpoints ? 'DROP' : REJECT;
    filter.push({ chain: 'KUBE-SERVICES', ...match, comment, target, object });
    return;
  }
  const comment = `${name} cluster IP`;
  const target = port.chain(port.isInternalLocal ? 'SVL' : 'SVC');
  nat.push({ chain: 'KUBE-SERVICES', ...match, comment, target, object });
  nat.push({ chain: target, ...notLocal, ...match, comment, target: MARK_MASQUERADE, object });
}

/** The chains of both choices, then each endpoint's own. */
function endpointRules(epoch: Epoch, port: PortView, rules: ServiceRules): void {
  const { services } = epoch.tables;
  const separate = new Map<string, Rule[]>();
  for (const [row, kind] of [
    [port.cluster, 'SVC'],
    [port.local, 'SVL'],
  ] as const) {
    if (row === NONE || services.count[row] === 0) continue;
    rules.chains.push(port.chain(kind));
    choiceRules(epoch, port, row, port.chain(kind), rules.nat, separate);
  }
  for (const [chain, list] of separate) {
    rules.chains.push(chain);
    rules.nat.push(...list);
  }
}

/** Who has been here before keeps its endpoint; else endpoint i of n is taken with chance 1/(n-i), so that all have the
 *  same. Adds the endpoints' own chains to `separate`. */
function choiceRules(
  epoch: Epoch,
  port: PortView,
  row: number,
  chain: string,
  nat: Rule[],
  separate: Map<string, Rule[]>,
): void {
  const { services, endpoints } = epoch.tables;
  const { name, protocol } = port;
  const first = services.first[row]!;
  const count = services.count[row]!;
  const choices: Rule[] = [];
  for (let i = 0; i < count; i++) {
    const address = formatIpv4(endpoints.address[first + i]!);
    const to = `${address}:${endpoints.port[first + i]}`;
    const target = endpointChain(name, protocol, to);
    const object = `${port.object} -> ${epoch.text(endpoints.name[first + i]!)}`;
    const comment = `${name} -> ${to}`;
    if (port.affinity > 0)
      nat.push({ chain, comment, matches: isKnown(target, port.affinity), target, object });
    const left = count - i;
    const chance = `-m statistic --mode random --probability ${(1 / left).toFixed(10)}`;
    choices.push({ chain, comment, ...(left === 1 ? {} : { matches: chance }), target, object });
    if (!separate.has(target)) separate.set(target, ownRules(port, target, address, to, object));
  }
  nat.push(...choices);
}

const isKnown = (list: string, seconds: number): string =>
  `-m recent --rcheck --seconds ${seconds} --reap --name ${list} --mask 255.255.255.255 --rsource`;

/** KUBE-SEP: an endpoint that reaches itself through its Service would answer itself directly, so it is masqueraded. */
function ownRules(port: PortView, chain: string, address: string, to: string, object: string): Rule[] {
  const { name, protocol, affinity } = port;
  const note = `-m recent --set --name ${chain} --mask 255.255.255.255 --rsource `;
  return [
    { chain, source: `${address}/32`, comment: name, target: MARK_MASQUERADE, object },
    {
      chain,
      protocol,
      comment: name,
      matches: `${affinity > 0 ? note : ''}-m ${protocol}`,
      target: `DNAT --to-destination ${to}`,
      object,
    },
  ];
}
