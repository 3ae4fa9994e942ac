/** The kernels' tests, and one of the engine's twins, on an addon that watches its memory and its arithmetic. */
import { test } from 'node:test';
import { needs } from '../support/needs.js';
import { runChecked } from './checked-build.js';

test('kernels, and packets that leave early, on a build with sanitizers', needs('g++', 'toolchain'), (t) =>
  runChecked(t, ['kernels', 'twins/leaving', 'path/service']),
);
