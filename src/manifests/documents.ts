/** Text of one file to its documents, each with the line it starts on, so that a broken one hides no other. */
import { CORE_SCHEMA, loadAll, mergeTag, YAMLException } from 'js-yaml';
import type { Problem } from '../verdict/input-error.js';

/** One YAML or JSON document, or one object that a caller gave (then `text` is null). */
export interface ManifestDocument {
  readonly file: string;
  /** Position in the load, to report problems in reading order. */
  readonly order: number;
  /** The chunk of text that holds the document. */
  readonly text: string | null;
  /** Line of the file, from 1, on which `text` starts. */
  readonly firstLine: number;
  /** Which of the documents in `text` this is: a chunk may hold several, ended by `...`. */
  readonly indexInText: number;
  readonly value: unknown;
  /** Where in the document `value` lies, if it is not the whole. */
  readonly root?: readonly (string | number)[];
}

// kubectl resolves merge keys and lets a repeated key win, as JSON does; timestamps stay text.
const YAML_OPTIONS = { schema: CORE_SCHEMA.withTags(mergeTag), json: true, maxTotalMergeKeys: -1 };

/** Parse all documents of `text`. Empty documents are left out. Syntax errors go to `problems`, one per chunk. */
export function parseDocuments(
  file: string,
  text: string,
  problems: Problem[],
  firstOrder: number,
): ManifestDocument[] {
  const clean = text.startsWith('\uFEFF') ? text.slice(1) : text;
  const chunks = looksLikeJson(clean) ? splitJson(clean) : splitYaml(clean);
  const documents: ManifestDocument[] = [];
  for (const chunk of chunks) {
    const values = parseChunk(file, chunk, problems);
    values.forEach((value, indexInText) => {
      if (value === null || value === undefined) return;
      const order = firstOrder + documents.length;
      documents.push({ file, order, text: chunk.text, firstLine: chunk.firstLine, indexInText, value });
    });
  }
  return documents;
}

interface Chunk {
  readonly text: string;
  readonly firstLine: number;
  readonly isJson: boolean;
}

const looksLikeJson = (text: string): boolean => /^\s*[[{]/.test(text);

function parseChunk(file: string, chunk: Chunk, problems: Problem[]): unknown[] {
  try {
    return chunk.isJson ? [JSON.parse(chunk.text)] : loadAll(chunk.text, YAML_OPTIONS);
  } catch (error) {
    const [line, reason] = chunk.isJson ? jsonFault(chunk.text, error) : yamlFault(error);
    const wanted = chunk.isJson ? 'valid JSON' : 'valid YAML';
    problems.push({
      file,
      at: { line: chunk.firstLine + line },
      subject: '',
      field: '',
      found: reason,
      wanted,
    });
    return [];
  }
}

/** Cut at lines that begin with `---`: such a line is a document mark wherever YAML allows it at all. */
function splitYaml(text: string): Chunk[] {
  const chunks: Chunk[] = [];
  let start = 0;
  let line = 1;
  for (let mark = text.indexOf('\n---'); mark !== -1; mark = text.indexOf('\n---', mark + 1)) {
    if (!isMarkEnd(text, mark + 4)) continue;
    const part = text.slice(start, mark + 1);
    if (isOnlyDirectives(part)) continue; // %YAML and %TAG belong to the document after the mark
    chunks.push({ text: part, firstLine: line, isJson: false });
    start = mark + 1;
    line += countLines(part);
  }
  chunks.push({ text: text.slice(start), firstLine: line, isJson: false });
  return chunks;
}

const isMarkEnd = (text: string, at: number): boolean => at >= text.length || ' \t\r\n'.includes(text[at]!);

const isOnlyDirectives = (part: string): boolean =>
  part.startsWith('%') && part.split('\n').every((line) => /^(%|\s*#|\s*$)/.test(line));

/** A stream of JSON values, one after the other, as several `kubectl get -o json` give when joined. Text that is
 *  a YAML flow mapping or has `---` marks stays YAML. */
function splitJson(text: string): Chunk[] {
  if (isJson(text)) return [{ text, firstLine: 1, isJson: true }];
  const values = cutJsonValues(text);
  if (values.length > 1 && values.every((value) => isJson(value.text))) return values;
  const chunks = splitYaml(text);
  return chunks.length === 1 && !isYaml(text) ? [{ text, firstLine: 1, isJson: true }] : chunks;
}

function cutJsonValues(text: string): Chunk[] {
  const chunks: Chunk[] = [];
  let start = 0;
  let line = 1;
  let depth = 0;
  for (const token of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\]]/g)) {
    if (token[0] === '{' || token[0] === '[') depth++;
    else if (token[0] === '}' || token[0] === ']') depth--;
    if (depth > 0 || token[0].startsWith('"')) continue;
    const end = token.index + 1;
    const part = text.slice(start, end);
    chunks.push({ text: part, firstLine: line, isJson: true });
    line += countLines(part);
    start = end;
  }
  if (text.slice(start).trim() !== '')
    chunks.push({ text: text.slice(start), firstLine: line, isJson: true });
  return chunks;
}

const isJson = (text: string): boolean => succeeds(() => JSON.parse(text));
const isYaml = (text: string): boolean => succeeds(() => loadAll(text, YAML_OPTIONS));

function succeeds(attempt: () => unknown): boolean {
  try {
    attempt();
    return true;
  } catch {
    return false;
  }
}

function yamlFault(error: unknown): [line: number, reason: string] {
  if (error instanceof YAMLException) return [error.mark?.line ?? 0, error.reason];
  return [0, error instanceof Error ? error.message : String(error)];
}

function jsonFault(text: string, error: unknown): [line: number, reason: string] {
  const message = error instanceof Error ? error.message : String(error);
  const position = /at position (\d+)/.exec(message)?.[1];
  const end = text.trimEnd().length;
  const before = text.slice(0, Math.min(position === undefined ? end : Number(position), end));
  return [countLines(before), message.replace(/ in JSON at position \d+.*$/s, '')];
}

/** How many line ends `text` has. */
export function countLines(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) count++;
  return count;
}
