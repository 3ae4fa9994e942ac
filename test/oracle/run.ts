/** `npm run oracle`: podplane against real Linux and Open vSwitch.
 *
 *  --witness guest|namespaces   who judges: a kernel datapath under emulation, or this machine's namespaces
 *  --seed N --cases M           that many generated packets beside the written scenarios
 *  --only TEXT                  scenarios whose name has this text, and nothing generated
 *  Ends with 3 when anything differs. */
import { parseArgs } from 'node:util';
import { judge } from './judge.js';
import { describeResults, isRed } from './run-cases.js';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    cases: { type: 'string', default: '200' },
    witness: { type: 'string', default: 'guest' },
    only: { type: 'string', default: '' },
  },
});

const report = await judge({
  kind: values.witness === 'namespaces' ? 'namespaces' : 'guest',
  seed: Number(values.seed),
  cases: values.only === '' ? Number(values.cases) : 0,
  only: values.only,
  say: (line) => console.log(line),
});
console.log(describeResults(report.results));
if (report.leftOut.length > 0) console.log(`\nleft out:\n  ${report.leftOut.join('\n  ')}`);
if (report.results.some(isRed)) process.exitCode = 3;
