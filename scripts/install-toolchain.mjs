/** Finds what a build of the addon needs on this machine: compiler, make, Python, Node's headers. */
import { accessSync, constants, existsSync, realpathSync, statSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

const COMPILERS = ['c++', 'g++', 'clang++'];
const PYTHONS = ['python3', 'python'];

/** Look for the tools on `env.PATH` and for node_api.h beside the running Node; nothing is run or downloaded.
 *  Returns { compiler, python, nodeDir, why: '' }, or { why } naming the first thing that is missing. */
export function findToolchain(env) {
  const compiler = env.CXX || COMPILERS.find((name) => which(name, env));
  if (!compiler) return { why: `no C++ compiler (looked for ${COMPILERS.join(', ')})` };
  if (!which('make', env)) return { why: 'no make' };
  const python = PYTHONS.find((name) => which(name, env));
  if (!python) return { why: 'no Python 3, which node-gyp needs' };
  const nodeDir = headersFolder(env);
  if (!nodeDir) return { why: 'no Node headers (include/node/node_api.h) beside the running Node' };
  return { compiler, python, nodeDir, why: '' };
}

/** The folder to give as --nodedir: npm's own setting, else the folder that Node is installed in. */
function headersFolder(env) {
  const beside = dirname(dirname(realpathSync(process.execPath)));
  const folders = [env.npm_config_nodedir, beside].filter(Boolean);
  return folders.find((folder) => existsSync(join(folder, 'include', 'node', 'node_api.h')));
}

function which(name, env) {
  return (env.PATH ?? '').split(delimiter).some((folder) => isProgram(join(folder, name)));
}

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
