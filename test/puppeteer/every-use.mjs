// Every way of Puppeteer's to mint, name and pass handles, each used once and what it mints forgotten at once, with a
// collection forced before every message. A script of its own: in a small process a collection takes a few milliseconds.
import { fileURLToPath } from 'node:url';
import { attach } from 'cdp-release-batcher/puppeteer';

/** One use of everything that mints, names or passes handles; what it mints is forgotten at once. */
const USES = {
  $: async (page) => (await page.$('#outer'))?.$('p'),
  $$: async (page) => Promise.all((await page.$$('p')).map((p) => p.evaluate((node) => node.textContent))),
  $eval: async (page) => (await page.$('#outer'))?.$eval('p', (node) => node.textContent),
  $$eval: async (page) => (await page.$('#outer'))?.$$eval('p', (nodes) => nodes.length),
  xpath: async (page) => (await page.$('::-p-xpath(//p)'))?.evaluate((node) => node.tagName),
  text: async (page) => (await page.$('::-p-text(two)'))?.evaluate((node) => node.tagName),
  aria: async (page) => (await page.$('::-p-aria(push)'))?.evaluate((node) => node.tagName),
  'aria, all': async (page) =>
    Promise.all((await page.$$('::-p-aria([role="button"])')).map((button) => button.isVisible())),
  'waitForSelector in an element': async (page) => (await page.$('#outer'))?.waitForSelector('p'),
  waitForSelector: async (page) => (await page.waitForSelector('p', { visible: true }))?.boundingBox(),
  waitForFunction: async (page) => {
    const element = await page.waitForFunction('document.querySelector("p")');
    return page.waitForFunction((node) => node, {}, element);
  },
  locator: (page) => page.locator('button').click(),
  'a locator that waits': (page) => page.locator('p').waitHandle(),
  click: async (page) => (await page.$('button'))?.click(),
  hover: async (page) => (await page.$('button'))?.hover(),
  type: async (page) => (await page.$('input'))?.type('a'),
  select: (page) => page.select('select', 'b'),
  focus: async (page) => (await page.$('input'))?.focus(),
  'boxes and visibility': async (page) => {
    const element = await page.$('button');
    return Promise.all([element.boxModel(), element.isVisible(), element.isIntersectingViewport()]);
  },
  screenshot: async (page) => (await page.$('button'))?.screenshot(),
  upload: async (page) => (await page.$('input[type=file]')).uploadFile(fileURLToPath(import.meta.url)),
  'the frame of an element': async (page) => (await (await page.$('iframe'))?.contentFrame())?.$('p'),
  'the element of a frame': async (page) => page.frames()[1]?.frameElement(),
  'a query in a frame': async (page) =>
    (await page.frames()[1]?.waitForSelector('p'))?.evaluate((node) => node.textContent),
  arguments: async (page) => {
    const make = () => page.evaluateHandle(() => ({ answer: 42 }));
    return page.evaluate((one, other) => one === other, await make(), await make());
  },
  'a handle of a handle': async (page) => {
    const parent = await page.evaluateHandle(() => ({ child: { leaf: {} } }));
    return (await (await parent.getProperty('child')).getProperty('leaf')).jsonValue();
  },
  properties: async (page) => {
    const list = await page.evaluateHandle(() => [{}, () => {}, Symbol('s'), document.body]);
    return Promise.all(
      [...(await list.getProperties()).values()].map((each) => each.evaluate((value) => typeof value)),
    );
  },
  'a handle that only the running call names': async (page) =>
    (await page.evaluateHandle(() => ({ answer: 42 }))).evaluate(
      (object) => new Promise((resolve) => setTimeout(() => resolve(object.answer), 1)),
    ),
  exceptions: (page) => page.evaluate(() => Promise.reject(new Error('on purpose'))).catch(() => {}),
  worker: async (page) => {
    const worker = page.workers()[0];
    return (await worker.evaluateHandle(() => ({ answer: 42 }))).evaluate((object) => object.answer);
  },
  'a disposed handle': async (page) => (await page.$('p'))?.dispose(),
  'an exposed function': (page) => page.evaluate('exposed({ argument: {} })'),
};

/** Collects garbage before each command is sent: what is found is dropped while the command is on its way. */
export function collectBeforeEveryMessage(connection) {
  const watched = { messages: 0, early: [] };
  const send = connection._rawSend;
  connection._rawSend = (callbacks, method, params, ...rest) => {
    watched.messages++;
    globalThis.gc();
    return send.call(connection, callbacks, method, params, ...rest).catch((error) => {
      // Releases may name what is gone: it is gone either way.
      if (/Could not find object with given id/.test(error.message) && !method.includes('release')) {
        watched.early.push(`${method} ${JSON.stringify(params)}`);
      }
      throw error;
    });
  };
  return watched;
}

/** Uses everything once at least and then for so long, one after another or side by side. */
export async function useEverything(browser, url, forMs, isParallel) {
  const page = await browser.newPage();
  await page.goto(url);
  await page.exposeFunction('exposed', (argument) => argument);
  const releases = attach(browser);
  const created = new Promise((resolve) => page.once('workercreated', resolve));
  await page.evaluate('void (globalThis.worker = new Worker("/worker.js"))');
  await created;
  const watched = collectBeforeEveryMessage(page._client().connection());
  const failed = [];
  const use = ([name, run]) => run(page).catch((error) => failed.push(`${name}: ${error.message}`));
  // What needs the mouse, the focus or the screen would get in each other's way.
  const { click, hover, locator, type, focus, screenshot, ...others } = USES;
  const deadline = performance.now() + forMs;
  do {
    if (isParallel) await Promise.all(Object.entries(others).map(use));
    else for (const entry of Object.entries(USES)) await use(entry);
  } while (performance.now() < deadline);
  // A collection may come in between, and drop some more.
  do await releases.flush();
  while (releases.stats().queued + releases.stats().inFlight > 0);
  return { ...watched, failed, stats: releases.stats() };
}
