// `npm run soak [NAME …]`: what is too long for every run of the tests, at full size: every dist/test/**/*.soak.js in turn,
// or those whose path has one of the names. Ends at the first that fails.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { build } from './prepare.mjs';

build();
const only = process.argv.slice(2);
const files = readdirSync('dist/test', { withFileTypes: true, recursive: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.soak.js'))
  .map((entry) => join(entry.path, entry.name))
  .filter((file) => only.length === 0 || only.some((part) => file.includes(part)))
  .sort();

if (files.length === 0) {
  console.error(`no soak test is called ${only.join(' or ')}`);
  process.exit(2);
}
for (const file of files) {
  console.log(`\n${file}`);
  const { status } = spawnSync(process.execPath, ['--test', '--test-reporter=spec', file], {
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(status ?? 1);
}
