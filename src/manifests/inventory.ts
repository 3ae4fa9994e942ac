/** Checked objects by kind: duplicates named, the kinds that play no part counted. */
import type { KindName, ManifestOf } from './kinds/registry.js';
import { type Mapping, type ReadObject, textOr } from './object-reader.js';
import { type ManifestObject, type ProblemList, subjectOf } from './problems.js';

export type Entry<Kind extends KindName> = ManifestObject<ManifestOf<Kind>>;

/** Objects of one kind, sorted by namespace, name, kind. */
export type Objects = { readonly [Kind in KindName]: Entry<Kind>[] };

export interface UnusedKind {
  readonly apiVersion: string;
  readonly kind: string;
  readonly count: number;
}

export interface Inventory {
  readonly objects: Objects;
  /** Kinds that play no part, sorted. */
  readonly unused: UnusedKind[];
  /** Every metadata.namespace of any object. */
  readonly namespaceNames: ReadonlySet<string>;
  /** Every name of a Node or HostSubnet, also of one that had a problem. */
  readonly nodeNames: ReadonlySet<string>;
  /** Those of them that had a problem: nothing more is said about them or what runs there. */
  readonly brokenNodes: ReadonlySet<string>;
  /** API groups seen, also of unused kinds. */
  readonly groups: ReadonlySet<string>;
}

/** Sort `objects`, in any order, into kinds. A second object of one kind and name is a problem. */
export function takeInventory(objects: Iterable<ReadObject>, problems: ProblemList): Inventory {
  const builder = new InventoryBuilder(problems);
  for (const object of objects) builder.add(object);
  return builder.finish();
}

class InventoryBuilder {
  private readonly objects = emptyObjects();
  private readonly unused = new Map<string, UnusedKind>();
  private readonly namespaceNames = new Set<string>();
  private readonly nodeNames = new Set<string>();
  private readonly brokenNodes = new Set<string>();
  private readonly groups = new Set<string>();
  private readonly first = new Map<string, ManifestObject>();

  constructor(private readonly problems: ProblemList) {}

  add({ kind, object, isSound }: ReadObject): void {
    const { apiVersion, namespace } = object;
    if (apiVersion.includes('/')) this.groups.add(apiVersion.slice(0, apiVersion.indexOf('/')));
    if (namespace !== '') this.namespaceNames.add(namespace);
    if (kind === null) {
      this.countUnused(object);
      return;
    }
    if (kind === 'Node' || kind === 'HostSubnet') this.noteNode(object, isSound);
    if (isSound && this.isFirst(object)) (this.objects[kind] as ManifestObject[]).push(object);
  }

  private noteNode(object: ManifestObject, isSound: boolean): void {
    const host =
      object.kind === 'HostSubnet' ? textOr((object.value as Mapping)['host'], object.name) : object.name;
    this.nodeNames.add(host);
    if (!isSound) this.brokenNodes.add(host);
  }

  private isFirst(object: ManifestObject): boolean {
    if (object.name === '') return false;
    const key = `${object.kind} ${object.namespace}/${object.name}`;
    const first = this.first.get(key);
    if (first === undefined) {
      this.first.set(key, object);
      return true;
    }
    const found = `a second ${subjectOf(object)} (the first is in ${first.document.file})`;
    this.problems.add(object, ['metadata', 'name'], found, 'one object of that kind and name');
    return false;
  }

  private countUnused({ apiVersion, kind }: ManifestObject): void {
    const key = `${apiVersion} ${kind}`;
    this.unused.set(key, { apiVersion, kind, count: (this.unused.get(key)?.count ?? 0) + 1 });
  }

  finish(): Inventory {
    for (const list of Object.values(this.objects)) (list as ManifestObject[]).sort(byNamespaceAndName);
    const unused = [...this.unused.values()].sort(
      (a, b) => compare(a.apiVersion, b.apiVersion) || compare(a.kind, b.kind),
    );
    const { objects, namespaceNames, nodeNames, brokenNodes, groups } = this;
    return { objects, unused, namespaceNames, nodeNames, brokenNodes, groups };
  }
}

/** Text order by code unit: the same on every machine, whatever its locale. */
export const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

export const byNamespaceAndName = (
  a: { namespace: string; name: string; kind?: string },
  b: { namespace: string; name: string; kind?: string },
): number =>
  compare(a.namespace, b.namespace) || compare(a.name, b.name) || compare(a.kind ?? '', b.kind ?? '');

function emptyObjects(): Objects {
  return {
    Namespace: [],
    Node: [],
    Pod: [],
    Service: [],
    ServiceCIDR: [],
    EndpointSlice: [],
    Endpoints: [],
    NetworkPolicy: [],
    Owner: [],
    ClusterNetwork: [],
    HostSubnet: [],
    NetNamespace: [],
    EgressNetworkPolicy: [],
    NetworkConfig: [],
    NetworkOperator: [],
  };
}
