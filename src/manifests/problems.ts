/** Problems of objects, gathered over all files and given their lines at the end. */
import { InputError, type Problem } from '../verdict/input-error.js';
import type { ManifestDocument } from './documents.js';
import { locator, type Path } from './locate.js';

/** An object of a document: a whole document, or an item of a List in it. */
export interface ManifestObject<Value = unknown> {
  readonly document: ManifestDocument;
  /** From the document's root to the object. */
  readonly path: Path;
  readonly apiVersion: string;
  readonly kind: string;
  /** Empty for a kind that has no namespace. */
  readonly namespace: string;
  readonly name: string;
  readonly value: Value;
}

interface Finding {
  readonly object: ManifestObject;
  readonly path: Path;
  readonly found: string;
  readonly wanted: string;
}

export class ProblemList {
  /** Problems that have their place already: unreadable files and broken syntax. */
  readonly placed: Problem[] = [];
  private readonly findings: Finding[] = [];

  /** `path` is relative to the object; `found` is told as it is, `wanted` completes "would do". */
  add(object: ManifestObject, path: Path, found: string, wanted: string): void {
    this.findings.push({ object, path, found, wanted });
  }

  get hasAny(): boolean {
    return this.placed.length + this.findings.length > 0;
  }

  /** @throws InputError when anything was added. */
  throwIfAny(): void {
    if (this.hasAny) throw new InputError([...this.placed, ...this.place()]);
  }

  private place(): Problem[] {
    const locators = new Map<ManifestDocument, (path: Path) => number | null>();
    const rows = this.findings.map((finding) => {
      const { document, path } = finding.object;
      const locate = locators.get(document) ?? locator(document);
      locators.set(document, locate);
      return { finding, order: document.order, line: locate([...path, ...finding.path]) };
    });
    rows.sort((a, b) => a.order - b.order || (a.line ?? 0) - (b.line ?? 0));
    return rows.map(({ finding, line }) => ({
      file: finding.object.document.file,
      at: line === null ? null : { line },
      subject: subjectOf(finding.object),
      field: formatPath(finding.path),
      found: finding.found,
      wanted: finding.wanted,
    }));
  }
}

/** `Pod web/pod-1`, `Node node1`; the kind alone, or nothing, for an object that lacks them. */
export function subjectOf(object: ManifestObject): string {
  const name = object.namespace === '' ? object.name : `${object.namespace}/${object.name}`;
  return [object.kind, object.name === '' ? '' : name].filter((part) => part !== '').join(' ');
}

/** `spec.ports[0].port`; a key that is no plain word is quoted: `labels["app.kubernetes.io/name"]`. */
export function formatPath(path: Path): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (/^[\w-]+$/.test(step)) text += text === '' ? step : `.${step}`;
    else text += `[${JSON.stringify(step)}]`;
  }
  return text;
}

/** A value as an error names it: short, and with its type where YAML makes that easy to mistake. */
export function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  if (typeof value !== 'string') return `${value} (a ${typeof value})`;
  return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}...` : value);
}
