// A fixture that fails a test whose own lines leave handles on its page, and names these lines. What Playwright leaves
// behind by itself is released, and is not held against the test.
import { test as base, expect } from '@playwright/test';
import { attach } from 'cdp-release-batcher/playwright';

export { expect };

export const test = base.extend({
  noLeaks: [
    async ({ page }, use) => {
      const releases = attach(page, { traceLeaks: true });
      await use(releases);
      const left = releases
        .leaks()
        .filter(({ source, live, collected }) => source === 'script' && live + collected > 0)
        .map(({ line, kind, live, collected }) => `${live + collected} × ${kind}, asked for at ${line}`);
      releases.detach();
      expect(left, 'handles that were not disposed of').toEqual([]);
    },
    { auto: true },
  ],
});
