/** Manifests in, cluster out: reads the sources, throws all problems at once, and takes changes afterwards. */
import type { LoadOptions } from './build-cluster.js';
import { type ManifestDocument, parseDocuments } from './documents.js';
import { LiveManifests } from './live-manifests.js';
import { readObjects } from './object-reader.js';
import { ProblemList } from './problems.js';
import { type ManifestSource, readPath } from './sources.js';

export type { LoadOptions } from './build-cluster.js';
export type { UnusedKind } from './inventory.js';
export type { ManifestSource } from './sources.js';

/** Load a cluster from YAML, JSON or objects. The order of the sources does not matter to the result.
 *  @throws InputError with every problem of every source. */
export async function loadManifests(
  sources: readonly ManifestSource[],
  options: LoadOptions = {},
): Promise<LiveManifests> {
  const problems = new ProblemList();
  const objects = readObjects(await readDocuments(sources, problems), problems);
  return new LiveManifests(objects, options, problems);
}

async function readDocuments(
  sources: readonly ManifestSource[],
  problems: ProblemList,
): Promise<ManifestDocument[]> {
  const documents: ManifestDocument[] = [];
  const seen = new Set<string>();
  for (const source of sources) {
    if ('objects' in source) {
      const file = source.name ?? 'objects';
      for (const value of source.objects)
        documents.push({ file, order: documents.length, text: null, firstLine: 0, indexInText: 0, value });
      continue;
    }
    const texts = 'path' in source ? await readPath(source.path, seen, problems.placed) : [source];
    for (const { name, text } of texts) {
      // One by one: a spread of twenty thousand arguments would overflow the stack.
      for (const document of parseDocuments(name, text, problems.placed, documents.length))
        documents.push(document);
    }
  }
  return documents;
}
