/** Every reason a packet can end for, other than plain delivery: name, one sentence, where the real system does it. */

/** Reason numbers; 0 is none. */
export const Reason = {
  None: 0,
  FrameTruncated: 1,
  Ipv4Truncated: 2,
  Ipv4BadVersion: 3,
  Ipv4BadHeaderLength: 4,
  Ipv4BadChecksum: 5,
  Ipv4BadTotalLength: 6,
  ArpMalformed: 7,
  Ipv6Unsupported: 8,
  VlanTagged: 9,
  EtherTypeUnsupported: 10,
  TunnelOutsideCluster: 11,
  HostMulticast: 12,
  HostArpRefused: 13,
  VxlanUnknownVtep: 14,
  PodSendsVxlan: 15,
  SourceSpoofed: 16,
  ServiceReturnUnknown: 17,
  PolicyEgress: 18,
  PolicyIngress: 19,
  TenantIsolated: 20,
  ArpOutsideCluster: 21,
  ArpUnknownPod: 22,
  ArpUnknownSubnet: 23,
  UnknownPod: 24,
  UnknownSubnet: 25,
  EgressFirewall: 26,
  MulticastDisabled: 27,
  BridgeSuppressed: 28,
  TunnelTooLong: 29,
  VxlanTruncated: 30,
  VxlanMalformed: 31,
  VxlanBadChecksum: 32,
  MacForeign: 33,
  AddressForeign: 34,
  SourceMartian: 35,
  TcpTruncated: 36,
  UdpTruncated: 37,
  IcmpTruncated: 38,
  TcpBadChecksum: 39,
  UdpBadChecksum: 40,
  IcmpBadChecksum: 41,
  ConntrackInvalid: 42,
  ConntrackFull: 43,
  NatPortsExhausted: 44,
  NoEndpoints: 45,
  RejectSilent: 46,
  NoLocalEndpoints: 47,
  TtlExceeded: 48,
  FragmentationNeeded: 49,
  HostUnreachable: 50,
  NoRoute: 51,
  FragmentPending: 52,
  ProtocolUnsupported: 53,
  SocketNone: 54,
  BroadcastUnserved: 55,
  ArpAnswered: 56,
  ArpLearned: 57,
  ArpIgnored: 58,
  EchoAnswered: 59,
  TcpReset: 60,
  PortUnreachable: 61,
  NeighbourPending: 62,
  NeighbourQueueFull: 63,
  WalkTooLong: 64,
  EntryUnknown: 65,
  LinkTypeUnsupported: 66,
  CaptureTruncated: 67,
  WorkerQuarantine: 68,
  ConntrackClash: 69,
  VxlanEcn: 70,
  MachineConfigBlocked: 71,
  MetadataBlocked: 72,
  LoadBalancerFirewall: 73,
  EndpointsDenied: 74,
  EgressIpUnhosted: 75,
  EgressIpClosed: 76,
  MulticastNoReceiver: 77,
  FragmentMerged: 78,
  FragmentTimeout: 79,
  FragmentOverlap: 80,
  FragmentDuplicate: 81,
  FragmentMalformed: 82,
  FragmentTooLong: 83,
  FragmentEcn: 84,
  FragmentTooFar: 85,
  FragmentTableFull: 86,
} as const;
export type Reason = (typeof Reason)[keyof typeof Reason];

export interface ReasonText {
  /** Stable name for machines. */
  readonly name: string;
  /** One sentence. */
  readonly sentence: string;
  /** The layer in which the real system does it. */
  readonly layer: string;
}

/** Texts by number. */
export const REASONS: readonly ReasonText[] = [
  { name: 'none', sentence: '', layer: '' },
  { name: 'frame-truncated', sentence: 'The frame ends before its Ethernet header does.', layer: 'device' },
  {
    name: 'ipv4-truncated',
    sentence: 'The frame ends before its IPv4 header does.',
    layer:
      'br0 table 20: the flow key has no nw_src, so no pod rule matches; a host stack drops it in ip_rcv',
  },
  {
    name: 'ipv4-bad-version',
    sentence: 'EtherType says IPv4, the version field does not.',
    layer: 'br0 table 20: the flow key has no nw_src; a host stack drops it in ip_rcv',
  },
  {
    name: 'ipv4-bad-header-length',
    sentence: 'The IPv4 header length is below 20 bytes.',
    layer: 'br0 table 20: the flow key has no nw_src; a host stack drops it in ip_rcv',
  },
  {
    name: 'ipv4-bad-checksum',
    sentence: 'The IPv4 header checksum is wrong.',
    layer: "ip_rcv of the stack that receives it: tun0, a node's NIC or the pod; br0 and vxlan0 do not look",
  },
  {
    name: 'ipv4-bad-total-length',
    sentence: 'The IPv4 total length is shorter than the header or longer than the frame.',
    layer: 'ip_rcv of the stack that receives it',
  },
  {
    name: 'arp-malformed',
    sentence: 'The ARP packet is cut or not IPv4 over Ethernet.',
    layer: 'br0 table 20: the flow key has no arp fields, so no pod rule matches',
  },
  { name: 'ipv6-unsupported', sentence: 'OpenShift SDN carries no IPv6.', layer: 'br0 table 0, priority 0' },
  {
    name: 'vlan-tagged',
    sentence: 'The frame has an 802.1Q or 802.1ad tag.',
    layer: 'br0 table 0, priority 0',
  },
  {
    name: 'ether-type-unsupported',
    sentence: 'The frame is neither IPv4 nor ARP.',
    layer: 'br0 table 0, priority 0',
  },
  {
    name: 'tunnel-outside-cluster',
    sentence:
      "A tunnelled packet has neither end in the cluster network, or asks for an address outside this node's subnet.",
    layer: 'br0 table 0, in_port=1, priority 150',
  },
  {
    name: 'host-multicast',
    sentence: 'Multicast from the host does not enter the bridge.',
    layer: 'br0 table 0, in_port=2',
  },
  {
    name: 'host-arp-refused',
    sentence: 'An ARP packet from tun0 is not from the gateway, or not for the cluster network.',
    layer: 'br0 table 0, in_port=2, priority 150',
  },
  {
    name: 'vxlan-unknown-vtep',
    sentence: "The tunnel's outer source is no node of this cluster.",
    layer: 'br0 table 10, priority 0',
  },
  {
    name: 'pod-sends-vxlan',
    sentence: "A pod may not send to the tunnel's UDP port.",
    layer: 'br0 table 20, priority 300',
  },
  {
    name: 'source-spoofed',
    sentence: 'The source address is not the one of the pod behind this port.',
    layer: 'br0 table 20, priority 0',
  },
  {
    name: 'service-return-unknown',
    sentence: 'A packet came back by tun0 with a source that is no pod of this node.',
    layer: 'br0 table 25, priority 0',
  },
  {
    name: 'policy-egress',
    sentence: 'A NetworkPolicy isolates the source pod and no rule allows this packet.',
    layer: 'br0 table 27',
  },
  {
    name: 'policy-ingress',
    sentence: 'A NetworkPolicy isolates the destination pod and no rule allows this packet.',
    layer: 'br0 table 80',
  },
  {
    name: 'tenant-isolated',
    sentence: 'The two namespaces have different NetIDs and neither is global.',
    layer: 'br0 table 80',
  },
  {
    name: 'arp-outside-cluster',
    sentence: 'The ARP request is for an address outside the cluster network.',
    layer: 'br0 table 31, priority 0',
  },
  {
    name: 'arp-unknown-pod',
    sentence: "The ARP request is for an address of this node's subnet that no pod has.",
    layer: 'br0 table 40, priority 0',
  },
  {
    name: 'arp-unknown-subnet',
    sentence: 'The ARP request is for an address of a subnet that no node has.',
    layer: 'br0 table 50, priority 0',
  },
  {
    name: 'unknown-pod',
    sentence: "The destination is in this node's subnet, but no pod has it.",
    layer: 'br0 table 70, priority 0',
  },
  {
    name: 'unknown-subnet',
    sentence: "The destination is in the cluster network, but in no node's subnet.",
    layer: 'br0 table 90, priority 0',
  },
  {
    name: 'egress-firewall',
    sentence: 'An EgressNetworkPolicy denies the destination.',
    layer: 'br0 table 100',
  },
  {
    name: 'multicast-disabled',
    sentence: 'Multicast is not enabled for the namespace.',
    layer: 'br0 table 110, priority 0',
  },
  {
    name: 'bridge-suppressed',
    sentence: 'The bridge never sends a packet out of the port it came in by.',
    layer: 'br0 output to the input port',
  },
  {
    name: 'tunnel-too-long',
    sentence: "With the tunnel's headers the packet would be longer than an IPv4 packet can be.",
    layer: 'vxlan0 output',
  },
  {
    name: 'vxlan-truncated',
    sentence: 'The frame ends before its UDP, VXLAN or inner Ethernet header does.',
    layer: 'vxlan0 receive',
  },
  {
    name: 'vxlan-malformed',
    sentence: 'The VXLAN header lacks the I flag or has reserved bits set.',
    layer: 'vxlan0 receive (vxlan_rcv)',
  },
  {
    name: 'vxlan-bad-checksum',
    sentence: 'The outer UDP checksum is set and wrong.',
    layer: 'UDP receive of the node (udp_rcv)',
  },
  {
    name: 'mac-foreign',
    sentence: "The destination MAC is not this device's.",
    layer: 'ip_rcv: the frame is for another host',
  },
  {
    name: 'address-foreign',
    sentence: "The destination address is not this pod's, and a pod does not forward.",
    layer: "the pod's routing",
  },
  {
    name: 'source-martian',
    sentence: 'The source address is one that no packet on a wire may have.',
    layer: "the host's routing (ip_route_input)",
  },
  {
    name: 'tcp-truncated',
    sentence: 'The segment ends before its TCP header does.',
    layer: 'tcp_v4_rcv; conntrack calls it INVALID',
  },
  {
    name: 'udp-truncated',
    sentence: 'The datagram is shorter than its UDP header or its length field.',
    layer: 'udp_rcv; conntrack calls it INVALID',
  },
  {
    name: 'icmp-truncated',
    sentence: 'The message is shorter than an ICMP header.',
    layer: 'icmp_rcv; conntrack calls it INVALID',
  },
  {
    name: 'tcp-bad-checksum',
    sentence: 'The TCP checksum is wrong, and not left to offload.',
    layer: 'tcp_v4_rcv of the receiving pod',
  },
  {
    name: 'udp-bad-checksum',
    sentence: 'The UDP checksum is wrong, and not left to offload.',
    layer: 'udp_rcv of the receiving pod',
  },
  {
    name: 'icmp-bad-checksum',
    sentence: 'The ICMP checksum is wrong.',
    layer: 'icmp_rcv of the receiving pod',
  },
  {
    name: 'conntrack-invalid',
    sentence: 'Conntrack calls the packet INVALID, and the host does not forward those.',
    layer: 'filter FORWARD: KUBE-FORWARD, OPENSHIFT-FIREWALL-FORWARD',
  },
  {
    name: 'conntrack-full',
    sentence: 'The connection table has no free row.',
    layer: 'nf_conntrack (table full)',
  },
  {
    name: 'nat-ports-exhausted',
    sentence: 'No free source port is left for the masqueraded connection.',
    layer: 'nat POSTROUTING: MASQUERADE',
  },
  {
    name: 'no-endpoints',
    sentence: 'The Service has no endpoints: the REJECT target answers ICMP port unreachable.',
    layer: 'filter FORWARD: KUBE-SERVICES',
  },
  {
    name: 'reject-silent',
    sentence: 'The REJECT target gives no answer to this packet.',
    layer: 'filter FORWARD: KUBE-SERVICES',
  },
  {
    name: 'no-local-endpoints',
    sentence: 'internalTrafficPolicy is Local and no endpoint is on this node.',
    layer: 'filter FORWARD: KUBE-SERVICES (DROP)',
  },
  { name: 'ttl-exceeded', sentence: 'The TTL ran out where the host forwards.', layer: 'ip_forward' },
  {
    name: 'fragmentation-needed',
    sentence: "The packet is longer than the next hop's MTU and may not be fragmented.",
    layer: 'ip_forward',
  },
  {
    name: 'host-unreachable',
    sentence: "Nobody answered the host's three ARP requests.",
    layer: 'neighbour table of tun0 or the NIC, after 3 s',
  },
  { name: 'no-route', sentence: 'The host has no route to the destination.', layer: 'ip_route_input' },
  {
    name: 'fragment-pending',
    sentence: 'The fragment waits for the rest of its datagram.',
    layer: 'ip_defrag: br0 ct(), the node’s conntrack, or the stack that receives it',
  },
  {
    name: 'protocol-unsupported',
    sentence: "The pod's stack has no such protocol.",
    layer: 'ip_local_deliver',
  },
  {
    name: 'socket-none',
    sentence: 'No socket takes the segment and it is not one that a stack answers.',
    layer: 'tcp_v4_rcv of the receiving pod',
  },
  {
    name: 'broadcast-unserved',
    sentence: 'Broadcast or multicast that no socket of the stack asked for.',
    layer: 'ip_local_deliver',
  },
  {
    name: 'arp-answered',
    sentence: 'The stack that owns the address answered the ARP request.',
    layer: 'arp_rcv',
  },
  { name: 'arp-learned', sentence: 'An ARP reply went into the neighbour table.', layer: 'arp_rcv' },
  {
    name: 'arp-ignored',
    sentence: 'The ARP packet asks for an address that this stack does not own.',
    layer: 'arp_rcv',
  },
  { name: 'echo-answered', sentence: 'The stack answered the echo request.', layer: 'icmp_echo' },
  {
    name: 'tcp-reset',
    sentence: 'No socket listens on the port: the stack answered with RST.',
    layer: 'tcp_v4_rcv',
  },
  {
    name: 'port-unreachable',
    sentence: 'No socket listens on the port: the stack answered with ICMP port unreachable.',
    layer: 'udp_rcv',
  },
  {
    name: 'neighbour-pending',
    sentence: 'The host still waits for an ARP answer.',
    layer: 'neighbour table',
  },
  {
    name: 'neighbour-queue-full',
    sentence: 'Too many packets wait for the same neighbour.',
    layer: 'neighbour table (unres_qlen_bytes)',
  },
  {
    name: 'walk-too-long',
    sentence: 'The packet went round more often than any real path does.',
    layer: 'podplane',
  },
  {
    name: 'entry-unknown',
    sentence: 'Nothing in the capture says where in the cluster this packet enters.',
    layer: 'podplane replay',
  },
  {
    name: 'link-type-unsupported',
    sentence: "The capture's link type is neither Ethernet nor raw IP nor Linux cooked.",
    layer: 'podplane replay',
  },
  {
    name: 'capture-truncated',
    sentence: 'The capture cut this packet short, so there are no bytes to carry.',
    layer: 'podplane replay',
  },
  { name: 'worker-quarantine', sentence: 'Two workers died on this packet.', layer: 'podplane workers' },
  {
    name: 'conntrack-clash',
    sentence: 'Another connection already has the answers of this one: the same ends, reached another way.',
    layer: 'nf_conntrack_confirm (br0 ct(commit), POSTROUTING, INPUT)',
  },
  {
    name: 'vxlan-ecn',
    sentence: 'The tunnel marks congestion, and the packet inside cannot carry the mark.',
    layer: 'vxlan0 receive (vxlan_ecn_decapsulate)',
  },
  {
    name: 'machine-config-blocked',
    sentence: 'Nobody may open a connection to the machine config server: TCP 22623, 22624.',
    layer: "the pod's nft table openshift-block-output; filter OUTPUT, FORWARD: OPENSHIFT-BLOCK-OUTPUT",
  },
  {
    name: 'metadata-blocked',
    sentence: "Pods may not ask the cloud's metadata service, but for DNS: TCP and UDP to 169.254.169.254.",
    layer: "the pod's nft table openshift-block-output",
  },
  {
    name: 'load-balancer-firewall',
    sentence: "The load balancer's address takes no traffic from this source.",
    layer: 'filter KUBE-PROXY-FIREWALL',
  },
  {
    name: 'endpoints-denied',
    sentence:
      'An EgressNetworkPolicy denies an endpoint outside the cluster, so the proxy has none of the Service: REJECT.',
    layer: 'filter FORWARD: KUBE-SERVICES; openshift-sdn proxy',
  },
  {
    name: 'egress-ip-unhosted',
    sentence: 'The namespace leaves the cluster by egress addresses, and no node hosts one of them for it.',
    layer: 'br0 table 101, priority 100',
  },
  {
    name: 'egress-ip-closed',
    sentence: 'Nobody connects to an egress address from outside: it is for what leaves the cluster.',
    layer: 'filter INPUT: OPENSHIFT-FIREWALL-ALLOW (REJECT)',
  },
  {
    name: 'multicast-no-receiver',
    sentence: 'No other pod of the NetID is on this node, or its namespaces do not all allow multicast.',
    layer: 'br0 table 120',
  },
  {
    name: 'fragment-merged',
    sentence: 'The fragment has gone on in its datagram, which is whole.',
    layer: 'ip_defrag: br0 ct(), the node’s conntrack, or the stack that receives it',
  },
  {
    name: 'fragment-timeout',
    sentence: 'The datagram was not whole 30 seconds after its first fragment came.',
    layer: 'ip_expire',
  },
  {
    name: 'fragment-overlap',
    sentence: 'Two fragments of the datagram overlap, so all of them are dropped.',
    layer: 'inet_frag_queue_insert',
  },
  {
    name: 'fragment-duplicate',
    sentence: 'These bytes of the datagram wait already.',
    layer: 'inet_frag_queue_insert',
  },
  {
    name: 'fragment-malformed',
    sentence: 'The fragment is empty, or lies beyond the end of its datagram.',
    layer: 'ip_frag_queue',
  },
  {
    name: 'fragment-too-long',
    sentence: 'The datagram would be longer than 65,535 bytes.',
    layer: 'ip_frag_reasm',
  },
  {
    name: 'fragment-ecn',
    sentence: 'Fragments that are ECN-capable and such that are not make no datagram.',
    layer: 'ip_frag_reasm',
  },
  {
    name: 'fragment-too-far',
    sentence:
      'More than 64 other fragments of the sender came since, so it is of an older datagram of this number.',
    layer: 'ip_frag_too_far',
  },
  {
    name: 'fragment-table-full',
    sentence: 'No room for another fragment: of its stack (ipfrag_high_thresh), or of one datagram.',
    layer: 'inet_frag_find',
  },
];
