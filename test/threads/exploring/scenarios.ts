/** The scenarios to go through, for one shape of load. */
import { expect, test } from 'vitest';
import * as ring from '../../../src/threads/shared-ring-queue.ts';
import { sized } from '../../support/sized.ts';
import { explore } from './explorer.ts';
import type { Scenario } from './world.ts';

/** One slot, and several; each mutant that is caught at all is caught by two of them. */
export const CAPACITIES: readonly number[] = sized([1, 2], [1, 2, 4]);

/** Where cursors begin: two turns before they reach 2 ** 32, and 2 ** 31, or fresh. */
export const FIRST_TICKETS: readonly number[] = sized([2 ** 32 - 16], [2 ** 32 - 16, 2 ** 31 - 16, 0]);

/** One test for each scenario. */
export function exploreEach(scenarios: readonly Scenario[]): void {
  test.each(scenarios)('%o', { timeout: 300_000 }, (scenario) => {
    expect(explore(ring, scenario).states).toBeGreaterThan(1000);
  });
}
