/** Everything that `podplane bench` measures. Arguments are its options: --quick, --json, -c … */
import { benchCommand } from '../src/cli/bench.js';

await benchCommand().parseAsync();
