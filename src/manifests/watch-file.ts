/** Recorded watches: `kubectl get --watch -o json --output-watch-events`, with the time at which each event came.
 *
 *  {"type": "ADDED|MODIFIED|DELETED", "object": {…}, "time": …}, one after the other, each beginning on a line of its own with
 *  its brace: on one line as `jq -c` writes it, or on several as kubectl does. `time` is RFC 3339 text, or seconds: after the
 *  first packet of the trace, or, from a thousand million on, since 1970. Bookmarks, which tell of no object, are passed over. */
import { readFile } from 'node:fs/promises';
import { InputError, type Problem } from '../verdict/input-error.js';
import { countLines, type ManifestDocument } from './documents.js';
import type { WatchEvent } from './live-manifests.js';
import { readName, readObjects } from './object-reader.js';
import { describe, ProblemList, subjectOf } from './problems.js';

/** At a time, or so long after the first packet of the trace. */
export type EventTime = { readonly unixNs: bigint } | { readonly afterNs: number };

export interface TimedEvent {
  readonly event: WatchEvent;
  readonly time: EventTime;
  /** As `MODIFIED Pod web/pod-1`. */
  readonly name: string;
}

/** Seconds from here on are those since 1970: no trace lasts thirty years. */
const UNIX_SECONDS_MIN = 1e9;
const TYPES = ['ADDED', 'MODIFIED', 'DELETED'] as const;
const WANTED_TIME = 'RFC 3339 as 2026-01-01T00:00:00.5Z, or seconds from the first packet';

/** Read the events of files, `-` for stdin, in their order.
 *  @throws InputError with all problems of all of them. */
export async function readWatchFiles(paths: readonly string[]): Promise<TimedEvent[]> {
  const problems: Problem[] = [];
  const events: TimedEvent[] = [];
  for (const path of paths) {
    const text = await readText(path, problems);
    // One by one: a spread of many arguments would overflow the stack.
    for (const event of parseWatch(path, text, problems)) events.push(event);
  }
  if (problems.length > 0) throw new InputError(problems);
  return events;
}

/** Parse the events of `text`. What is wrong goes to `problems`. */
export function parseWatch(file: string, text: string, problems: Problem[]): TimedEvent[] {
  const reader = new WatchReader(file, problems);
  for (const { line, part } of cut(text)) reader.add(line, part);
  return reader.events;
}

async function readText(path: string, problems: Problem[]): Promise<string> {
  try {
    if (path !== '-') return await readFile(path, 'utf8');
    const chunks: Buffer[] = [];
    for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk));
    return Buffer.concat(chunks).toString('utf8');
  } catch (error) {
    const found = error instanceof Error ? error.message : String(error);
    problems.push({ file: path, at: null, subject: '', field: '', found, wanted: 'a file of watch events' });
    return '';
  }
}

/** A value begins where a line begins with a brace: those inside are indented, or stand on its line. */
function cut(text: string): { line: number; part: string }[] {
  const parts: { line: number; part: string }[] = [];
  const clean = text.replace(/^\uFEFF/, '');
  let line = 1;
  for (const part of clean.split(/^(?=\{)/m)) {
    if (part.trim() !== '') parts.push({ line, part });
    line += countLines(part);
  }
  return parts;
}

class WatchReader {
  readonly events: TimedEvent[] = [];
  readonly #file: string;
  readonly #problems: Problem[];

  constructor(file: string, problems: Problem[]) {
    this.#file = file;
    this.#problems = problems;
  }

  add(line: number, text: string): void {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      this.#tell(line, '', '', (error as Error).message, 'a watch event as JSON');
      return;
    }
    if (!isMapping(value)) this.#tell(line, '', '', describe(value), 'a watch event: type, object, time');
    else if (value['type'] !== 'BOOKMARK') this.#addEvent(line, text, value);
  }

  #addEvent(line: number, text: string, value: Mapping): void {
    const before = this.#problems.length;
    const type = TYPES.find((one) => one === value['type']);
    if (type === undefined) this.#tell(line, '', 'type', describe(value['type']), TYPES.join(', '));
    const subject = this.#checkObject(line, text, value['object'], type === 'DELETED');
    const time = parseTime(value['time']);
    if (time === null) this.#tell(line, subject, 'time', describe(value['time']), WANTED_TIME);
    if (this.#problems.length > before || type === undefined || time === null) return;
    const event = { type, object: value['object'] as object, origin: { file: this.#file, line, text } };
    this.events.push({ event, time, name: `${type} ${subject}` });
  }

  /** Tell what is wrong with the object; returns what it is called. */
  #checkObject(firstLine: number, text: string, value: unknown, isDeleted: boolean): string {
    if (!isMapping(value)) {
      this.#tell(firstLine, '', 'object', describe(value), 'a Kubernetes object');
      return '';
    }
    const file = this.#file;
    const document: ManifestDocument = {
      file,
      order: 0,
      text,
      firstLine,
      indexInText: 0,
      value,
      root: ['object'],
    };
    const problems = new ProblemList();
    const read = isDeleted ? readName(document, problems) : readObjects([document], problems);
    try {
      problems.throwIfAny();
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      this.#problems.push(...error.problems);
    }
    return read.map(({ object }) => subjectOf(object)).join(', ');
  }

  #tell(line: number, subject: string, field: string, found: string, wanted: string): void {
    this.#problems.push({ file: this.#file, at: { line }, subject, field, found, wanted });
  }
}

type Mapping = Record<string, unknown>;
const isMapping = (value: unknown): value is Mapping =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The `time` of an event; null when it is none. */
export function parseTime(value: unknown): EventTime | null {
  if (typeof value === 'string') return parseRfc3339(value);
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) return null;
  // Six digits of a second are more than a number of this size holds.
  if (value >= UNIX_SECONDS_MIN) return { unixNs: BigInt(Math.round(value * 1e6)) * 1000n };
  return { afterNs: Math.round(value * 1e9) };
}

const RFC3339 =
  /^(\d{4})-(\d\d)-(\d\d)[Tt ]([01]\d|2[0-3]):([0-5]\d):([0-5]\d|60)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))$/;

/** RFC 3339 section 5.6. What is finer than a nanosecond is cut off. */
function parseRfc3339(text: string): EventTime | null {
  const found = RFC3339.exec(text.trim());
  if (found === null) return null;
  const [year, month, day, hour, minute, second] = found.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const [fraction = '', sign, offsetHours = '0', offsetMinutes = '0'] = found.slice(7);
  // Day 0 of the month after is the last of this one.
  const days = new Date(Date.UTC(year, month, 0)).getUTCDate();
  if (month < 1 || month > 12 || day < 1 || day > days) return null;
  const offset = (Number(offsetHours) * 60 + Number(offsetMinutes)) * (sign === '-' ? -1 : 1);
  const ms = Date.UTC(year, month - 1, day, hour, minute - offset, second);
  return { unixNs: BigInt(ms) * 1_000_000n + BigInt(fraction.slice(0, 9).padEnd(9, '0')) };
}
