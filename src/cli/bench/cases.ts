/** What `podplane bench` measures: the list of cases. Each runs in a process of its own. */
import type { BackendName } from '../../kernels/backend.js';

export const PATHS = ['same-node', 'other-node', 'service'] as const;
export type Path = (typeof PATHS)[number];

export interface BenchCase {
  /** floor: a copy and a look into a table. kernels: hash and connection lookup. The others: the whole engine. */
  readonly kind: 'floor' | 'kernels' | 'established' | 'new';
  /** For the engine's cases. */
  readonly path: Path | '';
  readonly connections: number;
  readonly backend: BackendName | '';
}

export const caseName = ({ kind, path }: BenchCase): string => (path === '' ? kind : `${kind} ${path}`);

/** The cases, floors first. `isQuick` keeps one path and one size. */
export function benchCases(backends: readonly BackendName[], isQuick: boolean): BenchCase[] {
  const sizes = isQuick ? [1_000] : [1_000, 100_000];
  const paths: readonly Path[] = isQuick ? ['service'] : PATHS;
  return sizes.flatMap((connections): BenchCase[] => [
    { kind: 'floor', path: '', connections, backend: '' },
    ...backends.flatMap((backend): BenchCase[] => [
      { kind: 'kernels', path: '', connections, backend },
      ...paths.map((path): BenchCase => ({ kind: 'established', path, connections, backend })),
      ...paths.map((path): BenchCase => ({ kind: 'new', path, connections, backend })),
    ]),
  ]);
}
