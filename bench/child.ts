/**
 * The entry of a process that belongs to one subject: it takes a sample each time it is asked, and warms up before
 * each: while other subjects have their turns, V8 throws away what it had compiled. It ends with its parent, in any case.
 */
import { loadPuppeteer } from '../src/cli/load-puppeteer.ts';
import { measurementOf } from './measurements.ts';
import type { Workshop } from './sampling/measurement.ts';
import { closeAllPages } from './sampling/open-pages.ts';
import type { BenchBrowser } from './sampling/puppeteer-structure.ts';
import type { Sample } from './sampling/sample.ts';

export interface Order {
  readonly measurement: string;
  readonly handles: number;
  readonly browserWSEndpoint: string;
}

export type Answer =
  | { readonly kind: 'sample'; readonly sample: Sample }
  | { readonly kind: 'failure'; readonly message: string };

/** After fewer, V8 was still compiling what is measured: the third sample took a third of the first. */
const WARM_UP_RUNS = 3;

process.on('message', (order: Order) => void carryOut(order));
process.once('disconnect', () => void closeAllPages().finally(() => process.exit()));
// Ctrl-C reaches the whole process group, as a signal to it does; it is the parent that decides when this one ends.
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => {});

async function carryOut({ measurement: id, handles, browserWSEndpoint }: Order): Promise<void> {
  try {
    const measurement = measurementOf(id);
    const { puppeteer } = await loadPuppeteer<BenchBrowser>();
    const workshop: Workshop = { puppeteer: puppeteer as Workshop['puppeteer'], browserWSEndpoint };
    if (measurement.warmUp > 0) {
      for (let run = 0; run < WARM_UP_RUNS; run++) {
        await measurement.run(workshop, Math.min(measurement.warmUp, handles));
      }
    }
    tell({ kind: 'sample', sample: await measurement.run(workshop, handles) });
  } catch (error) {
    // A connection that cannot be made is told by an event, which has a message but is no Error.
    const { stack, message } = Object(error) as Partial<Error>;
    tell({ kind: 'failure', message: stack ?? message ?? String(error) });
  }
}

function tell(answer: Answer): void {
  process.send?.(answer);
}
