/** The process of one subject, as its parent sees it. */
import { type ChildProcess, fork } from 'node:child_process';
import { clearTimeout, setTimeout } from '../src/timers.ts';
import type { Answer, Order } from './child.ts';
import type { Measurement } from './sampling/measurement.ts';
import type { Sample } from './sampling/sample.ts';

export class SubjectProcess {
  readonly #child: ChildProcess;
  readonly #measurement: Measurement;

  /** @param node the binary of the Node that runs it. */
  constructor(measurement: Measurement, node: string) {
    this.#measurement = measurement;
    // The compiled file beside this one, with its own flags and none of ours.
    const entry = measurement.id.startsWith('scripts/') ? './scripts/child.js' : './child.js';
    this.#child = fork(new URL(entry, import.meta.url), [], {
      execPath: node,
      execArgv: [...(measurement.nodeFlags ?? []), ...extraFlags()],
    });
  }

  /** Takes one sample; rejects where the subject fails, its process ends, or the signal is given. */
  sample(order: Omit<Order, 'measurement'>, signal: AbortSignal): Promise<Sample> {
    const child = this.#child;
    return new Promise<Sample>((resolve, reject) => {
      const onMessage = (answer: Answer): void => {
        if (answer.kind === 'sample') resolve(answer.sample);
        else reject(new Error(answer.message));
      };
      const onExit = (code: number | null, name: string | null): void =>
        reject(new Error(`the process of ${this.#measurement.id} ended (${name ?? `exit code ${code}`})`));
      const onAbort = (): void => reject(signal.reason);
      child.once('message', onMessage).once('exit', onExit).once('error', reject);
      signal.addEventListener('abort', onAbort, { once: true });
      if (signal.aborted) onAbort();
      else child.send({ ...order, measurement: this.#measurement.id } satisfies Order);
      this.#forget = () => {
        child.off('message', onMessage).off('exit', onExit).off('error', reject);
        signal.removeEventListener('abort', onAbort);
      };
    }).finally(() => this.#forget());
  }

  #forget: () => void = () => {};

  /** Ends it, whatever it is doing: it goes of itself when its parent is gone, unless it is busy for good. */
  end(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) return resolve();
      const timer = setTimeout(() => this.#child.kill('SIGKILL'), PATIENCE_MS);
      this.#child.once('exit', () => {
        clearTimeout(timer);
        resolve();
      });
      if (this.#child.connected) this.#child.disconnect();
    });
  }
}

/** Time to close its pages in. */
const PATIENCE_MS = 5_000;

/** For profiles: `CDP_BENCH_NODE_FLAGS='--cpu-prof --cpu-prof-dir=profiles'`. */
function extraFlags(): string[] {
  return (process.env.CDP_BENCH_NODE_FLAGS ?? '').split(' ').filter((flag) => flag !== '');
}
