// However mad the collector is driven, nothing that a script of Playwright's holds is taken early: a collection before each
// answer. `npm run torture` does 100,000 operations, `npm run test:long` 2,500, which take a minute and more; each process
// and its browser has as many.
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { playwrightLaunchOptions } from '../../support/playwright.ts';
import { runNode } from '../../support/processes.ts';
import { PACKAGE } from '../../support/script.ts';
import { runs } from '../../support/sized.ts';

const IN_A_RUN = 2_500;
const OPERATIONS = runs('torture') ? 100_000 : IN_A_RUN;
const TIMEOUT_MS = 1_700_000;
const COLLECTING = join(PACKAGE, 'test/playwright/collecting.mjs');

it(
  `whatever is held, or named by a call, lives through forced collections, in ${OPERATIONS} operations`,
  async () => {
    for (let run = 0; run < OPERATIONS / IN_A_RUN; run++) {
      const { stdout, stderr, code } = await runNode(['--expose-gc', COLLECTING, String(IN_A_RUN)], {
        cwd: PACKAGE,
        env: {
          TEST_LAUNCH_OPTIONS: JSON.stringify(await playwrightLaunchOptions()),
          SEED: String(20_261_128 + run),
        },
        timeoutMs: TIMEOUT_MS,
      });
      expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
      const { results, failures, answers, collections, collected } = JSON.parse(stdout);
      if (OPERATIONS > IN_A_RUN) {
        process.stderr.write(
          `${(run + 1) * IN_A_RUN} operations: the last ${IN_A_RUN} with ${answers} answers, ${collections} collections, ${collected} handles collected\n`,
        );
      }
      expect(failures).toEqual([]);
      expect(new Set(Object.values(results))).toEqual(new Set(['right']));
      expect(collected).toBeGreaterThan(IN_A_RUN / 4);
    }
  },
  (TIMEOUT_MS * OPERATIONS) / IN_A_RUN,
);
