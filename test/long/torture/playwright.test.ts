// However mad the collector is driven, nothing that a script of Playwright's holds is taken early. `npm run torture` does
// 100,000 operations, `npm run test:long` 10,000; a process and a browser for each 2,500.
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { playwrightLaunchOptions } from '../../support/playwright.ts';
import { runNode } from '../../support/processes.ts';
import { PACKAGE } from '../../support/script.ts';

const OPERATIONS = process.env.MODE === 'torture' ? 100_000 : 10_000;
const IN_A_RUN = 2_500;
const TIMEOUT_MS = 1_700_000;
const COLLECTING = join(PACKAGE, 'test/playwright/collecting.mjs');

it(
  'whatever is held, or named by a call, lives through forced collections',
  async () => {
    for (let run = 0; run < OPERATIONS / IN_A_RUN; run++) {
      const { stdout, stderr, code } = await runNode(['--expose-gc', COLLECTING, String(IN_A_RUN), '64'], {
        cwd: PACKAGE,
        env: {
          TEST_LAUNCH_OPTIONS: JSON.stringify(await playwrightLaunchOptions()),
          SEED: String(20_261_128 + run),
        },
        timeoutMs: TIMEOUT_MS,
      });
      expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
      const { results, failures, hasCollected } = JSON.parse(stdout);
      expect(failures).toEqual([]);
      expect(new Set(Object.values(results))).toEqual(new Set(['right']));
      expect(hasCollected).toBe(true);
    }
  },
  (TIMEOUT_MS * OPERATIONS) / IN_A_RUN,
);
