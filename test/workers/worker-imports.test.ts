/** What a worker thread loads before its first packet: every thread pays for it anew. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { test } from 'node:test';

test("a worker's modules import podplane's own and Node's, and no package", () => {
  const seen = new Set<string>();
  const packages = new Set<string>();
  const visit = (url: URL): void => {
    if (seen.has(url.href)) return;
    seen.add(url.href);
    for (const [, name] of readFileSync(url, 'utf8').matchAll(/(?:from|import) '([^']+)'/g))
      if (name!.startsWith('.')) visit(new URL(name!, url));
      else if (!isBuiltin(name!)) packages.add(name!);
  };
  visit(new URL('../../src/workers/worker.js', import.meta.url));
  assert.ok(seen.size > 50);
  assert.deepEqual([...packages], []);
});
