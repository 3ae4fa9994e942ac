/** What `podplane bench` measures: the list of cases. Each runs in a process of its own. */
import type { BackendName } from '../../kernels/backend.js';

export const PATHS = ['same-node', 'other-node', 'service'] as const;
export type Path = (typeof PATHS)[number];

export interface BenchCase {
  /** fill: putting packets into the batch, as floors and engine do. floor: a copy and a row of a table. kernels: hash and connection lookup. The others: the whole engine. */
  readonly kind: 'fill' | 'floor' | 'kernels' | 'established' | 'new';
  /** For the engine's cases. */
  readonly path: Path | '';
  readonly connections: number;
  readonly backend: BackendName;
}

export const caseName = ({ kind, path }: BenchCase): string => (path === '' ? kind : `${kind} ${path}`);

/** First packets are not measured with more connections than this: none of them is looked up again. */
const NEW_MAX = 100_000;

/** The cases, by size, floors first. `isQuick` keeps one path and one size. */
export function benchCases(backends: readonly BackendName[], isQuick: boolean): BenchCase[] {
  const sizes = isQuick ? [1_000] : [1_000, 100_000, 1_000_000];
  // The one that all are compared with comes first.
  const floors = backends.toSorted();
  const paths: readonly Path[] = isQuick ? ['service'] : PATHS;
  return sizes.flatMap((connections): BenchCase[] => [
    ...floors.map((backend): BenchCase => ({ kind: 'floor', path: '', connections, backend })),
    { kind: 'fill', path: '', connections, backend: 'typescript' },
    ...backends.flatMap((backend): BenchCase[] => [
      { kind: 'kernels', path: '', connections, backend },
      ...paths.map((path): BenchCase => ({ kind: 'established', path, connections, backend })),
      ...(connections > NEW_MAX ? [] : paths).map(
        (path): BenchCase => ({ kind: 'new', path, connections, backend }),
      ),
    ]),
  ]);
}
