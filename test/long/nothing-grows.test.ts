// However often something comes and goes, what the library keeps of it is a count.
import { test } from 'vitest';
import { expectNothingGrows } from '../growth/growth.ts';

test('of what has come and gone a million times, nothing is left in this process', async () => {
  await expectNothingGrows(1_000_000, 2, 3_000_000);
}, 3_000_000);
