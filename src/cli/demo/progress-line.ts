/**
 * Progress on the terminal: one line for each run. A terminal shows the line as the run goes on; any other output gets it
 * once the run is done.
 */
import type { WriteStream } from 'node:tty';
import { monotonicNow } from '../../timers.ts';
import { formatCount, formatMegabytes, formatSeconds } from '../format.ts';
import type { Progress, RunResult, Side } from './run.ts';

const MIN_MS_BETWEEN_REDRAWS = 100;

export class ProgressLine {
  readonly #output: Pick<WriteStream, 'isTTY' | 'write'>;
  readonly #label: string;
  #drawnAt = Number.NEGATIVE_INFINITY;

  constructor(output: Pick<WriteStream, 'isTTY' | 'write'>, side: Side, title: string) {
    this.#output = output;
    this.#label = `${side.padEnd(8)}  ${title.padEnd(31)}`;
    output.write(this.#label);
  }

  advance(progress: Progress): void {
    const now = monotonicNow();
    if (!this.#output.isTTY || now - this.#drawnAt < MIN_MS_BETWEEN_REDRAWS) return;
    this.#drawnAt = now;
    const { done, operations } = progress;
    this.#draw(`${formatCount(done)} of ${formatCount(operations)}`, progress);
  }

  finish(result: RunResult): void {
    const done = formatCount(result.done);
    this.#draw(result.crashed ? `crashed at ${done}` : `${done} done`, result);
    this.#output.write('\n');
  }

  /** There is no outcome to show. */
  abandon(): void {
    this.#output.write('\n');
  }

  /** The columns are as wide as their widest content, so that each drawing covers the one before. */
  #draw(state: string, { peakHeapBytes, elapsedMs }: Progress): void {
    const columns = [
      state.padStart(18),
      formatMegabytes(peakHeapBytes).padStart(9),
      formatSeconds(elapsedMs).padStart(8),
    ];
    this.#output.write(`${this.#output.isTTY ? `\r${this.#label}` : ''}${columns.join('')}`);
  }
}
