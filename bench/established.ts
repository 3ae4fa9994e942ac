/** What does a packet of an established connection cost, by path, back end and number of connections? */
import { benchCommand } from '../src/cli/bench.js';

await benchCommand().parseAsync(['--only', 'established', ...process.argv.slice(2)], { from: 'user' });
