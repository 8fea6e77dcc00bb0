// Handles of elements that are forgotten, each the root of a large tree: Blink's heap holds these, and V8's next to nothing of them.
import { expect, it } from 'vitest';
import { runScript } from '../support/script.ts';

/** The more there are, the more it shows where each collection allows more than the last. */
const ROOTS = 1_000;

// In a process of its own: when V8 collects hangs on what else there is.
it('a script that forgets them has never 150 of them alive, and calls for nothing', async () => {
  const { stdout, ...rest } = await runScript(
    `
    import puppeteer from 'puppeteer-core';
    import { attach } from 'cdp-release-batcher/puppeteer';
    const browser = await puppeteer.launch(launchOptions);
    const page = await browser.newPage();
    const releases = attach(browser);
    let mostAlive = 0;
    for (let made = 0; made < ${ROOTS}; made++) {
      await page.evaluateHandle(() => {
        const table = document.createElement('table');
        table.innerHTML = '<tr><td>x</td><td>y</td></tr>'.repeat(500);
        return table;
      });
      mostAlive = Math.max(mostAlive, releases.stats().live);
    }
    console.log(JSON.stringify({ mostAlive, bytes: releases.stats().pageBytesPerHandle }));
    await browser.close();
    `,
    { timeoutMs: 120_000 },
  );
  expect(rest).toEqual({ code: 0, signal: null, stderr: '' });
  const { mostAlive, bytes } = JSON.parse(stdout);
  expect(mostAlive).toBeLessThan(150);
  expect(bytes).toBeGreaterThan(100_000);
}, 120_000);
