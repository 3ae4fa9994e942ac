/** A strict reader of Prometheus' text format, for tests: what a scraper would refuse, it throws at. */

export interface ParsedFamily {
  readonly type: string;
  readonly help: string;
  /** By the labels in order, as `verdict=dropped`. */
  readonly samples: ReadonlyMap<string, number>;
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? ((?:\d+(?:\.\d+)?(?:e-?\d+)?)|NaN)$/;
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,(?=.)|$)/;

/** Families by name. @throws Error with the line that breaks the format. */
export function parsePrometheus(text: string): Map<string, ParsedFamily> {
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  const families = new Map<string, ParsedFamily & { samples: Map<string, number> }>();
  let help: readonly [string, string] | null = null;
  let current = '';
  for (const line of text.slice(0, -1).split('\n')) {
    const comment = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line);
    if (comment !== null) {
      const [, kind, name, rest] = comment as unknown as [string, string, string, string];
      if (!NAME.test(name)) throw new Error(`no name: ${line}`);
      if (kind === 'HELP') {
        if (families.has(name)) throw new Error(`twice: ${line}`);
        help = [name, rest];
        continue;
      }
      if (help?.[0] !== name) throw new Error(`no HELP before: ${line}`);
      if (rest !== 'counter' && rest !== 'gauge') throw new Error(`no type: ${line}`);
      if ((rest === 'counter') !== name.endsWith('_total')) throw new Error(`name of a ${rest}: ${line}`);
      families.set(name, { type: rest, help: help[1], samples: new Map() });
      current = name;
      continue;
    }
    const sample = SAMPLE.exec(line);
    if (sample === null) throw new Error(`no sample: ${line}`);
    if (sample[1] !== current) throw new Error(`apart from its family: ${line}`);
    const { samples } = families.get(current)!;
    const key = parseLabels(sample[2] ?? '', line);
    if (samples.has(key)) throw new Error(`twice: ${line}`);
    samples.set(key, Number(sample[3]));
  }
  return families;
}

function parseLabels(text: string, line: string): string {
  const labels = new Map<string, string>();
  let rest = text;
  while (rest !== '') {
    const label = LABEL.exec(rest);
    if (label === null || labels.has(label[1]!)) throw new Error(`labels: ${line}`);
    labels.set(
      label[1]!,
      label[2]!.replaceAll(/\\(.)/g, (_, sign: string) => (sign === 'n' ? '\n' : sign)),
    );
    rest = rest.slice(label[0].length);
  }
  return [...labels].map(([name, value]) => `${name}=${value}`).join(' ');
}

export const sumOf = (family: ParsedFamily | undefined): number =>
  family === undefined ? 0 : [...family.samples.values()].reduce((sum, value) => sum + value, 0);
