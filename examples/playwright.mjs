// Playwright, for scripts that speak the protocol by a CDPSession. With `track`, the RemoteObject is what has to be
// held. Playwright's own JSHandles are not covered: dispose of these by hand.
import { attach } from 'cdp-release-batcher/playwright';
import { chromium } from 'playwright-core';
import { launch } from './launch.mjs';

const launched = await launch();
const browser = await chromium.connectOverCDP(launched.wsEndpoint());
const [context] = browser.contexts();
const page = await context.newPage();
await page.setContent(`<table>${'<tr><td class="price">5 €</td></tr>'.repeat(500)}</table>`);

const session = await context.newCDPSession(page);
const releases = attach(session, { track: true });

// A generation of objects that dies at the end of the scope, by one command.
const prices = await releases.scope(async () => {
  const { result: list } = await session.send('Runtime.evaluate', {
    expression: `[...document.querySelectorAll('td.price')]`,
  });
  const { result } = await session.send('Runtime.getProperties', {
    objectId: list.objectId,
    ownProperties: true,
  });
  const cells = result.filter(({ name }) => /^\d+$/.test(name));
  return Promise.all(
    cells.map(async ({ value }) => {
      const { result } = await session.send('Runtime.callFunctionOn', {
        objectId: value.objectId,
        functionDeclaration: 'function () { return this.textContent; }',
        returnByValue: true,
      });
      return result.value;
    }),
  );
});
await releases.flush();

const { minted, live, commands } = releases.stats();
console.log(`${prices.length} prices read by ${minted} remote objects, which ${commands} commands released`);
process.exitCode = prices.length === 500 && live === 0 && commands < 50 ? 0 : 1;

releases.detach();
await browser.close();
await launched.close();
