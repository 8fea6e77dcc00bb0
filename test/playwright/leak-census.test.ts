// Everything that Playwright leaves behind in a page, counted twice: objects, by the page's own WeakRefs, and ids, by asking
// the browser. Plain, much of it leaks; attached, nothing is left once nobody holds it.
import { isDeepStrictEqual } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import { expect, it } from 'vitest';
import type { AttachOptions } from '../../src/handles/attach-options.ts';
import { collectUntil } from '../support/collect-until.ts';
import {
  type Alive,
  attachedPlaywright,
  launchByPlaywright,
  openPage,
  PlaywrightCensus,
  WireIds,
} from '../support/playwright.ts';
import { sized } from '../support/sized.ts';

/** Twice tells a leak from what is kept once. */
const TIMES = sized(2, 3);

interface Row {
  readonly name: string;
  readonly prepare?: (page: Page) => unknown;
  /** Gives nothing back, so that nobody can hold what it minted. */
  readonly operation: (page: Page) => Promise<unknown>;
  /** Objects and ids that one operation leaves behind in plain Playwright. */
  readonly plain: readonly [objects: number, ids: number];
}

const ignore = () => {};
/** The page has rows only while the operation runs. */
const withRow =
  (operation: (page: Page) => Promise<unknown>, html?: string) =>
  async (page: Page): Promise<void> => {
    await page.evaluate((markup) => put(markup), html);
    await operation(page);
    await page.evaluate(() => clean());
  };
const startWorker = async (page: Page): Promise<void> => {
  const started = page.waitForEvent('worker');
  await page.evaluate(() => {
    const source = new Blob(['0'], { type: 'text/javascript' });
    Object.assign(globalThis, { worker: new Worker(URL.createObjectURL(source)) });
  });
  await started;
};
const addFrame = async (page: Page): Promise<void> => {
  const attached = page.waitForEvent('frameattached');
  await page.evaluate(() => document.documentElement.append(document.createElement('iframe')));
  await attached;
};
/** Nothing is awaited in between, so that it is one task of the page's. */
const BUTTON = '<button id="target" type="button">press</button>';

const ROWS: readonly Row[] = [
  { name: 'evaluateHandle, forgotten', operation: (page) => page.evaluateHandle(() => mk()), plain: [1, 1] },
  {
    name: 'evaluateHandle, disposed',
    operation: async (page) => (await page.evaluateHandle(() => mk())).dispose(),
    plain: [0, 0],
  },
  {
    name: 'evaluate that throws an Error',
    operation: (page) =>
      page
        .evaluate(() => {
          throw note(new Error('thrown'));
        })
        .catch(ignore),
    plain: [1, 2],
  },
  {
    name: 'evaluate that throws an object',
    operation: (page) =>
      page
        .evaluate(() => {
          throw mk();
        })
        .catch(ignore),
    plain: [1, 2],
  },
  {
    name: 'evaluate that rejects',
    operation: (page) => page.evaluate(() => Promise.reject(mk())).catch(ignore),
    plain: [1, 1],
  },
  {
    name: 'evaluateHandle that throws',
    operation: (page) =>
      page
        .evaluateHandle(() => {
          throw mk();
        })
        .catch(ignore),
    plain: [1, 2],
  },
  { name: '$, forgotten', operation: withRow((page) => page.$('.row')), plain: [1, 1] },
  { name: '$$, forgotten', operation: withRow((page) => page.$$('.row')), plain: [1, 2] },
  {
    name: '$$, all disposed',
    operation: withRow(async (page) => {
      for (const handle of await page.$$('.row')) await handle.dispose();
    }),
    plain: [0, 1],
  },
  {
    name: '$eval',
    operation: withRow((page) => page.$eval('.row', (row) => row.textContent)),
    plain: [0, 0],
  },
  { name: '$$eval', operation: withRow((page) => page.$$eval('.row', (rows) => rows.length)), plain: [0, 0] },
  {
    name: 'ElementHandle.evaluate, forgotten',
    operation: withRow(async (page) => (await page.$('.row'))?.evaluate((row) => row.textContent)),
    plain: [1, 1],
  },
  {
    name: 'ElementHandle.$, forgotten',
    operation: withRow(async (page) => (await page.$('.row'))?.$('b'), '<b>1</b>'),
    plain: [2, 2],
  },
  {
    name: 'getProperty, forgotten',
    operation: async (page) => {
      const handle = await page.evaluateHandle(() => ({ a: mk() }));
      await handle.getProperty('a');
      await handle.dispose();
    },
    plain: [1, 1],
  },
  {
    name: 'getProperties, all disposed',
    operation: async (page) => {
      const handle = await page.evaluateHandle(() => ({ a: mk() }));
      for (const property of (await handle.getProperties()).values()) await property.dispose();
      await handle.dispose();
    },
    plain: [0, 1],
  },
  {
    name: 'getProperties of a Map, all disposed',
    operation: async (page) => {
      const handle = await page.evaluateHandle(() => new Map([[1, mk()]]));
      for (const property of (await handle.getProperties()).values()) await property.dispose();
      await handle.dispose();
    },
    plain: [1, 2],
  },
  {
    name: 'jsonValue, disposed',
    operation: async (page) => {
      const handle = await page.evaluateHandle(() => mk());
      await handle.jsonValue();
      await handle.dispose();
    },
    plain: [0, 0],
  },
  {
    name: 'evaluate of a handle, disposed',
    operation: async (page) => {
      const handle = await page.evaluateHandle(() => mk());
      await page.evaluate((object) => object.big.length, handle);
      await handle.dispose();
    },
    plain: [0, 0],
  },
  {
    name: 'waitForFunction, forgotten',
    operation: (page) => page.waitForFunction(() => mk()),
    plain: [1, 1],
  },
  {
    name: 'waitForFunction that throws',
    operation: (page) =>
      page
        .waitForFunction(() => {
          throw mk();
        })
        .catch(ignore),
    plain: [1, 3],
  },
  {
    name: 'waitForSelector, forgotten',
    operation: withRow((page) => page.waitForSelector('.row')),
    plain: [1, 1],
  },
  {
    name: 'waitForSelector that times out',
    operation: (page) => page.waitForSelector('.none', { timeout: 20 }).catch(ignore),
    plain: [0, 0],
  },
  {
    name: 'locator.click',
    operation: withRow((page) => page.locator('#target').click(), BUTTON),
    plain: [0, 0],
  },
  {
    name: 'locator.hover',
    operation: withRow((page) => page.locator('#target').hover(), BUTTON),
    plain: [0, 0],
  },
  {
    name: 'getByRole',
    operation: withRow((page) => page.getByRole('button').click(), BUTTON),
    plain: [0, 0],
  },
  {
    name: 'locator.fill',
    operation: withRow((page) => page.locator('#target').fill('text'), '<input id="target">'),
    plain: [0, 0],
  },
  {
    name: 'locator.pressSequentially',
    operation: withRow((page) => page.locator('#target').pressSequentially('a'), '<input id="target">'),
    plain: [0, 0],
  },
  {
    name: 'locator.selectOption',
    operation: withRow(
      (page) => page.locator('#target').selectOption('b'),
      '<select id="target"><option>a</option><option>b</option></select>',
    ),
    plain: [0, 0],
  },
  {
    name: 'locator.setInputFiles',
    operation: withRow(
      (page) =>
        page
          .locator('#target')
          .setInputFiles({ name: 'a', mimeType: 'text/plain', buffer: Buffer.from('a') }),
      '<input id="target" type="file">',
    ),
    plain: [0, 0],
  },
  {
    name: 'locator.textContent',
    operation: withRow((page) => page.locator('.row').textContent()),
    plain: [0, 0],
  },
  {
    name: 'locator.isVisible',
    operation: withRow((page) => page.locator('.row').isVisible()),
    plain: [0, 0],
  },
  {
    name: 'locator.count',
    operation: withRow((page) => page.locator('.row:has-text("x")').count()),
    plain: [0, 0],
  },
  { name: 'locator.waitFor', operation: withRow((page) => page.locator('.row').waitFor()), plain: [0, 0] },
  {
    name: 'locator.boundingBox',
    operation: withRow((page) => page.locator('.row').boundingBox()),
    plain: [0, 0],
  },
  {
    name: 'locator.evaluate',
    operation: withRow((page) => page.locator('.row').evaluate((row) => row.textContent)),
    plain: [0, 0],
  },
  {
    name: 'locator.evaluate that throws',
    operation: withRow((page) =>
      page
        .locator('.row')
        .evaluate(() => {
          throw mk();
        })
        .catch(ignore),
    ),
    plain: [1, 2],
  },
  {
    name: 'locator.evaluateAll',
    operation: withRow((page) => page.locator('.row').evaluateAll((rows) => rows.length)),
    plain: [0, 0],
  },
  {
    name: 'locator.evaluateHandle, forgotten',
    operation: withRow((page) => page.locator('.row').evaluateHandle(() => mk())),
    plain: [1, 1],
  },
  {
    name: 'locator.elementHandles, forgotten',
    operation: withRow((page) => page.locator('.row').elementHandles()),
    plain: [1, 2],
  },
  {
    name: 'locator.screenshot',
    operation: withRow((page) => page.locator('.row').screenshot()),
    plain: [0, 0],
  },
  {
    name: 'frameLocator.click',
    operation: withRow(
      (page) => page.frameLocator('iframe.inner').locator('#target').click(),
      `<iframe class="inner" srcdoc='${BUTTON}'></iframe>`,
    ),
    plain: [0, 1],
  },
  {
    name: 'contentFrame, disposed',
    operation: withRow(async (page) => {
      const handle = await page.$('iframe.inner');
      await handle?.contentFrame();
      await handle?.dispose();
    }, '<iframe class="inner"></iframe>'),
    plain: [0, 0],
  },
  {
    name: "a frame's evaluateHandle, forgotten",
    prepare: addFrame,
    operation: async (page) => page.frames()[1]?.evaluateHandle('parent.mk()'),
    plain: [1, 1],
  },
  {
    name: "a worker's evaluateHandle, forgotten",
    prepare: startWorker,
    operation: async (page) => page.workers()[0]?.evaluateHandle(() => ({})),
    plain: [0, 1],
  },
  {
    name: 'addScriptTag, forgotten',
    operation: async (page) => {
      await page.addScriptTag({ content: 'note(document.currentScript)' });
      await page.evaluate(() => {
        for (const script of document.querySelectorAll('script')) script.remove();
      });
    },
    plain: [1, 1],
  },
  {
    name: 'a binding that is given a value',
    prepare: (page) => page.exposeFunction('given', ignore),
    operation: (page) => page.evaluate('given(mk())'),
    plain: [0, 0],
  },
  {
    name: 'a file chooser',
    operation: withRow(
      (page) => Promise.all([page.waitForEvent('filechooser'), page.locator('#target').click()]),
      '<input id="target" type="file">',
    ),
    plain: [2, 1],
  },
  {
    name: 'content and title',
    operation: (page) => Promise.all([page.content(), page.title()]),
    plain: [0, 0],
  },
];

/** What the browser's own store of console messages holds as well, the last thousand, apart from any handle. */
const STORED_ROWS: readonly Row[] = [
  {
    name: 'console.log, nobody listens',
    operation: (page) => page.evaluate(() => console.log(mk())),
    plain: [1, 1],
  },
  {
    name: 'console.log, the arguments are read',
    prepare: (page) =>
      page.on('console', (message) => {
        for (const argument of message.args()) argument.jsonValue().catch(ignore);
      }),
    operation: (page) =>
      Promise.all([page.waitForEvent('console'), page.evaluate(() => console.log(mk()))]).then(ignore),
    plain: [1, 1],
  },
  {
    name: 'an uncaught error',
    operation: (page) =>
      Promise.all([
        page.waitForEvent('pageerror'),
        page.evaluate(() => {
          setTimeout(() => {
            throw mk();
          });
        }),
      ]).then(ignore),
    plain: [1, 1],
  },
];

/** Does each row's operation a few times in one page, and gives what is there at the end to be counted. */
async function doAll(browser: Browser, rows: readonly Row[]) {
  const wire = new WireIds(browser);
  const page = await openPage(browser);
  await page.setContent('<!doctype html><body></body>');
  const census = await PlaywrightCensus.open(page);
  for (const { name, prepare, operation } of rows) {
    await prepare?.(page);
    await operation(page); // What Playwright keeps for good, it has from here on.
    await census.begin(name);
    wire.begin(name);
    for (let count = 0; count < TIMES; count++) await operation(page);
    wire.begin(undefined);
    await census.begin('');
  }
  return { census, wire };
}

async function whatIsLeft(rows: readonly Row[], options: AttachOptions, expectedIds: Alive) {
  const browser = await launchByPlaywright();
  const releases = attachedPlaywright(browser, browser, options);
  const { census, wire } = await doAll(browser, rows);
  let ids: Alive = {};
  await collectUntil(async () => {
    await releases.flush();
    ids = await wire.alive();
    return isDeepStrictEqual(ids, expectedIds);
  }).catch(ignore); // The comparison says more.
  return { ids, objects: await census.alive() };
}

it('leaves nothing of any operation in the page when attached', async () => {
  const left = await whatIsLeft([...ROWS, ...STORED_ROWS], { consoleEntries: 'discard' }, {});
  expect(left).toEqual({ ids: {}, objects: {} });
});

it("leaves no more than the browser's store of messages holds, and Playwright's own", async () => {
  const [first, second, third] = STORED_ROWS.map(({ name }) => name);
  // Playwright keeps the arguments of the last 200 messages of a page, for `page.consoleMessages()`.
  const kept = { [String(first)]: TIMES, [String(second)]: TIMES };
  const left = await whatIsLeft(STORED_ROWS, {}, kept);
  expect(left).toEqual({ ids: kept, objects: { ...kept, [String(third)]: TIMES } });
});

it('leaks by itself', async () => {
  const browser = await launchByPlaywright();
  const leaking = [...ROWS.filter(({ plain: [objects, ids] }) => objects + ids > 0), ...STORED_ROWS];
  const { census, wire } = await doAll(browser, leaking);
  const expected = (column: 0 | 1) =>
    Object.fromEntries(leaking.map(({ name, plain }) => [name, plain[column] * TIMES]).filter(([, n]) => n));
  expect(await census.alive()).toEqual(expected(0));
  expect(await wire.alive()).toEqual(expected(1));
});
