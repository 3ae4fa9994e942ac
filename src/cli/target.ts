/** The far end of a packet: address, protocol and port that a reference stands for. */
import { formatIpv4 } from '../addr/ipv4.js';
import type { Protocol } from '../model/cluster.js';
import type { ServicePort } from '../model/service.js';
import { badArgument } from './exit.js';
import { type Reference, referenceName } from './reference.js';

export type PacketProtocol = 'tcp' | 'udp' | 'icmp';
export const PACKET_PROTOCOLS: readonly PacketProtocol[] = ['tcp', 'udp', 'icmp'];

/** Where a packet is sent to. Addresses are u32; port is 0 for ICMP. */
export interface Target {
  /** The reference in full, port included. */
  readonly name: string;
  readonly address: number;
  readonly protocol: PacketProtocol;
  readonly port: number;
}

/** The port to use where a pod declares none: every port of such a pod listens. */
const UNDECLARED_PORT = 80;

/** What `reference` means as a destination. Without `protocol`: what its port says, else TCP. A Service's only port and
 *  a pod's first one need not be written. `option` is who asks, for the message.
 *  @throws InputError when the port is unknown, or must be written and is not. */
export function targetOf(option: string, reference: Reference, protocol: PacketProtocol | undefined): Target {
  const name = referenceName(reference);
  if (reference.kind === 'service') return serviceTarget(option, reference, name, protocol);
  const address = addressOf(reference);
  if (protocol === 'icmp') return { name, address, protocol, port: 0 };
  if (reference.kind === 'pod') {
    const declared = reference.pod.ports.filter(
      (port) => protocol === undefined || fits(port.protocol, protocol),
    );
    const chosen =
      reference.port === ''
        ? (declared.find((port) => port.protocol === 'TCP') ?? declared[0])
        : declared.find((port) => port.name === reference.port || String(port.port) === reference.port);
    if (chosen !== undefined)
      return finish(name, address, protocol ?? protocolOf(chosen.protocol) ?? 'tcp', chosen.port);
    if (reference.port === '') return finish(name, address, protocol ?? 'tcp', UNDECLARED_PORT);
  }
  if (reference.port === '')
    throw badArgument(option, `${name} is named without a port`, `${name}:80, or --proto icmp`);
  return finish(name, address, protocol ?? 'tcp', portNumber(option, reference.port, `${name}:80`));
}

/** The address that a reference other than a Service stands for, u32. */
export function addressOf(reference: Exclude<Reference, { readonly kind: 'service' }>): number {
  if (reference.kind === 'pod') return reference.pod.address;
  return reference.kind === 'node' ? reference.node.address : reference.address;
}

function serviceTarget(
  option: string,
  reference: Reference & { readonly kind: 'service' },
  name: string,
  protocol: PacketProtocol | undefined,
): Target {
  const { service } = reference;
  if (service.clusterIp === 0) {
    const instead = service.isHeadless ? 'one of its pods' : `the name ${service.externalName}`;
    throw badArgument(option, `${name} has no ClusterIP`, instead);
  }
  const address = service.clusterIp;
  if (protocol === 'icmp') return { name, address, protocol, port: 0 };
  const port = chooseServicePort(option, reference, name, protocol);
  if (typeof port === 'number') return finish(name, address, protocol ?? 'tcp', port);
  const own = protocol ?? protocolOf(port.protocol);
  if (own === null)
    throw badArgument(option, `${name}:${port.port} is ${port.protocol}`, 'a port of TCP or UDP');
  return finish(name, address, own, port.port);
}

/** A port number that the Service lacks is sent all the same: what then happens is worth seeing. */
function chooseServicePort(
  option: string,
  reference: Reference & { readonly kind: 'service' },
  name: string,
  protocol: PacketProtocol | undefined,
): ServicePort | number {
  const { service, port: wanted } = reference;
  const usable = service.ports.filter((port) => protocol === undefined || fits(port.protocol, protocol));
  const listed = (ports: readonly ServicePort[]): string =>
    ports.map((port) => `${name}:${port.name === '' ? port.port : port.name}`).join(', ');
  if (wanted === '') {
    if (usable.length === 1) return usable[0]!;
    throw badArgument(
      option,
      `${name} has ${usable.length} ${protocol === undefined ? '' : `${protocol} `}ports`,
      listed(usable.length > 0 ? usable : service.ports),
    );
  }
  const matching = usable.filter((port) => port.name === wanted || String(port.port) === wanted);
  const found = matching.find((port) => port.protocol === 'TCP') ?? matching[0];
  if (found !== undefined) return found;
  return portNumber(option, wanted, listed(service.ports));
}

function portNumber(option: string, text: string, wanted: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port > 0 && port < 65_536) return port;
  throw badArgument(option, `${text} is no port`, wanted);
}

const fits = (declared: Protocol, protocol: PacketProtocol): boolean => protocolOf(declared) === protocol;

const protocolOf = (declared: Protocol): PacketProtocol | null =>
  declared === 'TCP' ? 'tcp' : declared === 'UDP' ? 'udp' : null;

const finish = (name: string, address: number, protocol: PacketProtocol, port: number): Target => ({
  name: `${name}:${port}`,
  address,
  protocol,
  port,
});

/** `a.b.c.d:port`, or the address alone where the protocol has no ports. */
export const endText = (address: number, port: number): string =>
  port === 0 ? formatIpv4(address) : `${formatIpv4(address)}:${port}`;
