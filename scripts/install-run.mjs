/** Runs one bounded command of the install, its output into the install log. */
import { spawn } from 'node:child_process';
import { appendFileSync } from 'node:fs';

/** The longest output that is kept, so that a command gone wild fills neither memory nor disk. */
const OUTPUT_MAX = 1_000_000;

/** Run `command` without a shell and without input. After `timeoutMs` it is killed, together with what it started.
 *  Returns { outcome: 'ok' | 'failed' | 'timeout', output }; never throws. */
export function run(command, args, { cwd, env, timeoutMs, logFile }) {
  return new Promise((resolve) => {
    // A group of its own: make and the compiler must end with node-gyp.
    const isGroup = process.platform !== 'win32';
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], detached: isGroup });
    let output = '';
    let isLate = false;
    const keep = (chunk) => {
      if (output.length < OUTPUT_MAX) output += chunk;
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    const timer = setTimeout(() => {
      isLate = true;
      kill(child, isGroup);
    }, timeoutMs);
    const finish = (outcome) => {
      clearTimeout(timer);
      log(logFile, `$ ${command} ${args.join(' ')}\n${output}\n${outcome}\n`);
      resolve({ outcome, output });
    };
    child.once('error', (error) => {
      output += error.message;
      finish('failed');
    });
    child.once('close', (code) => finish(isLate ? 'timeout' : code === 0 ? 'ok' : 'failed'));
  });
}

function kill(child, isGroup) {
  try {
    if (isGroup) process.kill(-child.pid, 'SIGKILL');
    else child.kill('SIGKILL');
  } catch {
    // It ended by itself between the timer and here.
  }
}

function log(file, text) {
  try {
    appendFileSync(file, text);
  } catch {
    // A read-only folder has no log; the outcome's line is printed all the same.
  }
}
