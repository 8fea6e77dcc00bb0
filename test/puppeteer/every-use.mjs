// Every way of Puppeteer's to mint, name and pass handles, each used once and what it mints forgotten at once, with a
// collection forced before every message. For a process of its own: in a small one a collection takes a few milliseconds.
import { fileURLToPath } from 'node:url';
import { attach } from 'cdp-release-batcher/puppeteer';

/** One use of everything that mints, names or passes handles; what it mints is forgotten at once. */
export const USES = {
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
  'what a handle says of itself': async (page) => {
    const handle = await page.evaluateHandle(() => ({ answer: 42 }));
    return [handle.toString(), handle.asElement(), await handle.jsonValue()];
  },
  'a handle moved out of a using': async (page) => {
    const handle = await page.evaluateHandle(() => ({ answer: 42 }));
    handle.move()[Symbol.dispose]();
  },
  'an element by its kind': async (page) =>
    (await (await page.$('p')).toElement('p')).evaluate((p) => p.tagName),
  'an element as a locator': async (page) => (await page.$('p')).asLocator().wait(),
  'a locator that filters and maps': (page) =>
    page
      .locator('p')
      .filter((p) => p.textContent === 'one')
      .map((p) => p.textContent)
      .wait(),
  'a locator that fills': (page) => page.locator('input[type=text]').fill('filled'),
  'a locator that scrolls': (page) => page.locator('#outer').scroll({ scrollTop: 1 }),
  'locators in a race': (page) =>
    Promise.any([page.locator('p').waitHandle(), page.locator('::-p-text(three)').waitHandle()]),
  'a selector that waits to be hidden': async (page) =>
    (await page.$('#outer')).waitForSelector('b', { hidden: true }),
  'a selector that times out': (page) => page.waitForSelector('no-such', { timeout: 1 }).catch(() => {}),
  'a shadow root': async (page) => (await page.$('#outer >>> p'))?.isHidden(),
  'a selector of the script': async (page) =>
    (await page.$$('p ::-p-text(o)')).map((p) => p.remoteObject().subtype),
  'scrolling into view': async (page) => (await page.$('select'))?.scrollIntoView(),
  'a point to click': async (page) => (await page.$('button'))?.clickablePoint(),
  'an accessible tree': async (page) => page.accessibility.snapshot({ root: await page.$('#outer') }),
  'a node by its backend': async (page) => (await page.$('p'))?.backendNodeId(),
  'objects by their prototype': async (page) => {
    const prototype = await page.evaluateHandle(() => Map.prototype);
    return (await page.queryObjects(prototype)).evaluate((maps) => maps.length);
  },
  'script and style tags': async (page) => {
    const tag = await page.addScriptTag({ content: '1' });
    await tag.evaluate((script) => script.remove());
    return (await page.addStyleTag({ content: 'b {}' })).evaluate((style) => style.remove());
  },
  'console arguments': async (page) => {
    const logged = new Promise((resolve) => page.once('console', resolve));
    await page.evaluate(() => console.log({ answer: 42 }, [1]));
    return Promise.all((await logged).args().map((argument) => argument.jsonValue()));
  },
  'a getter that throws': (page) =>
    page
      .evaluate(() => {
        throw Object.defineProperty({}, 'message', {
          get() {
            throw new Error('get');
          },
        });
      })
      .catch(() => {}),
  'an argument of a frame': async (page) => {
    const frame = page.frames()[1];
    const handle = await frame.evaluateHandle(() => ({ answer: 42 }));
    return frame.evaluate(({ answer }) => answer, handle);
  },
  'a frame’s document': async (page) =>
    (await page.frames()[1].evaluateHandle(() => document)).evaluate((node) => node.URL),
  'an argument of a worker that is busy': async (page) => {
    const worker = page.workers()[0];
    const { client } = worker;
    const handle = await worker.evaluateHandle(() => ({ answer: 42 }));
    // Longer than the collections take that are forced meanwhile: what comes early must come before its end.
    const busy = client.send('Runtime.evaluate', {
      expression: 'for (const end = Date.now() + 250; Date.now() < end; );',
    });
    const asked = client.send('Runtime.callFunctionOn', {
      objectId: handle.remoteObject().objectId,
      functionDeclaration: 'function () { return this.answer; }',
      returnByValue: true,
    });
    // The call waits for its turn. A release would not: it interrupts. Asked for the heap, what is dropped is released first.
    const [{ result }] = await Promise.all([
      asked,
      busy,
      handle.dispose(),
      client.send('Runtime.getHeapUsage'),
    ]);
    if (result.value !== 42) throw new Error(`answered ${result.value}`);
  },
  'properties of a worker’s object': async (page) => {
    const handle = await page.workers()[0].evaluateHandle(() => ({ a: {}, b: [] }));
    return Promise.all([...(await handle.getProperties()).values()].map((each) => each.jsonValue()));
  },
  'an argument on its way into a document where Puppeteer may have to be installed': async (page) => {
    const isVisible = async () =>
      (await page.mainFrame().isolatedRealm().evaluateHandle('document.body')).isVisible();
    let isOver = false;
    const asked = isVisible().finally(() => {
      isOver = true;
    });
    // What is found collected meanwhile is released at once.
    const looking = async () => {
      while (!isOver) await page._client().send('Runtime.getHeapUsage');
    };
    await Promise.all([asked, looking()]);
  },
  'a handle that comes while the heap is looked at': async (page) => {
    const session = page._client();
    const make = () => session.send('Runtime.evaluate', { expression: '({ answer: 42 })' });
    const { result: before } = await make();
    const coming = make();
    // Whatever else was minted with it is dropped: only what is on its way is to live.
    const dropped = session.send('Runtime.releaseObject', { objectId: before.objectId });
    const [{ result }] = await Promise.all([coming, dropped, session.send('Runtime.getHeapUsage')]);
    const { objectId } = result;
    const asked = await session.send('Runtime.callFunctionOn', {
      objectId,
      functionDeclaration: 'function () { return this.answer; }',
      returnByValue: true,
    });
    if (asked.result.value !== 42) throw new Error(`answered ${asked.result.value}`);
    await session.send('Runtime.releaseObject', { objectId: result.objectId });
  },
  'an exposed function': (page) => page.evaluate('exposed({ argument: {} })'),
};

/** Others mint, name and pass handles by the same commands. */
export const LIKE_OTHERS = [
  ...['$$eval', 'text', 'aria, all', 'hover', 'type', 'select', 'focus', 'screenshot'],
  ...['a locator that fills', 'a locator that scrolls', 'locators in a race', 'an element as a locator'],
  ...['a selector that waits to be hidden', 'a shadow root', 'a selector of the script'],
  ...['scrolling into view', 'a point to click', 'what a handle says of itself'],
];

/** What needs the mouse, the focus or the screen gets in each other's way. */
export const POINTED_USES = Object.entries(USES).filter(([name]) =>
  [
    'click',
    'hover',
    'locator',
    'type',
    'focus',
    'screenshot',
    'a locator that fills',
    'a locator that scrolls',
  ].includes(name),
);
/** What can be done side by side. */
export const OTHER_USES = Object.entries(USES).filter(
  (use) => !POINTED_USES.some(([name]) => name === use[0]),
);

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

/** Uses everything so often, one after another or side by side. */
export async function useEverything(browser, url, rounds, isParallel) {
  const page = await browser.newPage();
  // Collections take most of the time, and it may be shared with others: what is slow has not failed.
  page.setDefaultTimeout(200_000);
  await page.goto(url);
  await page.exposeFunction('exposed', (argument) => argument);
  const releases = attach(browser);
  const created = new Promise((resolve) => page.once('workercreated', resolve));
  await page.evaluate('void (globalThis.worker = new Worker("/worker.js"))');
  await created;
  const watched = collectBeforeEveryMessage(page._client().connection());
  const failed = [];
  const use = ([name, run]) => run(page).catch((error) => failed.push(`${name}: ${error.message}`));
  for (let round = 0; round < rounds; round++) {
    if (isParallel) await Promise.all(OTHER_USES.map(use));
    else for (const entry of Object.entries(USES)) await use(entry);
  }
  // A collection may come in between, and drop some more.
  do await releases.flush();
  while (releases.stats().queued + releases.stats().inFlight > 0);
  return { ...watched, failed, stats: releases.stats() };
}
