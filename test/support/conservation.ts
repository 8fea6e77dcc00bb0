/** The law of conservation, to which every test holds the books: each handle is in them once. */
import { expect } from 'vitest';
import type { ReleaseStats } from '../../src/batcher/stats.ts';

/** As it holds at any time. */
export function expectConserved(stats: ReleaseStats): void {
  const { minted, live, queued, inFlight } = stats;
  const ended = stats.released + stats.gone + stats.elided + stats.failed + stats.timedOut + stats.dropped;
  const accounted = live + queued + inFlight + ended;
  expect(accounted, `conservation in ${JSON.stringify(stats)}`).toBe(minted);
  for (const [name, count] of Object.entries(stats)) expect(count, name).toBeGreaterThanOrEqual(0);
}

/** As it holds when nothing is on its way. */
export function expectAtRest(stats: ReleaseStats): void {
  expectConserved(stats);
  expect(stats, 'nothing is on its way').toMatchObject({ queued: 0, inFlight: 0 });
}
