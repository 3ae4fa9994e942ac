/** How a command ends: exit codes, and errors as plain sentences without a stack. */
import { CommanderError } from 'commander';
import { LayoutError } from '../layout/layout.js';
import { formatProblem, InputError } from '../verdict/input-error.js';

export const EXIT = {
  OK: 0,
  /** A bug of podplane's, or a ledger that does not balance. */
  INTERNAL: 1,
  BAD_INPUT: 2,
  /** What --fail-on names has happened. */
  FAIL_ON: 3,
} as const;

/** The command line itself is wrong: an argument that names nothing, an option that does not fit. */
export const badArgument = (option: string, found: string, wanted: string): InputError =>
  new InputError([{ file: option, at: null, subject: '', field: '', found, wanted }]);

/** Say on stderr what went wrong and answer the exit code. PODPLANE_DEBUG=1 adds the stack. */
export function reportError(error: unknown): number {
  if (process.env['PODPLANE_DEBUG'] === '1' && error instanceof Error && !(error instanceof CommanderError))
    process.stderr.write(`${error.stack ?? ''}\n`);
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.OK : EXIT.BAD_INPUT;
  if (error instanceof InputError) {
    for (const entry of error.problems) process.stderr.write(`podplane: ${formatProblem(entry)}\n`);
    return EXIT.BAD_INPUT;
  }
  if (error instanceof LayoutError) {
    process.stderr.write(`podplane: ${error.message}\n`);
    return EXIT.BAD_INPUT;
  }
  const text = error instanceof Error ? error.message : String(error);
  process.stderr.write(`podplane: internal error: ${text} (PODPLANE_DEBUG=1 shows where)\n`);
  return EXIT.INTERNAL;
}

/** A reader that goes away (`| head`) ends the run quietly, with the code that was due. */
export function endQuietlyOnClosedPipe(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(process.exitCode ?? EXIT.OK);
    throw error;
  });
  process.stderr.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}
