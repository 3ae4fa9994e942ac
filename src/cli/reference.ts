/** References of the command line to pods, Services, nodes and addresses: text to what it names. */
import { formatIpv4, parseIpv4 } from '../addr/ipv4.js';
import type { Cluster, Node, Pod } from '../model/cluster.js';
import type { Service } from '../model/service.js';
import { badArgument } from './exit.js';
import { nearestNames } from './nearest.js';

/** What a reference names. `port` is what was written behind the colon, a number or a name; '' when nothing was. */
export type Reference = (
  | { readonly kind: 'pod'; readonly pod: Pod }
  | { readonly kind: 'service'; readonly service: Service }
  | { readonly kind: 'node'; readonly node: Node }
  | { readonly kind: 'address'; readonly address: number }
) & { readonly port: string };

/** How a reference is written in full, without its port. */
export function referenceName(reference: Reference): string {
  if (reference.kind === 'pod') return `pod:${reference.pod.namespace}/${reference.pod.name}`;
  if (reference.kind === 'service') return `svc:${reference.service.namespace}/${reference.service.name}`;
  return reference.kind === 'node' ? `node:${reference.node.name}` : `ip:${formatIpv4(reference.address)}`;
}

type Named = { readonly namespace: string; readonly name: string };

/** Finds what references name. Made once for a cluster; a reference then costs a few look-ups. */
export class ReferenceBook {
  readonly #pods: NameIndex<Pod>;
  readonly #services: NameIndex<Service>;
  readonly #nodes: ReadonlyMap<string, Node>;
  readonly #podByAddress: ReadonlyMap<number, Pod>;
  readonly #domain: string;

  constructor(cluster: Cluster) {
    this.#pods = new NameIndex(cluster.pods);
    this.#services = new NameIndex(cluster.services);
    this.#nodes = new Map(cluster.nodes.map((node) => [node.name, node]));
    this.#podByAddress = new Map(
      cluster.pods.filter((pod) => !pod.isHostNetwork).map((pod) => [pod.address, pod]),
    );
    this.#domain = cluster.dns.domain;
  }

  /** What `text` names; `option` is who asks, for the message.
   *  @throws InputError that lists the candidates, or the nearest names. */
  find(option: string, text: string): Reference {
    const prefixed = /^(pod|svc|service|node|ip):(.*)$/.exec(text);
    if (prefixed === null) return this.#findBare(option, text);
    const [name, port] = splitPort(prefixed[2]!);
    switch (prefixed[1]) {
      case 'pod':
        return { kind: 'pod', pod: this.#findNamed(option, text, 'pod', this.#pods, name), port };
      case 'node':
        return { kind: 'node', node: this.#findNode(option, text, name), port };
      case 'ip':
        return { ...this.#findAddress(option, text, name), port };
      default:
        return {
          kind: 'service',
          service: this.#findNamed(option, text, 'svc', this.#services, name),
          port,
        };
    }
  }

  #findNamed<T extends Named>(
    option: string,
    text: string,
    prefix: string,
    index: NameIndex<T>,
    name: string,
  ): T {
    const found = index.find(name);
    if (found.length === 1) return found[0]!;
    if (found.length > 1)
      throw ambiguous(
        option,
        text,
        found.map((one) => `${prefix}:${keyOf(one)}`),
      );
    throw unknown(
      option,
      text,
      index.keys.map((key) => `${prefix}:${key}`),
      `${prefix}:NAMESPACE/NAME`,
    );
  }

  #findNode(option: string, text: string, name: string): Node {
    const node = this.#nodes.get(name);
    if (node !== undefined) return node;
    throw unknown(
      option,
      text,
      [...this.#nodes.keys()].map((key) => `node:${key}`),
      'node:NAME',
    );
  }

  /** The address of a pod is that pod. */
  #findAddress(option: string, text: string, dotted: string) {
    const address = parseIpv4(dotted);
    if (address < 0)
      throw badArgument(option, `${text} holds no IPv4 address`, 'ip:1.2.3.4 or ip:1.2.3.4:80');
    const pod = this.#podByAddress.get(address);
    return pod === undefined ? ({ kind: 'address', address } as const) : ({ kind: 'pod', pod } as const);
  }

  #findBare(option: string, text: string): Reference {
    const [name, port] = splitPort(text);
    if (parseIpv4(name) >= 0) return { ...this.#findAddress(option, text, name), port };
    const key = this.#keyOfDnsName(name);
    const pods = [...this.#pods.find(key), ...this.#podOfDashedName(name)];
    const services = this.#services.find(key);
    const node = this.#nodes.get(name);
    const found: Reference[] = [
      ...pods.map((pod) => ({ kind: 'pod', pod, port }) as const),
      ...services.map((service) => ({ kind: 'service', service, port }) as const),
      ...(node === undefined ? [] : [{ kind: 'node', node, port } as const]),
    ];
    if (found.length === 1) return found[0]!;
    if (found.length > 1) throw ambiguous(option, text, found.map(referenceName));
    const all = [
      ...this.#pods.keys.map((one) => `pod:${one}`),
      ...this.#services.keys.map((one) => `svc:${one}`),
      ...[...this.#nodes.keys()].map((one) => `node:${one}`),
    ];
    const form = 'pod:NAMESPACE/NAME, svc:NAMESPACE/NAME:PORT, node:NAME or ip:ADDRESS:PORT';
    throw unknown(option, text, all, form, key);
  }

  /** `jws-app.web.svc.cluster.local`, `jws-app.web.svc` and `jws-app.web` are `web/jws-app`. */
  #keyOfDnsName(name: string): string {
    const labels = name.replace(/\.$/, '').split('.');
    const [first, namespace, ...rest] = labels as [string, string?, ...string[]];
    const tail = rest.join('.');
    const isService = tail === '' || tail === 'svc' || tail === `svc.${this.#domain}`;
    return namespace !== undefined && isService ? `${namespace}/${first}` : name;
  }

  /** `10-128-0-2.web.pod.cluster.local` is the pod with that address. */
  #podOfDashedName(name: string): Pod[] {
    const parts = /^(\d+-\d+-\d+-\d+)\.([^.]+)\.pod(\..*)?$/.exec(name);
    const pod =
      parts === null ? undefined : this.#podByAddress.get(parseIpv4(parts[1]!.replaceAll('-', '.')));
    return pod !== undefined && pod.namespace === parts![2] ? [pod] : [];
  }
}

const keyOf = ({ namespace, name }: Named): string => `${namespace}/${name}`;

/** Things that have a namespace, found by `namespace/name`, or by the name alone. */
class NameIndex<T extends Named> {
  readonly #byKey = new Map<string, T>();
  readonly #byName = new Map<string, T[]>();

  constructor(things: readonly T[]) {
    for (const thing of things) {
      this.#byKey.set(keyOf(thing), thing);
      const same = this.#byName.get(thing.name);
      if (same === undefined) this.#byName.set(thing.name, [thing]);
      else same.push(thing);
    }
  }

  get keys(): string[] {
    return [...this.#byKey.keys()];
  }

  find(name: string): readonly T[] {
    const exact = this.#byKey.get(name);
    return exact === undefined ? (this.#byName.get(name) ?? []) : [exact];
  }
}

/** The last colon parts the port from the name. */
function splitPort(text: string): [name: string, port: string] {
  const at = text.lastIndexOf(':');
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

const ambiguous = (option: string, text: string, candidates: readonly string[]) =>
  badArgument(option, `${text} names ${candidates.length} things`, candidates.slice(0, 10).join(', '));

function unknown(option: string, text: string, names: readonly string[], form: string, key = text) {
  const near = nearestNames(key, names, 3);
  return badArgument(option, `${text} names nothing here`, near.length > 0 ? near.join(', ') : form);
}
