/** Builds a witness, says so, and keeps it until it is killed: for the test of what a killed run leaves. */
import { testEpoch } from '../support/cluster.js';
import { openBench } from './judge.js';
import { Witness } from './witness.js';

const witness = await Witness.start('namespaces');
await openBench(witness, testEpoch());
console.log('built');
process.stdin.resume();
