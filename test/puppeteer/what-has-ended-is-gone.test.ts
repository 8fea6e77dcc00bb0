// Of a browser, context, page, target, session, frame, worker, realm or handle that has ended, however it did, nothing of
// ours keeps the client's object: not the registry's records, no map and no timer. The attachment lives on meanwhile.
import type { Browser, JSHandle, Page, PuppeteerNode } from 'puppeteer-core';
import { describe, expect, it, onTestFinished } from 'vitest';
import { attach } from '../../src/clients/puppeteer/index.ts';
import type { Subject } from '../../src/clients/puppeteer/structure.ts';
import { launchChromium, PUPPETEERS } from '../support/chromium.ts';
import { openSite } from '../support/site.ts';
import { stillAlive } from '../support/still-alive.ts';

type Refs = Record<string, WeakRef<object> | undefined>;

const site = await openSite({
  '/': `<ul>${'<li>x</li>'.repeat(20)}</ul><iframe src="/framed"></iframe>
    <script>worker = new Worker(URL.createObjectURL(new Blob(['onmessage = () => {}'])))</script>`,
  '/framed': '<p>framed</p>',
});

/** Works on a page as scripts do, and gives what came up. Nothing of it is left on the stack. */
async function work(page: Page): Promise<Refs> {
  await page.goto(site.here);
  const [worker] = page.workers().length > 0 ? page.workers() : [await workerOf(page)];
  const [, frame] = page.frames();
  const handles: (JSHandle | undefined | null)[] = [
    await page.evaluateHandle(() => ({})),
    await page.$('li'),
    ...(await page.$$('li')),
    await worker?.evaluateHandle(() => ({})),
    await frame?.$('p'),
  ];
  await handles[1]?.dispose();
  await page.title();
  const failed = await page.evaluate(() => Promise.reject(new Error('on purpose'))).catch(() => 'failed');
  expect(failed).toBe('failed');
  const { _client: session, target } = page as unknown as { _client(): object; target(): object };
  return {
    page: new WeakRef(page),
    session: new WeakRef(session.call(page)),
    target: new WeakRef(target.call(page)),
    ...named('frame', [frame]),
    ...named('realm', [realmOf(page.mainFrame()), realmOf(frame)]),
    ...named('worker', [worker]),
    ...named('handle', handles),
    ...named(
      'remote object',
      handles.map((handle) => handle?.remoteObject()),
    ),
  };
}

async function workerOf(page: Page) {
  return new Promise<ReturnType<Page['workers']>[number]>((resolve) => page.once('workercreated', resolve));
}

function realmOf(frame: object | undefined): object | undefined {
  return (frame as { mainRealm?(): object } | undefined)?.mainRealm?.();
}

function named(name: string, objects: readonly (object | undefined | null)[]): Refs {
  return Object.fromEntries(
    objects.map((each, index) => [`${name} ${index}`, each ? new WeakRef(each) : undefined]),
  );
}

/** The attachment is held by the program for as long as the test runs. */
function attachForGood(subject: Subject): void {
  const releases = attach(subject);
  onTestFinished(() => releases.detach());
}

const pick = (refs: Refs, pattern: RegExp): Refs =>
  Object.fromEntries(Object.entries(refs).filter(([name]) => pattern.test(name)));

/** Ways to end, and what is to be gone by them. */
const ENDINGS: Record<string, (browser: Browser) => Promise<Refs>> = {
  'a page that is closed': async (browser) => {
    const page = await browser.newPage();
    const refs = await work(page);
    await page.close();
    return refs;
  },
  'a page that crashed, closed': async (browser) => {
    const page = await browser.newPage();
    const refs = await work(page);
    const crashed = new Promise((resolve) => page.once('error', resolve));
    page.goto('chrome://crash').catch(() => {});
    await crashed;
    await page.close();
    return refs;
  },
  'a page with a command unanswered, closed': async (browser) => {
    const page = await browser.newPage();
    const refs = await work(page);
    const handle = await page.evaluateHandle(() => ({}));
    page.evaluate((given) => new Promise(() => given), handle).catch(() => {});
    void handle.dispose().catch(() => {});
    await page.close();
    return refs;
  },
  'what a navigation leaves': async (browser) => {
    const page = await browser.newPage();
    const refs = await work(page);
    await page.goto(site.elsewhere);
    await page.title();
    return pick(refs, /handle|remote object|worker|frame/);
  },
  'a frame that is taken out': async (browser) => {
    const page = await browser.newPage();
    const refs = await work(page);
    await page.evaluate(() => document.querySelector('iframe')?.remove());
    await page.title();
    return pick(refs, /frame|realm 1/);
  },
  'a worker that is ended': async (browser) => {
    const page = await browser.newPage();
    const refs = await work(page);
    const ended = new Promise((resolve) => page.once('workerdestroyed', resolve));
    await page.evaluate('worker.terminate()');
    await ended;
    return pick(refs, /worker/);
  },
  'handles that are dropped': async (browser) => {
    const refs = await work(await browser.newPage());
    return pick(refs, /handle|remote object/);
  },
  'a context that is closed': async (browser) => {
    const context = await browser.createBrowserContext();
    const refs = await work(await context.newPage());
    await context.close();
    return { ...refs, context: new WeakRef(context) };
  },
};

describe.each(PUPPETEERS)('$name', async ({ puppeteer }) => {
  const host = await launchChromium({}, puppeteer);
  attach(host);
  await work(await host.newPage()); // The first of all has things of Puppeteer's that stay.

  it.each(Object.entries(ENDINGS))('%s is gone', async (_, end) => {
    expect(await stillAlive(await end(host))).toEqual([]);
  });

  it.each<[string, (puppeteer: PuppeteerNode, browser: Browser) => Promise<Refs>]>([
    [
      'that is closed',
      async (launcher) => {
        const browser = await launchChromium({}, launcher);
        attachForGood(browser);
        const refs = await work(await browser.newPage());
        await browser.close();
        return { ...refs, browser: new WeakRef(browser) };
      },
    ],
    [
      'that is disconnected',
      async (launcher, host) => {
        const browser = await launcher.connect({ browserWSEndpoint: host.wsEndpoint() });
        attachForGood(browser);
        const refs = await work(await browser.newPage());
        await browser.disconnect();
        return { ...refs, browser: new WeakRef(browser) };
      },
    ],
    [
      'that is killed',
      async (launcher) => {
        const browser = await launchChromium({}, launcher);
        attachForGood(browser);
        const refs = await work(await browser.newPage());
        const gone = new Promise((resolve) => browser.once('disconnected', resolve));
        browser.process()?.kill('SIGKILL');
        await gone;
        return { ...refs, browser: new WeakRef(browser) };
      },
    ],
  ])('a browser %s is gone, with all that it had', async (_, end) => {
    expect(await stillAlive(await end(puppeteer, host))).toEqual([]);
  });
});
