/** Where manifests come from: files, folders, stdin, text in memory. */
import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Problem } from '../verdict/input-error.js';

/** `path`: a file, a folder (walked whole, in sorted order, for .yaml, .yml, .json), or `-` for stdin. */
export type ManifestSource =
  | { readonly path: string }
  | { readonly text: string; readonly name: string }
  | { readonly objects: readonly unknown[]; readonly name?: string };

export interface NamedText {
  readonly name: string;
  readonly text: string;
}

/** Read the texts behind one path. What cannot be read goes to `problems`. `seen` holds the real paths that an
 *  earlier source brought: a file given twice, or once alone and once with its folder, is read once. */
export async function readPath(path: string, seen: Set<string>, problems: Problem[]): Promise<NamedText[]> {
  if (path === '-') return seen.has('-') ? [] : [await readStdin(seen)];
  try {
    const isFolder = (await stat(path)).isDirectory();
    const files = isFolder ? await listManifests(path) : [path];
    if (files.length === 0)
      problems.push(wholeFile(path, 'no manifest', 'a folder with .yaml, .yml or .json files'));
    return await readFiles(files, seen);
  } catch (error) {
    problems.push(wholeFile(path, reasonOf(error), 'a file or folder that can be read, or - for stdin'));
    return [];
  }
}

async function readFiles(files: readonly string[], seen: Set<string>): Promise<NamedText[]> {
  const texts: NamedText[] = [];
  for (const file of files) {
    const real = await realpath(file);
    if (seen.has(real)) continue;
    seen.add(real);
    texts.push({ name: file, text: await readFile(file, 'utf8') });
  }
  return texts;
}

async function listManifests(folder: string): Promise<string[]> {
  const names = (await readdir(folder)).sort();
  const files: string[] = [];
  for (const name of names) {
    const path = join(folder, name);
    const entry = await stat(path);
    if (entry.isDirectory()) files.push(...(await listManifests(path)));
    else if (/\.(ya?ml|json)$/i.test(name)) files.push(path);
  }
  return files;
}

async function readStdin(seen: Set<string>): Promise<NamedText> {
  seen.add('-');
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk));
  return { name: '-', text: Buffer.concat(chunks).toString('utf8') };
}

const wholeFile = (file: string, found: string, wanted: string): Problem => ({
  file,
  at: null,
  subject: '',
  field: '',
  found,
  wanted,
});

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const reasons: Record<string, string> = {
    ENOENT: 'no such file or folder',
    EACCES: 'not allowed to read it',
    ELOOP: 'a symbolic link that leads back to itself',
  };
  return reasons[code] ?? (error instanceof Error ? error.message : String(error));
}
