// The same by Puppeteer's build for browsers, which speaks by `chrome.debugger`, too. Nothing is disposed of here: what the script
// forgets is released when the garbage collector of the service worker has found it.
import { attach } from 'cdp-release-batcher/puppeteer';
import { connect, ExtensionTransport } from 'puppeteer-core/lib/puppeteer/puppeteer-core-browser.js';

chrome.action.onClicked.addListener(async ({ id: tabId }) => {
  const browser = await connect({ transport: await ExtensionTransport.connectTab(tabId) });
  const releases = attach(browser);
  const [page] = await browser.pages();

  const links = await page.$$('a[href]');
  const hrefs = await Promise.all(links.map((link) => link.evaluate((node) => node.href)));
  console.log(hrefs.join('\n'));

  await releases.flush();
  const { minted, released, live } = releases.stats();
  console.log(`${minted} remote objects, ${released} released, ${live} left`);
  await browser.disconnect();
});
