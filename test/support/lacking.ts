/**
 * Tests that need what not every machine has: an installed browser, a Redis, a terminal. Where it is lacking they are
 * skipped, and `reporter.ts` lists them with the reason at the end of the run.
 */
import type { TestOptions } from 'vitest';

declare module 'vitest' {
  interface TaskMeta {
    /** Why the test, or every test of the suite, cannot run on this machine. */
    lacking?: string;
  }
}

/**
 * Options for `it` and `describe`: `it('…', lacking(reason), …)`.
 *
 * @param reason - what this machine lacks; `undefined` where nothing is lacking.
 */
export function lacking(reason: string | undefined): TestOptions {
  return reason === undefined ? {} : { skip: true, meta: { lacking: reason } };
}
