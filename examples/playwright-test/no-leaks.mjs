// A fixture that fails a test whose own lines leave handles on its page, and names these lines. What Playwright leaves
// behind by itself is released, and is not held against the test.
//
// With `register` the browser is attached already, once for all tests of a worker, and decides the options:
// CDP_RELEASE_BATCHER=traceLeaks=true has it trace. So what was there before the test does not count.
import { test as base, expect } from '@playwright/test';
import { attach } from 'cdp-release-batcher/playwright';

export { expect };

/** How many handles each line has left, by line and kind. */
function leftBy(releases) {
  return new Map(
    releases
      .leaks()
      .filter(({ source }) => source === 'script')
      .map(({ line, kind, live, collected }) => [`${kind}, asked for at ${line}`, live + collected]),
  );
}

export const test = base.extend({
  noLeaks: [
    async ({ page }, use) => {
      const releases = attach(page, { traceLeaks: true });
      const before = leftBy(releases);
      await use(releases);
      const left = [...leftBy(releases)]
        .map(([what, count]) => [what, count - (before.get(what) ?? 0)])
        .filter(([, count]) => count > 0)
        .map(([what, count]) => `${count} × ${what}`);
      releases.detach();
      expect(left, 'handles that were not disposed of').toEqual([]);
    },
    { auto: true },
  ],
});
