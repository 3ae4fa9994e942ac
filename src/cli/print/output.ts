/** Writes a command's result to stdout: text, or one JSON document. */

export function writeText(text: string): void {
  process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
}

/** Two spaces of indentation: for people who look, and for jq all the same. */
export function writeJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}
