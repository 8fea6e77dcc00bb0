/**
 * Sizes of tests: `npm test` takes the least that fails where what is tested is taken out, `npm run test:long` the whole
 * size, that is promised or that users meet. A file with a whole size is imported by one of the same name in test/long.
 */
export function sized<Size>(least: Size, whole: Size): Size {
  return process.env.TEST_SIZE === 'least' ? least : whole;
}

const RUNS_OF_HOURS = ['soak', 'torture'] as const;
export type RunOfHours = (typeof RUNS_OF_HOURS)[number];

/** Whether a mode of vitest's is one that takes too long for CI: `npm run soak`, `npm run torture`. */
export function isOfHours(mode: string): mode is RunOfHours {
  return (RUNS_OF_HOURS as readonly string[]).includes(mode);
}

/** Whether this is that run. Not by vitest's own `MODE`, which is `test` in each project of a configuration. */
export function runs(mode: RunOfHours): boolean {
  return process.env.TEST_SIZE === mode;
}
