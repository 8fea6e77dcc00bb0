import type { WriteStream } from 'node:tty';
import { monotonicNow } from '../src/timers.ts';
import type { ScheduleProgress } from './schedule.ts';

/** One line that is written over on a terminal; elsewhere a line for each sample. */
export class ProgressLine {
  readonly #output: Pick<WriteStream, 'isTTY' | 'write' | 'columns'>;
  readonly #startedAt: number = monotonicNow();

  constructor(output: Pick<WriteStream, 'isTTY' | 'write' | 'columns'>) {
    this.#output = output;
  }

  readonly show = ({ round, rounds, done, total, measurement }: ScheduleProgress): void => {
    const elapsedMs = monotonicNow() - this.#startedAt;
    const left = done === 0 ? '' : `, about ${formatDuration((elapsedMs / done) * (total - done))} left`;
    const text = `round ${round + 1} of ${rounds}, ${done + 1} of ${total}${left}: ${measurement.id}`;
    if (this.#output.isTTY)
      this.#output.write(`\r\u001B[K${text.slice(0, (this.#output.columns ?? 80) - 1)}`);
    else this.#output.write(`${text}\n`);
  };

  clear(): void {
    if (this.#output.isTTY) this.#output.write('\r\u001B[K');
  }
}

function formatDuration(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  return seconds < 90 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}
