/** A case's process as its parent sees it. */
import { type ChildProcess, fork } from 'node:child_process';
import { caseName } from './cases.js';
import type { BenchAnswer, BenchTask } from './child.js';

export class CaseProcess {
  readonly #task: BenchTask;
  readonly #child: ChildProcess;

  constructor(task: BenchTask) {
    this.#task = task;
    this.#child = fork(new URL('./child.js', import.meta.url), { serialization: 'advanced' });
  }

  /** Make the case ready: its connections are opened.
   *  @throws Error when it cannot run, with the reason that its process gave; so does measure(). */
  async prepare(): Promise<void> {
    await this.#ask(this.#task);
  }

  /** Nanoseconds a packet, median of one measurement. */
  async measure(): Promise<number> {
    const answer = await this.#ask('measure');
    if (!('nsPerPacket' in answer))
      throw new Error(`${caseName(this.#task.benchCase)}: nothing was measured`);
    return answer.nsPerPacket;
  }

  /** Let go of the process: it ends. */
  close(): void {
    if (this.#child.connected) this.#child.disconnect();
  }

  async #ask(message: BenchTask | 'measure'): Promise<BenchAnswer> {
    const child = this.#child;
    const answer = await new Promise<BenchAnswer>((resolve) => {
      const onEnd = (code: number | null, signal: string | null): void =>
        resolve({ error: `its process ended with ${code ?? signal}` });
      child.once('exit', onEnd);
      child.once('message', (said) => {
        child.off('exit', onEnd);
        resolve(said as BenchAnswer);
      });
      child.send(message);
    });
    if ('error' in answer) throw new Error(`${caseName(this.#task.benchCase)}: ${answer.error}`);
    return answer;
  }
}
