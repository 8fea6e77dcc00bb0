/** Waiting for the client's garbage collector. Needs `--expose-gc`, which vitest.config.ts sets. */
import { pause } from './turns.ts';

const FEW = 4;

/**
 * Collects this process's garbage, turn after turn, until the condition holds.
 *
 * Between collections the event loop turns: finalization callbacks run in a task of their own after the collection,
 * and replies of the browser come in. What a few collections do not bring waits for a timer of the library's: each
 * further one takes 20 ms of a core, and those that ask the page have it collect, too.
 *
 * @throws when the condition does not hold within `timeoutMs`; the message shows its source.
 */
export async function collectUntil(
  condition: () => boolean | Promise<boolean>,
  timeoutMs: number = 60_000,
): Promise<void> {
  const { gc } = globalThis;
  if (!gc) throw new Error('collectUntil needs node --expose-gc');
  const deadline = performance.now() + timeoutMs;
  for (let attempt = 0; !(await condition()); attempt++) {
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${condition}`);
    // No `{ type: 'major' }`: on Node 20 that runs a scavenge, which serves no registry.
    gc();
    await pause(attempt < FEW ? 0 : 50);
  }
}
