/** Waiting for what this process does by itself: its event loop is turned, and no time is given but where that takes long. */
import { setImmediate as macrotask } from 'node:timers/promises';

/** Enough for whatever can run without an answer from outside. */
const ENOUGH = 25;

/** Lets everything run that needs neither the test nor time. */
export async function turns(count: number = ENOUGH): Promise<void> {
  for (let turn = 0; turn < count; turn++) await macrotask();
}

/** After so many turns it is a timer, or another process, that is waited for: no core is kept busy for that. */
const BUSY_TURNS = 200;

/** Turns the event loop until the condition holds. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  timeoutMs: number = 60_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (let turn = 0; !(await condition()); turn++) {
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${condition}`);
    await pause(turn < BUSY_TURNS ? 0 : 5);
  }
}

const { setTimeout: realTimeout } = globalThis; // Whichever timers a test fakes.

/** A turn of the event loop, or so many milliseconds of it. */
export async function pause(ms: number): Promise<void> {
  if (ms === 0) await macrotask();
  else await new Promise((resolve) => realTimeout(resolve, ms));
}
