/** Asks podplane and the slow evaluator the same questions. */
import assert from 'node:assert/strict';
import { isAllowed } from './evaluator.js';
import { Random, randomPacket, randomWorld } from './random-world.js';
import { isDenied, World } from './world.js';

const PACKETS_PER_WORLD = 25;

/** Compare `count` answers, 25 to a cluster, from `seed` on; answers how many packets were let through. */
export async function compareAnswers(seed: number, count: number): Promise<number> {
  let allowed = 0;
  for (let asked = 0; asked < count; asked += PACKETS_PER_WORLD) {
    const worldSeed = seed + asked / PACKETS_PER_WORLD;
    const random = new Random(worldSeed);
    const { objects, facts } = randomWorld(random);
    using world = await World.load(objects, { policy: 'api' });
    for (let i = 0; i < PACKETS_PER_WORLD; i++) {
      const packet = randomPacket(random, facts);
      const trace = world.trace(packet);
      const wanted = isAllowed(facts, packet.facts);
      const why = (): string =>
        `world ${worldSeed}, packet ${i}: ${JSON.stringify(packet)} ended ${trace.verdict} ${trace.reason}; policies ${JSON.stringify(facts.policies)}; pods ${JSON.stringify(facts.pods)}`;
      if (isDenied(trace) === wanted) assert.fail(why());
      // A denial says what would have to change; the API leaves no quirk to name.
      if (!wanted) assert.ok(trace.denial !== null && trace.denial.quirk === '', why());
      if (trace.denial?.nearest != null) assert.ok(trace.denial.nearest.misses.length > 0, why());
      if (wanted) allowed++;
    }
  }
  return allowed;
}
