/** The scenarios to go through, for one shape of load; and the printing of what it took. */
import { afterAll, expect, test } from 'vitest';
import * as ring from '../../../src/threads/shared-ring-queue.ts';
import { type Exploration, explore } from './explorer.ts';
import type { Scenario } from './world.ts';

export const CAPACITIES: readonly number[] = [1, 2, 4];

/** Where cursors begin: fresh, or two turns before they reach 2 ** 31, and 2 ** 32. */
export const FIRST_TICKETS: readonly number[] = [0, 2 ** 31 - 16, 2 ** 32 - 16];

/** One test for each scenario; a table of the states visited at the end. */
export function exploreEach(scenarios: readonly Scenario[]): void {
  const visited: (Scenario & Exploration)[] = [];
  test.each(scenarios)('%o', { timeout: 300_000 }, (scenario) => {
    const exploration = explore(ring, scenario);
    visited.push({ ...scenario, ...exploration });
    expect(exploration.states).toBeGreaterThan(1000);
  });

  afterAll(() => {
    console.table(visited);
    console.log(`${visited.reduce((sum, { states }) => sum + states, 0).toLocaleString('en')} states in all`);
  });
}
