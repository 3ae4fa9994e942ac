/** The back end that PODPLANE_BACKEND asks for, with a plain message when it cannot be had. */
import { type Kernels, loadKernels } from '../kernels/backend.js';
import { badArgument } from './exit.js';

/** @throws InputError when PODPLANE_BACKEND names no back end, or one that does not work here. */
export function chosenKernels(): Kernels {
  try {
    return loadKernels();
  } catch (error) {
    throw badArgument('PODPLANE_BACKEND', (error as Error).message, 'native, typescript or auto');
  }
}
