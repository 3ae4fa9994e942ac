/** A worker thread of a replay in which the rules choose endpoints. */
import { serveLanes, type WorkerStart } from '../workers/worker.js';
import { createChoices } from './server-choices.js';

/** Walk task after task. */
export const runTasks = (start: WorkerStart): never => serveLanes(start, createChoices);
