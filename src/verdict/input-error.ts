/** The one error of input files: every problem of every file, each with its place, what was found and what would do. */

/** One problem of an input file. */
export interface Problem {
  /** The path, `-` for stdin, or the name that the caller gave. */
  readonly file: string;
  /** Where in the file: a line of a text, a byte offset of a capture; null when the whole file is meant. */
  readonly at: { readonly line: number } | { readonly byte: number } | null;
  /** What the place belongs to: `Pod web/pod-1`, `packet 17`; empty when nothing has a name yet. */
  readonly subject: string;
  /** The field, `spec.ports[0].port`; empty when none is to blame. */
  readonly field: string;
  /** What was found there. */
  readonly found: string;
  /** What would do instead. */
  readonly wanted: string;
}

/** Thrown once per load, after all files were looked at. `message` has one problem a line. */
export class InputError extends Error {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(problems.map(formatProblem).join('\n'));
    this.name = 'InputError';
    this.problems = problems;
  }
}

/** `file:line: kind ns/name: field: found, would do: wanted`; a byte offset is written `file:byte 24:`. */
export function formatProblem(problem: Problem): string {
  const { at } = problem;
  const place = at === null ? '' : 'line' in at ? `:${at.line}` : `:byte ${at.byte}`;
  const names = [problem.subject, problem.field].filter((name) => name !== '').map((name) => `${name}: `);
  const wanted = problem.wanted === '' ? '' : `, would do: ${problem.wanted}`;
  return `${problem.file}${place}: ${names.join('')}${problem.found}${wanted}`;
}
