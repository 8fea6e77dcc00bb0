import { defineConfig, type TestUserConfig, type ViteUserConfigFnObject } from 'vitest/config';
import { LongestFirst } from './test/support/longest-first.ts';
import { isOfHours } from './test/support/sized.ts';

const { COVERAGE_OF_PROCESSES } = process.env; // Set by scripts/coverage.mjs: where V8 is to write what was run.

const ALL = 'test/**/*.test.ts';
const LONG = 'test/long/**/*.test.ts';

/**
 * Files with a process of their own: those whose clients run in it, of which the garbage and the timers would be the next
 * file's, too; and what puts something else in place of what all share. All others share a process a worker, which imports
 * everything once: pure functions, the fake peer, and what runs in processes that the tests start.
 */
const ALONE: readonly string[] = [
  'test/{clients,faults,growth,playwright,puppeteer,support,testing,threads,workerd}/**/*.test.ts',
  'test/cli/look*.test.ts',
  'test/bench/measurements.test.ts',
  'test/handles/mutants.test.ts',
  'test/observe/{diagnostics,held-by-clients}.test.ts',
];

/** Whether a file of test/long is named on the command line, which is reason enough to run it. */
const namesLong = process.argv.some((argument) => argument.includes('test/long'));

// --expose-gc lets tests force the collections that FinalizationRegistry waits for.
const config: ViteUserConfigFnObject = defineConfig(({ mode }) => {
  // `npm test` has the mode `test`. Every other mode is one of the long tests: `long`, `soak`, `torture`.
  const isLong = mode !== 'test';
  const ofEach: TestUserConfig = {
    setupFiles: ['global-timers', 'refuse-wrong-moves', 'close-launched'].map(
      (name) => `test/support/${name}.ts`,
    ),
    pool: 'forks',
    // Tests that are about warnings listen to them; printed, they would stand among the results.
    execArgv: ['--expose-gc', '--no-warnings'],
    // Limits are for what never comes. What comes may take its time: on a busy machine that is ten times as long.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    teardownTimeout: 60_000,
    expect: { poll: { timeout: 60_000 } },
    env: {
      // See test/support/sized.ts.
      TEST_SIZE: isOfHours(mode) ? mode : isLong || namesLong ? 'whole' : 'least',
      ...(COVERAGE_OF_PROCESSES === undefined ? {} : { NODE_V8_COVERAGE: COVERAGE_OF_PROCESSES }),
    },
  };
  const shared = { name: 'shared', isolate: false, include: isLong ? [] : [ALL], exclude: [...ALONE, LONG] };
  const alone = { name: 'alone', include: isLong || namesLong ? [LONG] : [...ALONE] };
  return {
    test: {
      reporters: ['./test/support/reporter.ts'],
      globalSetup: ['test/support/browser-of-the-run.ts'],
      sequence: { sequencer: LongestFirst },
      // What a test prints is shown where it fails.
      silent: 'passed-only',
      // One more than the cores that are counted on: there is always one that waits for a browser.
      maxWorkers: 3,
      coverage: { include: ['src/**', 'bench/**/*.ts'], exclude: ['**/*.generated.ts', 'bench/micro/**'] },
      projects: [
        { test: { ...ofEach, ...shared } },
        { test: { ...ofEach, ...alone, benchmark: { include: [] } } },
      ],
    },
  };
});

export default config;
