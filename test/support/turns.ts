/** Waiting for what this process does by itself: its event loop is turned, and no clock is asked but for the limit. */
import { setImmediate as macrotask } from 'node:timers/promises';

/** Enough for whatever can run without an answer from outside. */
const ENOUGH = 25;

/** Lets everything run that needs neither the test nor time. */
export async function turns(count: number = ENOUGH): Promise<void> {
  for (let turn = 0; turn < count; turn++) await macrotask();
}

/** Turns the event loop until the condition holds. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  timeoutMs: number = 60_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${condition}`);
    await macrotask();
  }
}
