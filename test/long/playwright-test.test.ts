// `@playwright/test`: an unchanged suite is attached by `register`, with the same results and nothing printed; and the
// fixture of examples/playwright-test fails the tests that leave handles.
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { playwrightLaunchOptions } from '../support/playwright.ts';
import { type ProcessRun, runNode } from '../support/processes.ts';
import { PACKAGE } from '../support/script.ts';

const CLI = join(PACKAGE, 'node_modules/@playwright/test/cli.js');
const REGISTER = join(PACKAGE, 'dist/clients/puppeteer/register.js');

/** Runs the tests of a folder by the example's configuration, with the browser that is here. */
async function runPlaywrightTest(folder: string, env: Record<string, string>): Promise<ProcessRun> {
  const output = await mkdtemp(join(tmpdir(), 'playwright-results-'));
  onTestFinished(() => rm(output, { recursive: true, force: true }));
  const here = { testDir: folder, workers: 3, outputDir: join(output, 'results') };
  const launchOptions = JSON.stringify(await playwrightLaunchOptions());
  const config = join(output, 'playwright.config.mjs');
  await writeFile(
    config,
    `import example from ${JSON.stringify(join(PACKAGE, 'examples/playwright-test/playwright.config.mjs'))};
    export default { ...example, ...${JSON.stringify(here)}, use: { ...example.use, launchOptions: ${launchOptions} } };`,
  );
  return runNode([CLI, 'test', '--config', config, '--reporter', 'list'], {
    cwd: folder,
    env: { NO_COLOR: '1', CI: '1', ...env },
    timeoutMs: 110_000,
  });
}

/** Fifty tests of what a suite does, one of which fails. */
const SUITE = `
  import { expect, test } from '@playwright/test';
  for (let index = 0; index < 50; index++) {
    test('number ' + index, async ({ page }) => {
      await page.setContent('<ul><li>a</li><li>b</li></ul><input>');
      await page.locator('input').fill('text ' + index);
      await page.evaluateHandle(() => ({}));
      await page.$$('li');
      await page.evaluate(() => { throw new Error('thrown'); }).catch(() => {});
      await page.locator('li').first().click();
      await expect(page.locator('li')).toHaveText(['a', 'b']);
      expect(index).not.toBe(17);
    });
  }
`;

/** Each test's outcome; how long it took, and which worker had it, is not compared. */
const outcomes = ({ stdout }: ProcessRun): string[] =>
  [...stdout.matchAll(/^ *(✓|✘|ok|x|-) +\d+ (?:.* › )?(number \d+)/gm)]
    .map(([, mark, name]) => `${name} ${mark}`)
    .sort();

it('a suite of 50 tests has the same results attached by register, and nothing is printed', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'playwright-suite-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await symlink(join(PACKAGE, 'node_modules'), join(folder, 'node_modules'));
  await writeFile(join(folder, 'fifty.spec.mjs'), SUITE);
  const plain = await runPlaywrightTest(folder, {});
  const attached = await runPlaywrightTest(folder, { NODE_OPTIONS: `--import ${REGISTER}` });
  expect(outcomes(plain)).toHaveLength(50);
  expect(outcomes(attached)).toEqual(outcomes(plain));
  expect(attached.stdout).toContain('49 passed');
  expect(attached).toMatchObject({ code: plain.code, stderr: plain.stderr });
});

it.each([
  ['attached by itself', {}],
  [
    'attached by register, which is to trace',
    { NODE_OPTIONS: `--import ${REGISTER}`, CDP_RELEASE_BATCHER: 'traceLeaks=true' },
  ],
])('the fixture of the example fails a test that leaves handles, %s', async (_, env) => {
  const run = await runPlaywrightTest(join(PACKAGE, 'examples/playwright-test'), env);
  expect(run, run.stdout).toMatchObject({ code: 0 });
  expect(run.stdout).toContain('3 passed');
});
