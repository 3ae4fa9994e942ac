/** Documents to checked objects by kind: Lists opened, fields validated, duplicates named, the rest counted. */
import { createHash } from 'node:crypto';
import type { ManifestDocument } from './documents.js';
import { type KindName, type KindRow, kindRow, type ManifestOf, SCHEMAS } from './kinds/registry.js';
import type { Path } from './locate.js';
import { describe, type ManifestObject, type ProblemList, subjectOf } from './problems.js';

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

export function takeInventory(documents: readonly ManifestDocument[], problems: ProblemList): Inventory {
  const builder = new InventoryBuilder(problems);
  for (const document of documents) builder.addAny(document, [], document.value, null);
  return builder.finish();
}

type Mapping = Record<string, unknown>;

const isMapping = (value: unknown): value is Mapping =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const textOr = (value: unknown, otherwise: string): string => (typeof value === 'string' ? value : otherwise);

class InventoryBuilder {
  private readonly objects = emptyObjects();
  private readonly unused = new Map<string, UnusedKind>();
  private readonly namespaceNames = new Set<string>();
  private readonly nodeNames = new Set<string>();
  private readonly brokenNodes = new Set<string>();
  private readonly groups = new Set<string>();
  private readonly first = new Map<string, ManifestObject>();

  constructor(private readonly problems: ProblemList) {}

  /** Add an object or a List of them. Items of a typed list (PodList) leave out what the list's type says. */
  addAny(document: ManifestDocument, path: Path, value: unknown, itemType: Mapping | null): void {
    if (Array.isArray(value) && path.length === 0) {
      value.forEach((item, index) => {
        this.addAny(document, [index], item, null);
      });
      return;
    }
    if (value === null) return;
    const typed: unknown = isMapping(value) && itemType !== null ? { ...itemType, ...value } : value;
    const object = this.identify(document, path, typed);
    if (object === null) return;
    if (object.kind.endsWith('List') && isMapping(object.value) && 'items' in object.value)
      this.addList(object);
    else this.addObject(object);
  }

  private addList(list: ManifestObject): void {
    const { items } = list.value as Mapping;
    const itemType =
      list.kind === 'List' ? null : { apiVersion: list.apiVersion, kind: list.kind.slice(0, -4) };
    if (Array.isArray(items)) {
      items.forEach((item, index) => {
        this.addAny(list.document, [...list.path, 'items', index], item, itemType);
      });
    } else if (items !== null && items !== undefined) {
      this.problems.add(list, ['items'], describe(items), 'a list of objects');
    }
  }

  private identify(document: ManifestDocument, path: Path, value: unknown): ManifestObject | null {
    const nameless: ManifestObject = {
      document,
      path,
      apiVersion: '',
      kind: '',
      namespace: '',
      name: '',
      value,
    };
    if (!isMapping(value)) {
      this.problems.add(nameless, [], describe(value), 'a Kubernetes object: apiVersion, kind, metadata');
      return null;
    }
    const { apiVersion, kind } = value;
    const metadata = isMapping(value['metadata']) ? value['metadata'] : {};
    const object = { ...nameless, kind: textOr(kind, ''), name: textOr(metadata['name'], '') };
    if (typeof kind !== 'string' || kind === '')
      this.problems.add(object, ['kind'], describe(kind), 'a kind, such as Pod');
    else if (typeof apiVersion !== 'string' || apiVersion === '')
      this.problems.add(object, ['apiVersion'], describe(apiVersion), 'an API version, such as v1');
    else return { ...object, apiVersion, namespace: textOr(metadata['namespace'], '') };
    return null;
  }

  private addObject(object: ManifestObject): void {
    const row = kindRow(object.apiVersion, object.kind);
    if (object.apiVersion.includes('/'))
      this.groups.add(object.apiVersion.slice(0, object.apiVersion.indexOf('/')));
    if (row === null) {
      if (object.namespace !== '') this.namespaceNames.add(object.namespace);
      this.countUnused(object);
      return;
    }
    const named = this.nameIt(object, row);
    if (row.isNamespaced) this.namespaceNames.add(named.namespace);
    const checked = this.validate(named, row);
    if (row.name === 'Node' || row.name === 'HostSubnet') this.noteNode(named, checked !== null);
    if (checked !== null && this.isFirst(named)) (this.objects[row.name] as ManifestObject[]).push(checked);
  }

  private noteNode(object: ManifestObject, isSound: boolean): void {
    const host =
      object.kind === 'HostSubnet' ? textOr((object.value as Mapping)['host'], object.name) : object.name;
    this.nodeNames.add(host);
    if (!isSound) this.brokenNodes.add(host);
  }

  private nameIt(object: ManifestObject, row: KindRow): ManifestObject {
    const namespace = row.isNamespaced ? object.namespace || 'default' : '';
    if (object.name !== '') return { ...object, namespace };
    const { metadata } = object.value as Mapping;
    const prefix = isMapping(metadata) ? textOr(metadata['generateName'], '') : '';
    if (prefix !== '') return { ...object, namespace, name: prefix + contentSuffix(object.value) };
    const found = isMapping(metadata) ? describe(metadata['name']) : describe(metadata);
    this.problems.add(
      { ...object, namespace },
      isMapping(metadata) ? ['metadata', 'name'] : ['metadata'],
      found,
      'a name',
    );
    return { ...object, namespace };
  }

  private validate(object: ManifestObject, row: KindRow): ManifestObject | null {
    const result = SCHEMAS[row.name].safeParse(object.value);
    if (result.success) return { ...object, value: result.data };
    for (const issue of result.error.issues) {
      const path = issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step));
      if (path.join('.') === 'metadata.name' && object.name === '') continue; // told already
      if (path.join('.') === 'metadata' && object.name === '') continue;
      this.problems.add(object, path, describe(valueAt(object.value, path)), issue.message);
    }
    return null;
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

function valueAt(value: unknown, path: Path): unknown {
  let at = value;
  for (const step of path) at = typeof at === 'object' && at !== null ? Reflect.get(at, step) : undefined;
  return at;
}

/** What stands for the random suffix that the API server adds to a generateName: the same for the same object. */
const contentSuffix = (value: unknown): string =>
  createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 5);

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
    NetworkConfig: [],
    NetworkOperator: [],
  };
}
