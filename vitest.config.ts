import { defineConfig, type ViteUserConfig } from 'vitest/config';

const { COVERAGE_OF_PROCESSES } = process.env; // Set by scripts/coverage.mjs: where V8 is to write what was run.

// Every browser test launches a Chromium of its own, so files run one per core at most;
// --expose-gc lets tests force the collections that FinalizationRegistry waits for.
const config: ViteUserConfig = defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    execArgv: ['--expose-gc'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    teardownTimeout: 20_000,
    // A condition that is waited for comes in its own time: on a busy machine that is more than a second.
    expect: { poll: { timeout: 20_000 } },
    env: COVERAGE_OF_PROCESSES === undefined ? {} : { NODE_V8_COVERAGE: COVERAGE_OF_PROCESSES },
    coverage: { include: ['src/**'], exclude: ['**/*.generated.ts'] },
  },
});

export default config;
