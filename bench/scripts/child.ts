/**
 * The entry of a process that runs one script once: it loads what a user's script loads, and nothing that measures besides
 * a clock. It ends with its parent, in any case.
 */
import { loadPuppeteer } from '../../src/cli/load-puppeteer.ts';
import type { Answer, Order } from '../child.ts';
import type { Workshop } from '../sampling/measurement.ts';
import { closeAllPages } from '../sampling/open-pages.ts';
import type { BenchBrowser } from '../sampling/puppeteer-structure.ts';
import { runScript, scriptOf } from './run-script.ts';

process.once('message', (order: Order) => void carryOut(order));
process.once('disconnect', () => void closeAllPages().finally(() => process.exit()));
// Ctrl-C reaches the whole process group; it is the parent that decides when this one ends.
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => {});

async function carryOut({ measurement, handles, browserWSEndpoint }: Order): Promise<void> {
  let answer: Answer;
  try {
    const { script, variant } = scriptOf(measurement);
    const { puppeteer } = await loadPuppeteer<BenchBrowser>();
    const workshop: Workshop = { puppeteer: puppeteer as Workshop['puppeteer'], browserWSEndpoint };
    answer = { kind: 'sample', sample: await runScript(workshop, variant, script, handles) };
  } catch (error) {
    const { stack, message } = Object(error) as Partial<Error>;
    answer = { kind: 'failure', message: stack ?? message ?? String(error) };
  }
  if (process.connected) process.send?.(answer);
}
