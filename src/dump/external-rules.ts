/** kube-proxy's rules for what comes to a Service by other addresses than its ClusterIP: external and load balancers'
 *  addresses, node ports. Source: kubernetes pkg/proxy/iptables/proxier.go (syncProxyRules). */
import { FRONT_KIND } from '../tables/fronts.js';
import type { Rule } from './iptables-text.js';
import { type LocalDetector, MARK_MASQUERADE, REJECT, type ServiceRules } from './rule-sets.js';
import { type Front, hasExternalChain, hasFirewall, type PortView, portMatch } from './service-ports.js';

/** An address of the node, in KUBE-NODEPORTS' words. */
const IS_LOCAL = '-m addrtype --dst-type LOCAL';
const FROM_LOCAL = '-m addrtype --src-type LOCAL';

/** Add the rules of one port's fronts. `isNodeInRange` tells whether a range of sources holds the node's address. */
export function externalRules(
  port: PortView,
  detector: LocalDetector,
  isNodeInRange: (range: string) => boolean,
  to: ServiceRules,
): void {
  for (const front of port.fronts) frontRules(port, front, to);
  if (hasExternalChain(port)) externalChain(port, detector, to);
  if (hasFirewall(port)) firewallChain(port, isNodeInRange, to);
}

function frontRules(port: PortView, front: Front, { nat, filter }: ServiceRules): void {
  const { object, name } = port;
  if (front.kind === FRONT_KIND.HEALTH_CHECK) {
    const comment = `${name} health check node port`;
    filter.push({ chain: 'KUBE-NODEPORTS', ...matchOf(front), comment, target: 'ACCEPT', object });
    return;
  }
  const isNodePort = front.kind === FRONT_KIND.NODE_PORT;
  const isBalancer = front.kind === FRONT_KIND.LOAD_BALANCER;
  if (port.hasEndpoints)
    nat.push({
      chain: isNodePort ? 'KUBE-NODEPORTS' : 'KUBE-SERVICES',
      ...matchOf(front),
      comment: isNodePort ? name : `${name} ${isBalancer ? 'loadbalancer' : 'external'} IP`,
      target: port.chain(isBalancer && hasFirewall(port) ? 'FW' : 'EXT'),
      object,
    });
  if (isBalancer && hasFirewall(port))
    filter.push({
      chain: 'KUBE-PROXY-FIREWALL',
      ...matchOf(front),
      comment: `${name} traffic not accepted by ${port.chain('FW')}`,
      target: 'DROP',
      object,
    });
  if (port.hasExternalEndpoints) return;
  const match = matchOf(front);
  filter.push({
    chain: 'KUBE-EXTERNAL-SERVICES',
    ...match,
    ...(isNodePort ? { matches: `${IS_LOCAL} ${match.matches}` } : {}),
    comment: `${name} has no ${port.hasEndpoints ? 'local ' : ''}endpoints`,
    target: port.hasEndpoints ? 'DROP' : REJECT,
    object,
  });
}

/** An address, protocol and port; for a node port the address is looked at elsewhere. */
function matchOf({
  kind,
  address,
  protocol,
  port,
}: Front): Pick<Rule, 'destination' | 'protocol' | 'matches'> {
  const isAnyAddress = kind === FRONT_KIND.NODE_PORT || kind === FRONT_KIND.HEALTH_CHECK;
  return { ...(isAnyAddress ? {} : { destination: `${address}/32` }), ...portMatch(protocol, port) };
}

/** KUBE-EXT: whose source is masqueraded, and which choice of endpoints follows. */
function externalChain(port: PortView, detector: LocalDetector, { chains, nat }: ServiceRules): void {
  const { name, object } = port;
  const chain = port.chain('EXT');
  const rule = (rest: Omit<Rule, 'chain' | 'object'>): void => {
    nat.push({ chain, ...rest, object });
  };
  chains.push(chain);
  const what = `for ${name} external destinations`;
  if (!port.isExternalLocal) rule({ comment: `masquerade traffic ${what}`, target: MARK_MASQUERADE });
  else {
    rule({ ...detector.local, comment: `pod traffic ${what}`, target: port.chain('SVC') });
    rule({ comment: `masquerade LOCAL traffic ${what}`, matches: FROM_LOCAL, target: MARK_MASQUERADE });
    rule({ comment: `route LOCAL traffic ${what}`, matches: FROM_LOCAL, target: port.chain('SVC') });
  }
  if (port.hasExternalEndpoints) rule({ target: port.chain(port.isExternalLocal ? 'SVL' : 'SVC') });
}

/** KUBE-FW: sources that may use the load balancer's addresses. What falls through is not translated, and filter drops it. */
function firewallChain(
  port: PortView,
  isNodeInRange: (range: string) => boolean,
  { chains, nat }: ServiceRules,
): void {
  const chain = port.chain('FW');
  const comment = `${port.name} loadbalancer IP`;
  const target = port.chain('EXT');
  const { object } = port;
  chains.push(chain);
  const balancers = port.fronts.filter((front) => front.kind === FRONT_KIND.LOAD_BALANCER);
  const { ranges } = balancers[0]!;
  for (const source of ranges) nat.push({ chain, source, comment, target, object });
  if (!ranges.some(isNodeInRange)) return;
  for (const { address } of balancers) nat.push({ chain, source: `${address}/32`, comment, target, object });
}
