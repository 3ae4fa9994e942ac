/** What do five-tuple, hash and connection lookup cost, in TypeScript and in the addon? */
import { benchCommand } from '../src/cli/bench.js';

await benchCommand().parseAsync(['--only', 'kernels', ...process.argv.slice(2)], { from: 'user' });
