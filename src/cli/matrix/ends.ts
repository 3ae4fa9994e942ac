/** Who stands in a matrix: references, and whole namespaces of pods. */
import type { Cluster } from '../../model/cluster.js';
import { badArgument } from '../exit.js';
import { nearestNames } from '../nearest.js';
import { type Reference, type ReferenceBook, referenceName } from '../reference.js';

/** One row or column. */
export interface End {
  readonly name: string;
  /** What it is summed up under: its namespace, or its kind. */
  readonly group: string;
  readonly reference: Reference;
}

/** The ends that `texts` name, `ns:NAME` being all pods of a namespace; without any, all pods of the pod network.
 *  @throws InputError when one names nothing. */
export function endsOf(
  option: string,
  texts: readonly string[],
  cluster: Cluster,
  book: ReferenceBook,
): readonly End[] {
  if (texts.length === 0) {
    const all = podEnds(cluster, () => true);
    if (all.length > 0) return all;
    throw badArgument('-c', 'no pod of the pod network runs there', 'manifests with running pods');
  }
  return texts.flatMap((text) => {
    const namespace = /^ns:(.*)$/.exec(text)?.[1];
    if (namespace === undefined) return [endOf(book.find(option, text))];
    const ends = podEnds(cluster, (name) => name === namespace);
    if (ends.length > 0) return ends;
    const names = [...new Set(cluster.pods.map((pod) => pod.namespace))];
    const near = nearestNames(namespace, names, 3).map((name) => `ns:${name}`);
    throw badArgument(option, `${text} has no pods`, near.join(', '));
  });
}

const podEnds = (cluster: Cluster, isWanted: (namespace: string) => boolean): End[] =>
  cluster.pods
    .filter((pod) => !pod.isHostNetwork && isWanted(pod.namespace))
    .map((pod) => endOf({ kind: 'pod', pod, port: '' }));

function endOf(reference: Reference): End {
  const port = reference.port === '' ? '' : `:${reference.port}`;
  return { name: `${referenceName(reference)}${port}`, group: groupOf(reference), reference };
}

function groupOf(reference: Reference): string {
  if (reference.kind === 'pod') return reference.pod.namespace;
  if (reference.kind === 'service') return `Services of ${reference.service.namespace}`;
  return reference.kind === 'node' ? 'nodes' : 'addresses';
}
