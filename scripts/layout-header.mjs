// Writes native/tables.h from the layout that src/kernels declares, when that has changed. Needs dist: npm run header.

import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { layoutHeader } from '../dist/src/kernels/layout-header.js';

const { LAYOUT_VERSION } = createRequire(import.meta.url)('./addon-load.cjs');
const file = new URL('../native/tables.h', import.meta.url);
const text = layoutHeader(LAYOUT_VERSION);
const isSame = readFileSync(file, 'utf8') === text;
if (!isSame) writeFileSync(file, text);
console.log(
  `native/tables.h ${isSame ? 'is as it should be' : 'written anew: npm run install builds the addon with it'}`,
);
