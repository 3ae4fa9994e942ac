/** What does the first packet of a connection cost, by path, back end and number of connections? */
import { benchCommand } from '../src/cli/bench.js';

await benchCommand().parseAsync(['--only', 'new', ...process.argv.slice(2)], { from: 'user' });
