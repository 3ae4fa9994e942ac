/** Documents to objects: Lists opened, kind and name found, fields checked by the kind's schema. */
import { createHash } from 'node:crypto';
import type { ManifestDocument } from './documents.js';
import { type KindName, type KindRow, kindRow, SCHEMAS } from './kinds/registry.js';
import type { Path } from './locate.js';
import { describe, type ManifestObject, type ProblemList } from './problems.js';

/** One object as it was read. */
export interface ReadObject {
  /** The name under which the loader keeps its kind; null for a kind that plays no part on a packet's path. */
  readonly kind: KindName | null;
  /** Its value has the fields that are read; null for a kind that plays no part, the input's own when it is broken. */
  readonly object: ManifestObject;
  /** Name and fields are as they should be; else the problems are told. */
  readonly isSound: boolean;
}

/** Read all objects of `documents`. Their problems go to `problems`. */
export function readObjects(documents: readonly ManifestDocument[], problems: ProblemList): ReadObject[] {
  const reader = new ObjectReader(problems);
  for (const document of documents) reader.addAny(document, document.root ?? [], document.value, null);
  return reader.objects;
}

/** Read which object a document speaks of, and leave its fields alone: the last state of one that is deleted. */
export function readName(document: ManifestDocument, problems: ProblemList): ReadObject[] {
  const reader = new ObjectReader(problems, false);
  reader.addAny(document, document.root ?? [], document.value, null);
  return reader.objects;
}

export type Mapping = Record<string, unknown>;

export const isMapping = (value: unknown): value is Mapping =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const textOr = (value: unknown, otherwise: string): string =>
  typeof value === 'string' ? value : otherwise;

class ObjectReader {
  readonly objects: ReadObject[] = [];

  constructor(
    private readonly problems: ProblemList,
    private readonly checksFields = true,
  ) {}

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
    if (row === null) {
      this.objects.push({ kind: null, object: { ...object, value: null }, isSound: true });
      return;
    }
    const named = this.nameIt(object, row);
    const checked = this.checksFields ? this.validate(named, row) : named;
    this.objects.push({ kind: row.name, object: checked ?? named, isSound: checked !== null });
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
}

function valueAt(value: unknown, path: Path): unknown {
  let at = value;
  for (const step of path) at = typeof at === 'object' && at !== null ? Reflect.get(at, step) : undefined;
  return at;
}

/** What stands for the random suffix that the API server adds to a generateName: the same for the same object. */
const contentSuffix = (value: unknown): string =>
  createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 5);
