/** Reads the arguments of a bench that has a program of its own: --help says what it measures and what it takes. */
import { Argument, Command } from 'commander';
import { wholeNumber } from '../../src/cli/options.js';

const MAX = 1e9;

/** An argument that is a whole number from 1 up; without `usual`, one that is not given is undefined. */
export function numberArgument(name: string, sentence: string, usual?: number): Argument {
  const argument = new Argument(`[${name}]`, sentence).argParser(wholeNumber(1, MAX));
  return usual === undefined ? argument : argument.default(usual);
}

/** What this process was given for `wanted`, in that order, or the defaults. Ends the process after --help, and with a
 *  sentence for what does not fit. */
export function readArguments(question: string, wanted: readonly Argument[]): readonly unknown[] {
  const command = new Command().description(question).showHelpAfterError();
  for (const argument of wanted) command.addArgument(argument);
  return command.parse().processedArgs;
}
