/** All that runs on the addon, on one that watches its memory and its arithmetic. */
import { test } from 'node:test';
import { needs } from '../support/needs.js';
import { runChecked } from './checked-build.js';

test('kernels, twins and paths on a build with sanitizers', needs('g++', 'toolchain'), (t) =>
  runChecked(t, ['kernels', 'twins', 'path']),
);
