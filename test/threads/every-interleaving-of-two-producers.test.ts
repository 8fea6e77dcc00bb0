/** Two producers that push a release or two each, and the consumer. See `exploring/explorer.ts` for the rules. */
import { describe } from 'vitest';
import { sized } from '../support/sized.ts';
import { CAPACITIES, exploreEach, FIRST_TICKETS } from './exploring/scenarios.ts';

const load = { producers: 2, pushes: sized(1, 2) };

describe('cursors begin anywhere', () => {
  exploreEach(
    CAPACITIES.flatMap((capacity) =>
      FIRST_TICKETS.map((firstTicket) => ({ ...load, pushes: 2, capacity, firstTicket })),
    ),
  );
});

describe('a producer dies at any step', () => {
  exploreEach(CAPACITIES.map((capacity) => ({ ...load, capacity, firstTicket: 0, deaths: 1 })));
});

describe('both producers die', () => {
  exploreEach(CAPACITIES.map((capacity) => ({ ...load, pushes: 1, capacity, firstTicket: 0, deaths: 2 })));
});

describe('a producer that lives is stepped over', () => {
  // Several slots are gone through by mutants-are-caught.test.ts.
  const capacities = sized([1], CAPACITIES);
  exploreEach(
    capacities.map((capacity) => ({ ...load, pushes: 1, capacity, firstTicket: 0, hastySteps: 1 })),
  );
});

describe('the consumer closes at any step', () => {
  exploreEach(CAPACITIES.map((capacity) => ({ ...load, capacity, firstTicket: 0, closes: true })));
});
