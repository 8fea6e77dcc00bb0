// Everything that Puppeteer leaves behind in a page, counted three times: objects, by the page's own WeakRefs; ids, by
// asking the browser; handles, by the browser's heap snapshot. Plain, each operation leaks; attached, nothing is left once
// nobody holds it.
import type { Browser, ElementHandle, Page } from 'puppeteer-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { attached, sessionOf } from '../support/attached.ts';
import { Census } from '../support/census.ts';
import { launchChromium, PUPPETEERS_BY_SIZE } from '../support/chromium.ts';
import { collectUntil } from '../support/collect-until.ts';
import { heldForClients } from '../support/held-for-clients.ts';
import { IdCensus } from '../support/id-census.ts';
import { sized } from '../support/sized.ts';

interface Leak {
  readonly name: string;
  /** Once, before the first operation. */
  readonly prepare?: (page: Page) => unknown;
  /** Done over and over; gives nothing back, so nobody can hold what it minted. */
  readonly operation: (page: Page) => Promise<unknown>;
  /** Objects and ids that one operation leaves behind in plain Puppeteer. */
  readonly objects: number;
  readonly ids: number;
  /** Ids that Puppeteer keeps by right, however often it is done: its utilities, the document of the frame. */
  readonly cached: number;
  readonly times?: number;
}

/** Twice tells a leak from a cache. */
const TIMES = sized(3, 20);
const FEW_TIMES = sized(2, 4);

/** Waits until as many events as operations have come: they are not part of any answer. */
function countEvents(page: Page, event: 'console' | 'pageerror'): void {
  events.set(page, 0);
  page.on(event, () => events.set(page, (events.get(page) ?? 0) + 1));
}
const events = new WeakMap<Page, number>();

async function nextEvent(page: Page, act: () => Promise<unknown>): Promise<void> {
  const before = events.get(page);
  await act();
  await expect.poll(() => events.get(page), { interval: 1 }).not.toBe(before);
}

const LEAKS: readonly Leak[] = [
  {
    name: 'evaluateHandle that is never disposed',
    operation: async (page) => void (await page.evaluateHandle(() => mk())),
    objects: 1,
    ids: 1,
    cached: 0,
  },
  {
    name: 'evaluate that throws an object',
    operation: (page) =>
      page
        .evaluate(() => {
          throw mk();
        })
        .catch(() => {}),
    objects: 1,
    ids: 1,
    cached: 0,
  },
  {
    name: 'evaluate that throws an Error',
    operation: (page) =>
      page
        .evaluate(() => {
          throw Object.assign(new Error('thrown'), { object: mk() });
        })
        .catch(() => {}),
    objects: 1,
    ids: 2,
    cached: 0,
  },
  {
    name: 'evaluate that rejects',
    operation: (page) => page.evaluate(() => Promise.reject(mk())).catch(() => {}),
    objects: 1,
    ids: 1,
    cached: 0,
  },
  {
    name: 'console.log with a listener',
    prepare: (page) => countEvents(page, 'console'),
    operation: (page) => nextEvent(page, () => page.evaluate(() => console.log(mk(), mk()))),
    objects: 2,
    ids: 2,
    cached: 0,
  },
  {
    name: 'an uncaught error with a listener',
    prepare: (page) => countEvents(page, 'pageerror'),
    operation: (page) => nextEvent(page, () => page.evaluate('fail()')),
    objects: 1,
    ids: 1,
    cached: 0,
  },
  {
    name: 'the result of waitForFunction',
    operation: async (page) => void (await page.waitForFunction(() => mk())),
    objects: 1,
    ids: 1,
    cached: 1,
  },
  {
    name: 'a child from getProperty',
    operation: async (page) => {
      const parent = await page.evaluateHandle(() => ({ child: mk() }));
      await parent.getProperty('child');
      await parent.dispose();
    },
    objects: 1,
    ids: 1,
    cached: 0,
  },
  {
    name: 'a getter in getProperties',
    operation: async (page) => {
      const handle = await page.evaluateHandle(() => {
        const object = mk();
        return {
          get getter() {
            return object;
          },
        };
      });
      const properties = await handle.getProperties();
      await Promise.all([handle, ...properties.values()].map((each) => each.dispose()));
    },
    objects: 1,
    ids: 2,
    cached: 0,
  },
  {
    name: '$$ over 50 elements, each disposed',
    operation: async (page) => {
      const elements = await page.$$('p');
      expect(elements).toHaveLength(50);
      await Promise.all(elements.map((element) => element.dispose()));
    },
    times: FEW_TIMES,
    objects: 0,
    ids: 1,
    cached: 3,
  },
  {
    name: '$$eval',
    operation: (page) => page.$$eval('p', (elements) => elements.length),
    times: FEW_TIMES,
    objects: 0,
    ids: 1,
    cached: 3,
  },
  {
    name: 'a click through a locator',
    operation: (page) => page.locator('button').setTimeout(10_000).click(),
    times: FEW_TIMES,
    objects: 0,
    ids: 1,
    cached: 2,
  },
  {
    name: 'waitForSelector that times out',
    // Long enough for Puppeteer to have its poller in the page: one that comes after the timeout it never stops.
    operation: (page) => page.waitForSelector('nothing', { timeout: 1_000 }).catch(() => {}),
    times: 2,
    objects: 0,
    ids: 1,
    cached: 1,
  },
  {
    name: 'a query by ::-p-aria, disposed',
    operation: async (page) => {
      const element = await page.$('::-p-aria(push)');
      expect(element).not.toBeNull();
      await element?.dispose();
    },
    times: FEW_TIMES,
    objects: 0,
    ids: 1,
    cached: 3,
  },
  {
    name: 'hover beside boundingBox, disposed',
    operation: async (page) => {
      const element = (await page.$('button')) as ElementHandle;
      await Promise.all([element.hover(), element.boundingBox()]);
      await element.dispose();
    },
    times: FEW_TIMES,
    objects: 0,
    ids: 1,
    cached: 3,
  },
];

/** These leak by the same command and answer as one of the others. */
const LIKE_OTHERS = [
  'evaluate that throws an Error',
  'evaluate that rejects',
  '$$eval',
  'hover beside boundingBox, disposed',
];
const leaks = LEAKS.filter(({ name }) => sized(!LIKE_OTHERS.includes(name), true));

async function openPage(browser: Browser): Promise<Page> {
  const page = await browser.newPage();
  await page.setContent(`
    <script>
      function fail() {
        setTimeout(() => { throw Object.assign(new Error('uncaught'), { object: mk() }); });
      }
    </script>
    <button aria-label="push">push</button>
    ${'<p>paragraph</p>'.repeat(50)}`);
  return page;
}

async function repeat(page: Page, { operation, times = TIMES }: Leak): Promise<void> {
  for (let time = 0; time < times; time++) await operation(page);
}

/** The browser's own store of console messages and errors, apart from any handle; their handles go along. */
const discardEntries = (page: Page): Promise<unknown> =>
  sessionOf(page).send('Runtime.discardConsoleEntries');

describe.each(PUPPETEERS_BY_SIZE)('the leaks of $name', ({ puppeteer }) => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchChromium({}, puppeteer);
  });

  it.each(leaks)('$name: leaks plain, and leaves nothing attached', async (leak) => {
    const times = leak.times ?? TIMES;
    const plain = await openPage(browser);
    const leakedIds = new IdCensus(sessionOf(plain));
    const leakedObjects = await Census.open(plain);
    await leak.prepare?.(plain);
    await repeat(plain, leak);
    expect(await leakedIds.alive()).toBeGreaterThanOrEqual(leak.ids * times + leak.cached);
    // The second judge, once Puppeteer's last release has come through.
    const held = await heldForClients(plain);
    expect(held).toBe(await leakedIds.alive());
    expect(await leakedObjects.alive()).toBe(leak.objects * times);
    await plain.close();

    const page = await openPage(browser);
    const ids = new IdCensus(sessionOf(page));
    const objects = await Census.open(page);
    const releases = attached(browser);
    await leak.prepare?.(page);
    await repeat(page, leak);
    await collectUntil(() => releases.stats().live <= leak.cached);
    expect(await releases.flush()).toMatchObject({ complete: true, failed: 0, timedOut: 0, dropped: 0 });
    expect(await ids.alive()).toBe(releases.stats().live);
    const cached = await ids.alive();
    await discardEntries(page);
    expect(await objects.alive()).toBe(0);

    // What is left is the cache, for it does not grow.
    await repeat(page, leak);
    await collectUntil(() => releases.stats().live <= cached);
    await releases.flush();
    expect(await ids.alive()).toBe(cached);
    expect(await heldForClients(page)).toBe(cached);
    await discardEntries(page);
    expect(await objects.alive()).toBe(0);
    await page.close();
  });
});
