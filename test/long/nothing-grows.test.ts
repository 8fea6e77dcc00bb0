// However often something comes and goes, what the library keeps of it is a count. GROWTH_USES=1000000 takes the better
// part of an hour.
import { test } from 'vitest';
import { expectNothingGrows } from '../growth/growth.ts';

const USES = Number(process.env.GROWTH_USES ?? 20_000);
/** Bytes a use. Of 20,000 the noise of the heap on a busy machine comes to 235; a million leave room for nothing. */
const LIMIT = USES >= 1_000_000 ? 2 : 300;
/** Milliseconds until it is given up: of a million an hour on two quiet cores, three beside other work. */
const TIMEOUT_MS = USES >= 1_000_000 ? 10_800_000 : 3_000_000;

test(
  `of what has come and gone ${USES} times, nothing is left in this process`,
  async () => {
    await expectNothingGrows(USES, LIMIT, TIMEOUT_MS);
  },
  TIMEOUT_MS,
);
