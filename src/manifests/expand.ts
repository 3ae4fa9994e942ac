/** Pods that the controllers would make of their owners: names, nodes and addresses, the same on every run. */
import { createHash } from 'node:crypto';
import { formatIpv4, type Ipv4Prefix, parseIpv4 } from '../addr/ipv4.js';
import type { Node } from '../model/cluster.js';
import { byNamespaceAndName, type Entry, type Inventory } from './inventory.js';
import type { PodManifest } from './kinds/pod.js';
import type { Notes } from './notes.js';
import { toLabels } from './schema.js';

/** All pods: those of the objects, those of owners, and bare ones that nobody has placed yet. New ones go to the
 *  nodes in turn, in the order of their names, and get addresses as the host-local plugin gives them. */
export function expandPods(inventory: Inventory, nodes: readonly Node[], notes: Notes): Entry<'Pod'>[] {
  const { Pod: pods, Owner: owners } = inventory.objects;
  const isNew = (entry: Entry<'Pod'>): boolean =>
    !entry.value.status?.phase && (!entry.value.spec?.nodeName || !entry.value.status?.podIP);
  const kept = pods.filter((entry) => !isNew(entry));
  const made = owners.flatMap((owner) => podsOf(owner, inventory, nodes));
  const placer = new Placer(nodes, kept);
  const placed = [...pods.filter(isNew), ...made]
    .sort(byNamespaceAndName)
    .map((entry) => placer.place(entry, notes));
  return [...kept, ...placed];
}

function podsOf(owner: Entry<'Owner'>, inventory: Inventory, nodes: readonly Node[]): Entry<'Pod'>[] {
  const { Owner: owners, Pod: pods } = inventory.objects;
  const isOwned = (entry: Entry<'Owner'> | Entry<'Pod'>): boolean =>
    entry.namespace === owner.namespace &&
    (entry.value.metadata.ownerReferences ?? []).some(
      (ref) => ref.kind === owner.kind && ref.name === owner.name,
    );
  if (owners.some(isOwned)) return []; // its ReplicaSets are there and have the last word
  const existing = pods.filter(isOwned);
  const spec = owner.value.spec ?? {};
  if (owner.kind === 'StatefulSet') return statefulPods(owner, existing);
  if (owner.kind === 'DaemonSet') return daemonPods(owner, existing, nodes);
  const wanted = owner.kind === 'Job' ? jobPods(spec) : (spec.replicas ?? 1);
  return numbers(Math.max(wanted - existing.length, 0)).map((index) => {
    const [prefix, labels] = controllerNames(owner);
    return newPod(owner, `${prefix.slice(0, 58)}${suffix(5, owner, String(existing.length + index))}`, {
      labels,
    });
  });
}

/** Pods of a Job that run at one time. */
const jobPods = (spec: {
  parallelism?: number | null | undefined;
  completions?: number | null | undefined;
}): number => Math.min(spec.parallelism ?? 1, spec.completions ?? Number.POSITIVE_INFINITY);

/** What stands before a pod's random suffix, and the labels that the controller adds. */
function controllerNames(owner: Entry<'Owner'>): [prefix: string, labels: Record<string, string>] {
  const { kind, name } = owner;
  if (kind === 'DeploymentConfig') return [`${name}-1-`, { deployment: `${name}-1`, deploymentconfig: name }];
  if (kind === 'Job') return [`${name}-`, { 'job-name': name, 'batch.kubernetes.io/job-name': name }];
  if (kind !== 'Deployment') return [`${name}-`, {}];
  const hash = suffix(10, owner, 'template');
  return [`${name}-${hash}-`, { 'pod-template-hash': hash }];
}

function statefulPods(owner: Entry<'Owner'>, existing: readonly Entry<'Pod'>[]): Entry<'Pod'>[] {
  const spec = owner.value.spec ?? {};
  const names = new Set(existing.map((entry) => entry.name));
  return numbers(spec.replicas ?? 1)
    .map((index) => (spec.ordinals?.start ?? 0) + index)
    .filter((ordinal) => !names.has(`${owner.name}-${ordinal}`))
    .map((ordinal) => {
      const name = `${owner.name}-${ordinal}`;
      const labels = {
        'statefulset.kubernetes.io/pod-name': name,
        'apps.kubernetes.io/pod-index': String(ordinal),
      };
      return newPod(owner, name, { labels, spec: { hostname: name, subdomain: spec.serviceName ?? '' } });
    });
}

function daemonPods(
  owner: Entry<'Owner'>,
  existing: readonly Entry<'Pod'>[],
  nodes: readonly Node[],
): Entry<'Pod'>[] {
  const served = new Set(existing.map((entry) => entry.value.spec?.nodeName));
  return nodes
    .filter(
      (node) => !served.has(node.name) && isSelected(node, owner.value.spec?.template?.spec?.nodeSelector),
    )
    .map((node) =>
      newPod(owner, `${owner.name.slice(0, 57)}-${suffix(5, owner, node.name)}`, {
        spec: { nodeName: node.name },
      }),
    );
}

interface Additions {
  readonly labels?: Record<string, string>;
  readonly spec?: NonNullable<PodManifest['spec']>;
}

function newPod(owner: Entry<'Owner'>, name: string, additions: Additions): Entry<'Pod'> {
  const template = owner.value.spec?.template;
  const labels = { ...toLabels(template?.metadata?.labels), ...additions.labels };
  const value: PodManifest = {
    metadata: { name, namespace: owner.namespace, labels },
    spec: { ...template?.spec, ...additions.spec },
  };
  return { ...owner, kind: 'Pod', name, value };
}

/** Letters that Kubernetes makes suffixes of: no vowels, so that no words come out. */
const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';

function suffix(length: number, owner: Entry<'Owner'>, seed: string): string {
  const digest = createHash('sha256')
    .update(`${owner.kind} ${owner.namespace}/${owner.name} ${seed}`)
    .digest();
  return [...digest.subarray(0, length)].map((byte) => ALPHABET[byte % ALPHABET.length]).join('');
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

const isSelected = (node: Node, selector: Record<string, string | null> | null | undefined): boolean =>
  Object.entries(toLabels(selector)).every(([key, value]) => node.labels[key] === value);

class Placer {
  private turn = 0;
  private readonly taken: Set<number>;
  private readonly nextOffset = new Map<string, number>();

  constructor(
    private readonly nodes: readonly Node[],
    pods: readonly Entry<'Pod'>[],
  ) {
    this.taken = new Set(pods.map((entry) => parseIpv4(entry.value.status?.podIP ?? '')));
  }

  /** The pod with a node and an address; as it was, so that it waits, when there is no room for it. */
  place(entry: Entry<'Pod'>, notes: Notes): Entry<'Pod'> {
    const { spec } = entry.value;
    const node = spec?.nodeName
      ? this.nodes.find((candidate) => candidate.name === spec.nodeName)
      : this.choose(entry);
    if (node === undefined) return entry;
    const podIP = spec?.hostNetwork ? node.address : this.nextAddress(node);
    if (podIP === null) {
      notes.say(`node ${node.name} has no address left for ${entry.namespace}/${entry.name}`);
      return entry;
    }
    const status = { ...entry.value.status, phase: 'Running', podIP: formatIpv4(podIP) };
    return { ...entry, value: { ...entry.value, spec: { ...spec, nodeName: node.name }, status } };
  }

  private choose(entry: Entry<'Pod'>): Node | undefined {
    const fitting = this.nodes.filter((node) => isSelected(node, entry.value.spec?.nodeSelector));
    return fitting.length === 0 ? undefined : fitting[this.turn++ % fitting.length];
  }

  /** host-local walks up from .2, as .1 is the gateway's; the last address is the broadcast address. */
  private nextAddress(node: Node): number | null {
    const last = lastOffset(node.subnet);
    for (let offset = this.nextOffset.get(node.name) ?? 2; offset < last; offset++) {
      const address = (node.subnet.base + offset) >>> 0;
      if (this.taken.has(address)) continue;
      this.taken.add(address);
      this.nextOffset.set(node.name, offset + 1);
      return address;
    }
    return null;
  }
}

const lastOffset = (subnet: Ipv4Prefix): number => 2 ** (32 - subnet.length) - 1;
