// A script that forgets few handles ends before a collection is worth its cost: the report says that this is why none were
// released.
import { expect, it } from 'vitest';
import { runScript } from '../support/script.ts';

const TOO_FEW = ' (too few for a collection; see docs/page-memory.md)';

async function reportOf(work: string): Promise<string> {
  const script = `
    import { attach } from 'cdp-release-batcher/puppeteer';
    import puppeteer from 'puppeteer-core';
    const browser = await puppeteer.launch(launchOptions);
    const page = await browser.newPage();
    for (let time = 0; time < 20; time++) await page.evaluateHandle(() => ({}));
    ${work}
    await browser.close();`;
  const execArgv = ['--import', 'cdp-release-batcher/register'];
  const { stderr } = await runScript(script, { execArgv, env: { CDP_RELEASE_BATCHER: 'report' } });
  return stderr;
}

it('says so where none were released', async () => {
  const report = await reportOf('');
  expect(report).toMatch(
    /^cdp-release-batcher: attached to 1 browser of puppeteer-core [\d.]+: \d+ handles, /,
  );
  expect(report).toMatch(/\d+ gone with their page \(/);
  expect(report).toContain(TOO_FEW);
});

it('does not say so where one was released', async () => {
  const report = await reportOf(`
    await (await page.evaluateHandle(() => ({}))).dispose();
    await attach(browser).flush();`);
  expect(report).toMatch(/1 released by 1 command, \d+ gone with their page\.$/m);
});
