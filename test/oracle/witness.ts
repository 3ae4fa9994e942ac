/** The line to the witness's agent: on this machine's namespaces, or in a guest under emulation. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { createConnection } from 'node:net';
import { dirname, join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { runFolder, sweep } from './leftovers.js';
import type { Datapath, NodePlan, Plan } from './plan.js';

export type WitnessKind = 'guest' | 'namespaces';

/** A frame seen somewhere: `way` as the device has it, out of it or into it. */
export interface Sighting {
  /** A port name, or `node1:vxlan0`. */
  readonly at: string;
  readonly way: 'in' | 'out';
  readonly bytes: Uint8Array;
}

export interface Injection {
  readonly at: string;
  readonly bytes: Uint8Array;
}

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
const AGENT = join(ROOT, 'test', 'oracle', 'agent', 'main.py');
const GUEST_SCRIPT = join(ROOT, 'scripts', 'oracle-guest.sh');
/** A guest that has not answered by then will not. */
const BOOT_MS = 120_000;
/** Memory of the guest in MiB. */
const GUEST_MEMORY = 1024;

type Reply = Readonly<Record<string, unknown>> & { readonly error?: string };

export class Witness implements AsyncDisposable {
  #waiting: ((line: Reply) => void)[] = [];
  readonly #write: (text: string) => void;
  readonly #end: () => void;
  isBuilt = false;

  private constructor(
    readonly kind: WitnessKind,
    lines: Interface,
    write: (text: string) => void,
    end: () => void,
  ) {
    this.#write = write;
    this.#end = end;
    lines.on('line', (line) => this.#waiting.shift()?.(JSON.parse(line) as Reply));
    lines.on('close', () => {
      for (const resolve of this.#waiting.splice(0)) resolve({ error: 'the witness went away' });
    });
  }

  get datapath(): Datapath {
    return this.kind === 'guest' ? 'system' : 'netdev';
  }

  /** Clears away first what killed runs have left. */
  static async start(kind: WitnessKind): Promise<Witness> {
    sweep();
    const witness = kind === 'guest' ? await startGuest() : startNamespaces();
    await witness.ask({ op: 'hello' });
    return witness;
  }

  /** Made by the two starters below only. */
  static over(kind: WitnessKind, lines: Interface, write: (text: string) => void, end: () => void): Witness {
    return new Witness(kind, lines, write, end);
  }

  /** @throws Error with what the agent said. */
  async ask(request: object): Promise<Reply> {
    const reply = await new Promise<Reply>((resolve) => {
      this.#waiting.push(resolve);
      this.#write(`${JSON.stringify(request)}\n`);
    });
    if (reply.error !== undefined) throw new Error(`witness: ${reply.error}`);
    return reply;
  }

  /** Kernel and Open vSwitch of the witness. */
  async versions(): Promise<string> {
    const { kernel, ovs } = await this.ask({ op: 'hello' });
    return `${this.kind}: Linux ${String(kernel)}, ${String(ovs)}`;
  }

  async build(plan: Plan): Promise<void> {
    if (this.isBuilt) await this.ask({ op: 'teardown' });
    this.isBuilt = true;
    await this.ask({ op: 'build', plan });
  }

  /** Send frames, and return what every device saw: until `quietMs` brought nothing more, or, when `expected` frames
   *  have come, until a short silence. */
  async inject(
    frames: readonly Injection[],
    quietMs: number,
    limitMs: number,
    expected = 0,
  ): Promise<Sighting[]> {
    const encoded = frames.map(({ at, bytes }) => ({ at, bytes: Buffer.from(bytes).toString('base64') }));
    const request = {
      op: 'inject',
      frames: encoded,
      quiet: quietMs / 1000,
      limit: limitMs / 1000,
      expect: expected,
    };
    const { events } = await this.ask(request);
    return (events as { at: string; way: 'in' | 'out'; bytes: string }[]).map(({ at, way, bytes }) => ({
      at,
      way,
      bytes: Uint8Array.from(Buffer.from(bytes, 'base64')),
    }));
  }

  /** Let pods' own stacks answer, or silence them; by namespace. */
  async silence(prefix: string, silent: Readonly<Record<string, boolean>>): Promise<void> {
    await this.ask({ op: 'stacks', prefix, silent });
  }

  /** What switch and kernel of a node hold now; `difference` is ovs-ofctl's own comparison with the plan. */
  async rules(prefix: string, node: NodePlan): Promise<{ iptables: string; difference: string }> {
    const { iptables, difference } = await this.ask({ op: 'rules', prefix, node });
    return { iptables: String(iptables), difference: String(difference) };
  }

  /** Answers of a node's ovs-vswitchd to commands, each a list of words as ovs-appctl takes them. */
  async appctl(space: string, commands: readonly (readonly string[])[]): Promise<readonly string[]> {
    const { answers } = await this.ask({ op: 'appctl', space, commands });
    return answers as readonly string[];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.ask({ op: 'teardown' });
    } finally {
      this.#end();
    }
  }
}

function startNamespaces(): Witness {
  const child = spawn('python3', ['-B', AGENT, '--stdio'], { stdio: ['pipe', 'pipe', 'inherit'] });
  return Witness.over(
    'namespaces',
    createInterface({ input: child.stdout }),
    (text) => child.stdin.write(text),
    () => child.stdin.end(),
  );
}

/** Folder that keeps the guest's kernel and initramfs between runs; with the other things that are built. */
const GUEST_FOLDER = process.env['PODPLANE_GUEST'] ?? join(ROOT, 'build', 'oracle-guest');

async function startGuest(): Promise<Witness> {
  const folder = GUEST_FOLDER;
  const made = spawnSync('sh', [GUEST_SCRIPT, folder], { encoding: 'utf8' });
  if (made.status !== 0) throw new Error(`the guest could not be made: ${made.stderr}`);
  const place = runFolder();
  mkdirSync(place, { recursive: true });
  const socket = join(place, 'agent.sock');
  const log = join(place, 'console.log');
  // Whatever ends this process, the guest ends with it.
  const command = ['--pdeathsig', 'KILL', 'qemu-system-x86_64', ...guestArguments(folder, socket, log)];
  const child = spawn('setpriv', command, { stdio: ['ignore', 'ignore', 'inherit'] });
  const end = (): void => {
    child.kill('SIGKILL');
    rmSync(place, { recursive: true, force: true });
  };
  process.once('exit', end);
  try {
    const connection = await connect(socket, child);
    return Witness.over(
      'guest',
      createInterface({ input: connection }),
      (text) => connection.write(text),
      () => {
        connection.destroy();
        end();
      },
    );
  } catch (error) {
    const said = existsSync(log) ? readFileSync(log, 'utf8') : '';
    end();
    throw new Error(`the guest did not start: ${String(error)}\n${said.slice(-2000)}`);
  }
}

const guestArguments = (folder: string, socket: string, log: string): string[] => [
  ...['-accel', 'tcg,thread=multi', '-cpu', 'max', '-smp', '2', '-m', String(GUEST_MEMORY)],
  ...['-nodefaults', '-display', 'none', '-no-reboot', '-serial', `file:${log}`],
  ...['-kernel', join(folder, 'vmlinuz'), '-initrd', join(folder, 'initramfs.cpio')],
  ...['-append', 'console=ttyS0 quiet panic=-1 mitigations=off'],
  ...['-device', 'virtio-serial-pci', '-chardev', `socket,id=agent,path=${socket},server=on,wait=off`],
  ...['-device', 'virtserialport,chardev=agent,name=agent'],
];

/** The emulator makes its socket a moment after its start. */
async function connect(path: string, child: ChildProcess) {
  const deadline = Date.now() + BOOT_MS;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the emulator ended with ${child.exitCode}`);
    const connection = createConnection(path);
    const isOpen = await new Promise<boolean>((resolve) => {
      connection.once('connect', () => resolve(true));
      connection.once('error', () => resolve(false));
    });
    if (isOpen) return connection;
    if (Date.now() > deadline) throw new Error('no connection in time');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
