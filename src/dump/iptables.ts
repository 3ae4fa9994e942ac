/** A node's nat, filter and raw tables as `iptables-restore` reads them: kube-proxy's (iptables mode) and the SDN's.
 *  Source: kubernetes pkg/proxy/iptables/proxier.go (iptablesJumpChains); openshift/sdn pkg/network/node/iptables.go. */
import { formatIpv4 } from '../addr/ipv4.js';
import type { Epoch } from '../tables/epoch.js';
import { NETWORK_KIND } from '../tables/nodes.js';
import { egressFilterRules, egressNatRules } from './egress-rules.js';
import { type DumpedTable, type Rule, tablesText } from './iptables-text.js';
import type { LocalDetector } from './rule-sets.js';
import { serviceRules } from './service-rules.js';

const OCP4 = 0;
const KUBERNETES = 2;
const PROXY = 'kube-proxy';
const SDN = 'OpenShift SDN';

const NAT_CHAINS = [
  'KUBE-MARK-MASQ',
  'KUBE-NODEPORTS',
  'KUBE-POSTROUTING',
  'KUBE-PROXY-CANARY',
  'KUBE-SERVICES',
  'OPENSHIFT-MASQUERADE',
  'OPENSHIFT-MASQUERADE-2',
];
const FILTER_CHAINS = [
  'KUBE-EXTERNAL-SERVICES',
  'KUBE-FIREWALL',
  'KUBE-FORWARD',
  'KUBE-NODEPORTS',
  'KUBE-PROXY-CANARY',
  'KUBE-PROXY-FIREWALL',
  'KUBE-SERVICES',
  'OPENSHIFT-ADMIN-OUTPUT-RULES',
  'OPENSHIFT-BLOCK-OUTPUT',
  'OPENSHIFT-FIREWALL-ALLOW',
  'OPENSHIFT-FIREWALL-FORWARD',
];

/** The tables of node row `node`, as text. `explain` names the object behind the rules. */
export const dumpIptables = (epoch: Epoch, node: number, explain = false): string =>
  tablesText(iptablesOf(epoch, node), explain);

/** The tables of node row `node`. */
export function iptablesOf(epoch: Epoch, node: number): readonly DumpedTable[] {
  const networks = clusterNetworks(epoch);
  const services = serviceRules(epoch, node, detectorOf(epoch, networks));
  const mark = epoch.tables.config.masqueradeMark[0]!;
  return [
    {
      name: 'raw',
      builtIn: ['PREROUTING', 'OUTPUT'],
      chains: ['OPENSHIFT-NOTRACK'],
      rules: rawRules(epoch.tables.config.vxlanPort[0]!),
    },
    {
      name: 'nat',
      builtIn: ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'],
      chains: [...NAT_CHAINS, ...services.chains],
      rules: [
        ...natRules(mark, networks, egressNatRules(epoch, node, networks)),
        ...services.nat,
        ...nodePorts(),
      ],
    },
    {
      name: 'filter',
      builtIn: ['INPUT', 'FORWARD', 'OUTPUT'],
      chains: FILTER_CHAINS,
      rules: [...filterRules(epoch, mark, networks), ...egressFilterRules(epoch, node), ...services.filter],
    },
  ];
}

function clusterNetworks(epoch: Epoch): readonly string[] {
  const { networks } = epoch.tables;
  const found: string[] = [];
  for (let i = 0; i < networks.rows; i++)
    if (networks.kind[i] === NETWORK_KIND.CLUSTER)
      found.push(`${formatIpv4(networks.base[i]!)}/${Math.clz32(~networks.mask[i]!)}`);
  return found;
}

const detectorOf = (epoch: Epoch, networks: readonly string[]): LocalDetector =>
  epoch.tables.config.platform[0] === KUBERNETES
    ? { local: { source: networks[0]! }, notLocal: { source: `! ${networks[0]!}` } }
    : { local: { inDevice: 'tun0' }, notLocal: { inDevice: '! tun0' } };

/** VXLAN is not tracked, neither coming in nor going out. */
function rawRules(vxlanPort: number): readonly Rule[] {
  const jump = { comment: 'disable conntrack for vxlan', target: 'OPENSHIFT-NOTRACK', object: SDN };
  const matches = `-m udp --dport ${vxlanPort}`;
  return [
    { chain: 'PREROUTING', ...jump },
    { chain: 'OUTPUT', ...jump },
    { chain: 'OPENSHIFT-NOTRACK', protocol: 'udp', matches, target: 'CT --notrack', object: SDN },
  ];
}

function natRules(mark: number, networks: readonly string[], egress: readonly Rule[]): readonly Rule[] {
  const bit = `0x${mark.toString(16)}/0x${mark.toString(16)}`;
  const portals = { comment: 'kubernetes service portals', target: 'KUBE-SERVICES', object: PROXY };
  return [
    { chain: 'PREROUTING', ...portals },
    { chain: 'OUTPUT', ...portals },
    {
      chain: 'POSTROUTING',
      comment: 'rules for masquerading OpenShift traffic',
      target: 'OPENSHIFT-MASQUERADE',
      object: SDN,
    },
    {
      chain: 'POSTROUTING',
      comment: 'kubernetes postrouting rules',
      target: 'KUBE-POSTROUTING',
      object: PROXY,
    },
    { chain: 'KUBE-MARK-MASQ', target: `MARK --set-xmark ${bit}`, object: PROXY },
    { chain: 'KUBE-POSTROUTING', matches: `-m mark ! --mark ${bit}`, target: 'RETURN', object: PROXY },
    { chain: 'KUBE-POSTROUTING', target: `MARK --set-xmark 0x${mark.toString(16)}/0x0`, object: PROXY },
    {
      chain: 'KUBE-POSTROUTING',
      comment: 'kubernetes service traffic requiring SNAT',
      target: 'MASQUERADE --random-fully',
      object: PROXY,
    },
    ...egress,
    { chain: 'OPENSHIFT-MASQUERADE', matches: `-m mark --mark ${bit}`, target: 'RETURN', object: SDN },
    ...networks.map((source) => ({
      chain: 'OPENSHIFT-MASQUERADE',
      source,
      comment: 'masquerade pod-to-external traffic',
      target: 'OPENSHIFT-MASQUERADE-2',
      object: SDN,
    })),
    ...networks.map((destination) => ({
      chain: 'OPENSHIFT-MASQUERADE-2',
      destination,
      comment: 'masquerade pod-to-external traffic',
      target: 'RETURN',
      object: SDN,
    })),
    { chain: 'OPENSHIFT-MASQUERADE-2', target: 'MASQUERADE', object: SDN },
  ];
}

/** The last rule of KUBE-SERVICES: what goes to an address of the node may be a node port. */
function nodePorts(): readonly Rule[] {
  return [
    {
      chain: 'KUBE-SERVICES',
      comment: 'kubernetes service nodeports; NOTE: this must be the last rule in this chain',
      matches: '-m addrtype --dst-type LOCAL',
      target: 'KUBE-NODEPORTS',
      object: PROXY,
    },
  ];
}

function filterRules(epoch: Epoch, mark: number, networks: readonly string[]): readonly Rule[] {
  const bit = `0x${mark.toString(16)}/0x${mark.toString(16)}`;
  const isNew = '-m conntrack --ctstate NEW';
  const jump = (chain: string, comment: string, target: string, matches?: string): Rule => ({
    chain,
    comment,
    ...(matches === undefined ? {} : { matches }),
    target,
    object: PROXY,
  });
  const sdn = (chain: string, rest: Omit<Rule, 'chain' | 'object'>): Rule => ({
    chain,
    ...rest,
    object: SDN,
  });
  const firewall = (chain: string): Rule =>
    jump(chain, 'kubernetes load balancer firewall', 'KUBE-PROXY-FIREWALL', isNew);
  const external = (chain: string): Rule =>
    jump(chain, 'kubernetes externally-visible service portals', 'KUBE-EXTERNAL-SERVICES', isNew);
  const portals = (chain: string): Rule => jump(chain, 'kubernetes service portals', 'KUBE-SERVICES', isNew);
  // Only OpenShift 4 has a machine config server.
  const machineConfigPorts = epoch.tables.config.platform[0] === OCP4 ? [22_623, 22_624] : [];
  const blockMachineConfig = machineConfigPorts.map((port) =>
    sdn('OPENSHIFT-BLOCK-OUTPUT', {
      protocol: 'tcp',
      matches: `-m tcp --dport ${port} --tcp-flags FIN,SYN,RST,ACK SYN`,
      target: 'REJECT --reject-with icmp-port-unreachable',
    }),
  );
  return [
    // The SDN's hook in INPUT is put in front, then kube-proxy, which starts later, puts its own before it; the SDN's in
    // FORWARD are put behind.
    firewall('INPUT'),
    jump('INPUT', 'kubernetes health check service ports', 'KUBE-NODEPORTS'),
    external('INPUT'),
    sdn('INPUT', { comment: 'firewall overrides', target: 'OPENSHIFT-FIREWALL-ALLOW' }),
    { chain: 'INPUT', target: 'KUBE-FIREWALL', object: PROXY },
    firewall('FORWARD'),
    jump('FORWARD', 'kubernetes forwarding rules', 'KUBE-FORWARD'),
    portals('FORWARD'),
    external('FORWARD'),
    sdn('FORWARD', {
      inDevice: 'tun0',
      outDevice: '! tun0',
      comment: 'administrator overrides',
      target: 'OPENSHIFT-ADMIN-OUTPUT-RULES',
    }),
    sdn('FORWARD', { comment: 'firewall overrides', target: 'OPENSHIFT-FIREWALL-FORWARD' }),
    sdn('FORWARD', { comment: 'firewall overrides', target: 'OPENSHIFT-BLOCK-OUTPUT' }),
    firewall('OUTPUT'),
    portals('OUTPUT'),
    { chain: 'OUTPUT', target: 'KUBE-FIREWALL', object: PROXY },
    sdn('OUTPUT', { comment: 'firewall overrides', target: 'OPENSHIFT-BLOCK-OUTPUT' }),
    {
      chain: 'KUBE-FIREWALL',
      source: '! 127.0.0.0/8',
      destination: '127.0.0.0/8',
      comment: 'block incoming localnet connections',
      matches: '-m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT',
      target: 'DROP',
      object: PROXY,
    },
    { chain: 'KUBE-FORWARD', matches: '-m conntrack --ctstate INVALID', target: 'DROP', object: PROXY },
    jump('KUBE-FORWARD', 'kubernetes forwarding rules', 'ACCEPT', `-m mark --mark ${bit}`),
    jump(
      'KUBE-FORWARD',
      'kubernetes forwarding conntrack rule',
      'ACCEPT',
      '-m conntrack --ctstate RELATED,ESTABLISHED',
    ),
    ...blockMachineConfig,
    sdn('OPENSHIFT-FIREWALL-ALLOW', {
      protocol: 'udp',
      comment: 'VXLAN incoming',
      matches: `-m udp --dport ${epoch.tables.config.vxlanPort[0]!}`,
      target: 'ACCEPT',
    }),
    sdn('OPENSHIFT-FIREWALL-ALLOW', { inDevice: 'tun0', comment: 'from SDN to localhost', target: 'ACCEPT' }),
    ...networks.flatMap((network) => [
      sdn('OPENSHIFT-FIREWALL-FORWARD', {
        source: network,
        comment: 'attempted resend after connection close',
        matches: '-m conntrack --ctstate INVALID',
        target: 'DROP',
      }),
      sdn('OPENSHIFT-FIREWALL-FORWARD', {
        destination: network,
        comment: 'forward traffic from SDN',
        target: 'ACCEPT',
      }),
      sdn('OPENSHIFT-FIREWALL-FORWARD', {
        source: network,
        comment: 'forward traffic to SDN',
        target: 'ACCEPT',
      }),
    ]),
  ];
}
