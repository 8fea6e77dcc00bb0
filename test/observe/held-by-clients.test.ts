// What a browser holds for its clients is counted handle by handle, by a session that nobody else has; nothing is
// invented, and a second look finds the page as the first one found it.
import type { Browser, CDPSession, Page } from 'puppeteer-core';
import { beforeAll, expect, it } from 'vitest';
import { type HeapLook, type LookSession, lookAtHeap } from '../../src/observe/heap-look.ts';
import { launchChromium, openPage } from '../support/chromium.ts';
import { openSite } from '../support/site.ts';

const LIMITS = { maxHeapBytes: 512e6, timeoutMs: 60_000 };

let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
});

async function look(...pages: readonly [Page, ...Page[]]): Promise<HeapLook> {
  const open = (page: Page): Promise<CDPSession> => page.createCDPSession();
  const [first, ...others] = pages;
  const sessions: [CDPSession, ...CDPSession[]] = [
    await open(first),
    ...(await Promise.all(others.map(open))),
  ];
  const looked = await lookAtHeap(sessions, LIMITS);
  await Promise.all(sessions.map((session) => session.detach()));
  return looked;
}

async function times(count: number, act: () => Promise<unknown>): Promise<void> {
  for (let time = 0; time < count; time++) await act();
}

it('counts a page without clients as empty', async () => {
  const page = await openPage(browser);
  expect((await look(page)).targets).toMatchObject([
    { held: 0, heldByConsole: 0, classes: {}, retainedBytes: 0 },
  ]);
});

it('counts every handle, by class, and what the console holds apart', async () => {
  const page = await openPage(browser);
  await times(10, () => page.evaluateHandle(() => ({ mine: true })));
  await times(5, () =>
    page.evaluateHandle(() => Object.assign(document.createElement('div'), { className: 'a b' })),
  );
  await times(4, () => page.evaluateHandle(() => new (class Order {})()));
  await page.evaluateHandle(() => () => {});
  await page.evaluateHandle(() => Symbol('s'));
  await page.evaluateHandle(() => /x/);
  await page.evaluateHandle(() => new Proxy({}, {}));
  await page.evaluateHandle(() => window);
  // Under two ids: as the result, and as the exception.
  await times(3, () => page.evaluate(() => Promise.reject(new TypeError('thrown'))).catch(() => {}));
  await times(3, () =>
    page
      .evaluate(() => {
        throw new Error('thrown');
      })
      .catch(() => {}),
  );
  await page.evaluate(() => {
    for (let index = 0; index < 7; index++) console.log({ index }, 'text', 1.5, 10n);
  });
  const { targets, pauseMs } = await look(page);
  expect(targets).toMatchObject([
    {
      heldByConsole: 7,
      classes: {
        Object: 17,
        '<div>': 5,
        Order: 4,
        Function: 1,
        Symbol: 1,
        RegExp: 1,
        Proxy: 1,
        Window: 1,
        Error: 6,
        TypeError: 3,
      },
    },
  ]);
  expect(pauseMs).toBeGreaterThan(0);
  expect((await look(page)).targets[0]).toMatchObject({
    held: targets[0]?.held,
    classes: targets[0]?.classes,
  });
});

it('tells how much of the heap only they keep alive', async () => {
  const page = await openPage(browser);
  await page.evaluate('globalThis.own = { numbers: new Array(500_000).fill(1.5) }');
  await page.evaluateHandle('own');
  await page.evaluateHandle(() => ({ numbers: new Array(250_000).fill(1.5) }));
  await page.evaluate(() => console.log({ numbers: new Array(125_000).fill(1.5) }));
  const [{ retainedBytes = 0, retainedByConsoleBytes = 0, heapBytes = 0 } = {}] = (await look(page)).targets;
  expect(Math.round(retainedByConsoleBytes / 1e5)).toBe(10);
  expect(Math.round((retainedBytes - retainedByConsoleBytes) / 1e5)).toBe(20);
  expect(heapBytes).toBeGreaterThan(7e6); // What the page keeps itself is in the heap alone.
});

it('tells apart the pages that share a heap', async () => {
  await using site = await openSite();
  const page = await openPage(browser);
  await page.goto(`${site.here}/opener`);
  const [popup] = await Promise.all([
    new Promise<Page>((resolve) => page.once('popup', (opened) => resolve(opened as Page))),
    page.evaluate(() => void window.open('/popup')),
  ]);
  await times(6, () => page.evaluateHandle(() => ({})));
  await times(4, () => popup.evaluateHandle(() => new Map()));
  await popup.evaluate(() => console.log(new Set()));
  const { targets } = await look(page, popup);
  expect(targets).toMatchObject([
    { held: 6, heldByConsole: 0, classes: { Object: 6 } },
    { held: 5, heldByConsole: 1, classes: { Map: 4, Set: 1 } },
  ]);
  await popup.close();
});

it('does not take the errors that a client got for those that the console stored', async () => {
  const page = await openPage(browser);
  const seen = new Promise((resolve) => page.once('pageerror', resolve));
  await page.setContent('<script>setTimeout(() => { throw new RangeError("uncaught"); })</script>');
  await seen;
  expect((await look(page)).targets).toMatchObject([
    { held: 1, heldByConsole: 0, classes: { RangeError: 1 } },
  ]);
});

it('leaves a heap alone that is larger than allowed', async () => {
  const session = await (await openPage(browser)).createCDPSession();
  await expect(lookAtHeap([session], { ...LIMITS, maxHeapBytes: 1_000 })).rejects.toThrow(
    /^its heap of \d+ MB is larger than 0 MB$/,
  );
});

it('gives up on a page that hangs', async () => {
  const page = await browser.newPage();
  const session = await page.createCDPSession();
  await page.evaluate(
    () =>
      void setTimeout(() => {
        for (;;);
      }),
  );
  await expect(lookAtHeap([session], { ...LIMITS, timeoutMs: 200 })).rejects.toThrow(
    'it gave no sign of life for 0.2 s',
  );
  await page.close();
});

it('says that a snapshot was cut off', async () => {
  const listeners = new Map<string, (params: unknown) => void>();
  const session: LookSession = {
    async send(method) {
      if (method === 'Runtime.getHeapUsage') return { usedSize: 1e6 };
      if (method === 'HeapProfiler.takeHeapSnapshot') {
        listeners.get('HeapProfiler.addHeapSnapshotChunk')?.({ chunk: '{"snapshot":{' });
      }
      return {};
    },
    on: (event, listener) => listeners.set(event, listener),
    off: (event) => listeners.delete(event),
  };
  await expect(lookAtHeap([session], LIMITS)).rejects.toThrow('its text ended in the section "header"');
});
