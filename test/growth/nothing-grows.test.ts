// However often something comes and goes, what the library keeps of it is a count. `npm run test:long` does it 20,000 times.
import { test } from 'vitest';
import { expectNothingGrows } from './growth.ts';

test('of what has come and gone a thousand times, nothing is left in this process', async () => {
  await expectNothingGrows(1_000, 400, 200_000);
}, 240_000);
