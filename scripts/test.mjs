// `npm test`: build, lint, run every test file, and name what was skipped. With PODPLANE_REQUIRE set a skip is a failure.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { build } from './prepare.mjs';

build();
const lint = spawnSync(
  process.execPath,
  ['node_modules/@biomejs/biome/bin/biome', 'ci', '--error-on-warnings'],
  {
    stdio: 'inherit',
  },
);

const only = process.argv.slice(2);
const files = readdirSync('dist/test', { withFileTypes: true, recursive: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.test.js'))
  .map((entry) => join(entry.path, entry.name))
  .filter((file) => only.length === 0 || only.some((part) => file.includes(part)))
  .sort();

const skipped = [];
let failed = 0;
const tests = run({ files, concurrency: 2 });
tests.on('test:pass', (event) => {
  if (event.skip !== undefined)
    skipped.push(`${event.name}: ${event.skip === true ? 'skipped' : event.skip}`);
});
tests.on('test:fail', () => {
  failed++;
});
tests.compose(new spec()).pipe(process.stdout);
tests.on('end', () => {
  process.exitCode = verdict();
});

function verdict() {
  process.on('exit', () => {
    if (skipped.length > 0) console.log(`\nskipped for want of root or a tool:\n  ${skipped.join('\n  ')}`);
    if (lint.status !== 0) console.log('\nbiome found something to mend (see above)');
  });
  const mustNotSkip = (process.env.PODPLANE_REQUIRE ?? '') !== '';
  return failed > 0 || lint.status !== 0 || (mustNotSkip && skipped.length > 0) ? 1 : 0;
}
