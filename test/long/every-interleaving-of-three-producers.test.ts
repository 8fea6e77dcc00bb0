/** Three producers that push one release each, and the consumer. See `threads/exploring/explorer.ts` for the rules. */
import { describe } from 'vitest';
import { CAPACITIES, exploreEach } from '../threads/exploring/scenarios.ts';

const load = { producers: 3, pushes: 1 };

describe('all live', () => {
  exploreEach(CAPACITIES.map((capacity) => ({ ...load, capacity, firstTicket: 2 ** 32 - 16 })));
});

describe('a producer dies at any step', () => {
  exploreEach(CAPACITIES.map((capacity) => ({ ...load, capacity, firstTicket: 0, deaths: 1 })));
});
