/** The paths that podplane claims, as the witness walks them: the cluster of fixed-cluster.ts, names of test/support/cluster. */
import type { Scenario } from './scenario.js';
import { DIRECT_SCENARIOS } from './scenarios-direct.js';
import { FRAGMENTS_SCENARIOS } from './scenarios-fragments.js';
import { OUTSIDE_SCENARIOS } from './scenarios-outside.js';
import { SERVICES_SCENARIOS } from './scenarios-service.js';
import { STACKS_SCENARIOS } from './scenarios-stack.js';
import { UNDERLAY_SCENARIOS } from './scenarios-underlay.js';

export const SCENARIOS: readonly Scenario[] = [
  ...DIRECT_SCENARIOS,
  ...SERVICES_SCENARIOS,
  ...STACKS_SCENARIOS,
  ...UNDERLAY_SCENARIOS,
  ...OUTSIDE_SCENARIOS,
  ...FRAGMENTS_SCENARIOS,
];
