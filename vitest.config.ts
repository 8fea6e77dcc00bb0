import { defineConfig, type ViteUserConfig } from 'vitest/config';

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
    coverage: { include: ['src/**'], exclude: ['**/*.generated.ts'], reporter: ['text', 'html'] },
  },
});

export default config;
