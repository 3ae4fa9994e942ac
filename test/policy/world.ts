/** A small cluster as Kubernetes objects, and questions to it: does this packet get through the NetworkPolicies?
 *
 *  n1 192.168.1.101, 10.128.0.0/23    web (shop), old (default)
 *  n2 192.168.1.102, 10.129.0.0/23    db (shop), mon (ops), and router (ops), which uses the node's network */
import { load } from 'js-yaml';
import { entryOf } from '../../src/cli/entry.js';
import { PacketRun } from '../../src/cli/packet-run.js';
import { ReferenceBook } from '../../src/cli/reference.js';
import { type LoadedCluster, loadCluster } from '../../src/cluster.js';
import type { PacketTrace } from '../../src/engine/explain.js';
import type { LoadOptions } from '../../src/manifests/load.js';
import type { Arena } from '../../src/packet/batch.js';
import { type BuiltFrame, buildEcho, buildTcp, buildUdp } from '../../src/packet/build.js';
import type { Epoch } from '../../src/tables/epoch.js';
import { fillIpv4Checksum, IPV4 } from '../../src/wire/ipv4.js';
import { fillSctpChecksum } from '../../src/wire/sctp.js';
import { TCP_FLAG } from '../../src/wire/tcp.js';

const FIRST_SPORT = 40_000;

export type Protocol = 'tcp' | 'udp' | 'sctp' | 'icmp';

export interface Question {
  /** A pod as `shop/web`, a node as `node:n1`, or an address outside. */
  readonly from: string;
  /** The same, or `svc:shop/web`. */
  readonly to: string;
  readonly protocol: Protocol;
  readonly port: number;
}

export const node = (name: string, address: string, subnet: string): object[] => [
  {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name },
    status: { addresses: [{ type: 'InternalIP', address }] },
  },
  {
    apiVersion: 'network.openshift.io/v1',
    kind: 'HostSubnet',
    metadata: { name },
    host: name,
    hostIP: address,
    subnet,
  },
];

export const namespace = (name: string, netid: number, labels: Record<string, string> = {}): object[] => [
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } },
  { apiVersion: 'network.openshift.io/v1', kind: 'NetNamespace', metadata: { name }, netname: name, netid },
];

export interface PodPort {
  readonly name?: string;
  readonly protocol?: string;
  readonly containerPort: number;
}

export const pod = (
  name: string,
  on: string,
  podIP: string,
  labels: Record<string, string>,
  ports: readonly PodPort[] = [],
): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { namespace: name.split('/')[0], name: name.split('/')[1], labels },
  spec: { nodeName: on, containers: [{ name: 'c', ports }] },
  status: { phase: 'Running', podIP },
});

export const NETWORK: object = {
  apiVersion: 'network.openshift.io/v1',
  kind: 'ClusterNetwork',
  metadata: { name: 'default' },
  network: '10.128.0.0/14',
  hostsubnetlength: 9,
  serviceNetwork: '172.30.0.0/16',
  pluginName: 'redhat/openshift-ovs-networkpolicy',
};

/** The cluster at the top of this file. */
export const SMALL: readonly object[] = [
  NETWORK,
  ...node('n1', '192.168.1.101', '10.128.0.0/23'),
  ...node('n2', '192.168.1.102', '10.129.0.0/23'),
  ...namespace('default', 0),
  ...namespace('shop', 11, { team: 'shop' }),
  ...namespace('ops', 12, { team: 'ops', env: 'prod' }),
  pod('shop/web', 'n1', '10.128.0.2', { app: 'web' }, [{ name: 'http', containerPort: 8080 }]),
  pod('shop/db', 'n2', '10.129.0.2', { app: 'db', tier: 'back' }, [{ name: 'http', containerPort: 5432 }]),
  pod('ops/mon', 'n2', '10.129.0.3', { app: 'mon' }, [
    { name: 'http', protocol: 'UDP', containerPort: 8080 },
  ]),
  pod('default/old', 'n1', '10.128.0.3', { app: 'web' }),
  {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace: 'ops', name: 'router', labels: { app: 'mon' } },
    spec: { nodeName: 'n2', hostNetwork: true, containers: [{ name: 'c' }] },
    status: { phase: 'Running', podIP: '192.168.1.102' },
  },
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace: 'shop', name: 'web' },
    spec: {
      clusterIP: '172.30.0.80',
      selector: { app: 'web' },
      ports: [{ port: 80, targetPort: 8080, protocol: 'TCP' }],
    },
  },
];

/** A policy from `namespace: spec`. */
export const policyOf = (text: string, index: number): object => {
  const colon = text.indexOf(':');
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { namespace: text.slice(0, colon), name: `policy-${index}` },
    spec: load(text.slice(colon + 1)) as object,
  };
};

/** One cluster under one mode, to be asked many times: each question is a connection of its own. */
export class World implements Disposable {
  readonly epoch: Epoch;
  readonly #book: ReferenceBook;
  readonly #run: PacketRun;
  #asked = 0;
  /** What the last packet caused. */
  caused: readonly PacketTrace[] = [];

  private constructor(cluster: LoadedCluster) {
    this.epoch = cluster.compile();
    this.#book = new ReferenceBook(cluster.model);
    this.#run = new PacketRun(this.epoch, { connectionsMax: 8192 });
  }

  static async load(objects: readonly object[], options: LoadOptions = {}): Promise<World> {
    return new World(await loadCluster({ objects }, options));
  }

  /** The whole way of the packet. */
  trace(question: Question): PacketTrace {
    const to = this.#book.find('to', fullName(question.to));
    if (to.kind === 'service') return this.#send(question, to.service.clusterIp);
    const address = to.kind === 'pod' ? to.pod.address : to.kind === 'node' ? to.node.address : to.address;
    return this.#send(question, address);
  }

  [Symbol.dispose](): void {
    this.#run[Symbol.dispose]();
  }

  #send({ from, protocol, port }: Question, dst: number): PacketTrace {
    const entry = entryOf('from', this.epoch, this.#book.find('from', fullName(from)), dst);
    const common = { ...entry, dst, sport: FIRST_SPORT + (this.#asked++ % 20_000), dport: port };
    const sent = this.#run.send(entry.port, (arena) => build(arena, protocol, common));
    this.caused = sent.caused.map(({ trace }) => trace);
    return sent.packet.trace;
  }
}

function build(arena: Arena, protocol: Protocol, common: Parameters<typeof buildUdp>[1]): BuiltFrame {
  if (protocol === 'tcp') return buildTcp(arena, { ...common, flags: TCP_FLAG.SYN });
  if (protocol === 'icmp') return buildEcho(arena, { ...common, identifier: common.sport, sequence: 1 });
  const frame = buildUdp(arena, { ...common, payload: new Uint8Array(8) });
  if (protocol === 'udp') return frame;
  // No builder makes SCTP: a datagram becomes its common header and a chunk's first four bytes.
  const ip = frame.offset + 14;
  arena.view.setUint8(ip + IPV4.PROTOCOL, 132);
  arena.view.setUint32(ip + 24, 1);
  fillIpv4Checksum(arena.view, ip);
  fillSctpChecksum(arena.view, ip + 20, frame.offset + frame.length);
  return frame;
}

const fullName = (name: string): string => (name.includes(':') || !name.includes('/') ? name : `pod:${name}`);

export const isDenied = (trace: PacketTrace): boolean => trace.reason.startsWith('policy-');
