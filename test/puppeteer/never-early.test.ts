// Nothing that is still used is ever taken away: each window in which a release driven by the collector could come too
// early, and the whole API of handles with a collection forced before every message.
import {
  type Browser,
  type CDPSession,
  type ElementHandle,
  type Frame,
  type Page,
  Puppeteer,
  type WebWorker,
} from 'puppeteer-core';
import { Puppeteer as Puppeteer24 } from 'puppeteer-core-24';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { ConnectionLike } from '../../src/clients/puppeteer/structure.ts';
import { attached, connectionOf, sessionOf } from '../support/attached.ts';
import { launchChromium, PUPPETEERS_BY_SIZE } from '../support/chromium.ts';
import { collectUntil } from '../support/collect-until.ts';
import { expectAtRest } from '../support/conservation.ts';
import { runScript } from '../support/script.ts';
import { openSite, type Site } from '../support/site.ts';
import { sized } from '../support/sized.ts';
import { EVERY_USE_SITE } from './every-use-site.ts';

/** Not public: all commands of all sessions go through it. */
interface RawConnection {
  _rawSend(callbacks: unknown, method: string, params?: unknown, ...rest: unknown[]): Promise<unknown>;
}

interface Watched {
  messages: number;
  /** Commands that named an id which the browser no longer knew. Releases may: it is gone either way. */
  readonly early: string[];
}

/** Collects garbage before each command is sent: what is found is dropped while the command is on its way. */
function collectBeforeEveryMessage(connection: ConnectionLike): Watched {
  const watched: Watched = { messages: 0, early: [] };
  const raw = connection as ConnectionLike & RawConnection;
  const { _rawSend: send } = raw;
  raw._rawSend = (callbacks, method, params, ...rest) => {
    watched.messages++;
    gc?.();
    return send.call(raw, callbacks, method, params, ...rest).catch((error: Error) => {
      if (/Could not find object with given id/.test(error.message) && !method.includes('release')) {
        watched.early.push(`${method} ${JSON.stringify(params)}`);
      }
      throw error;
    });
  };
  onTestFinished(() => {
    Reflect.deleteProperty(raw, '_rawSend');
  });
  return watched;
}

describe.each(PUPPETEERS_BY_SIZE)('nothing is released early with $name', ({ name, puppeteer }) => {
  const module = name.endsWith('24') ? 'puppeteer-core-24' : 'puppeteer-core';
  let browser: Browser;
  let site: Site;
  beforeAll(async () => {
    browser = await launchChromium({ args: ['--site-per-process'] }, puppeteer);
    site = await openSite(EVERY_USE_SITE);
  });
  afterAll(() => site[Symbol.asyncDispose]());

  async function openPage(): Promise<Page> {
    const page = await browser.newPage();
    await page.goto(`${site.here}/`);
    return page;
  }

  async function addWorker(page: Page): Promise<WebWorker> {
    const created = new Promise<WebWorker>((resolve) => page.once('workercreated', resolve));
    await page.evaluate('void (globalThis.worker = new Worker("/worker.js"))');
    return created;
  }

  /** One finds it where what a call names is not pinned: the worker that is busy is asked for what has gone. */
  const ROUNDS = sized(1, 2);
  const ways: readonly (readonly [string, boolean])[] = [
    ['one after another', false],
    ['side by side', true],
  ];
  it.each(sized(ways.slice(0, 1), ways))(
    'whatever is done with handles %s, with a collection before every message',
    async (_how, isParallel) => {
      const { stdout, ...rest } = await runScript(
        `
      import puppeteer from '${module}';
      import { LIKE_OTHERS, USES, useEverything } from './test/puppeteer/every-use.mjs';
      if (${sized(true, false)}) for (const name of LIKE_OTHERS) delete USES[name];
      const browser = await puppeteer.launch(launchOptions);
      console.log(JSON.stringify(await useEverything(browser, '${site.here}', ${ROUNDS}, ${isParallel})));
      await browser.close();
      `,
        { execArgv: ['--expose-gc'], timeoutMs: 280_000 },
      );
      expect(rest).toEqual({ code: 0, signal: null, stderr: '' });
      const { early, failed, messages, stats } = JSON.parse(stdout);
      expect({ early, failed }).toEqual({ early: [], failed: [] });
      expect(messages).toBeGreaterThan(200);
      expect(stats.collected).toBeGreaterThan(messages / 10);
      expectAtRest(stats);
    },
    300_000,
  );

  /** Each is one chance for what is on its way to be taken. */
  const INSTALLATIONS = sized(1, 3);

  it('an argument on its way into a document where Puppeteer is not installed yet', async () => {
    const page = await openPage();
    const releases = attached(page);
    const watched = collectBeforeEveryMessage(connectionOf(page));
    for (let round = 0; round < INSTALLATIONS; round++) {
      await page.goto(`${site.here}/frame?${round}`);
      expect(await (await isolatedBody(page)).isVisible()).toBe(true);
      await page.goto(`${site.here}/frame?again${round}`);
      const body = page.evaluateHandle('document.body') as Promise<ElementHandle>;
      expect(await (await body).$('p')).not.toBeNull();
    }
    expect(watched.early).toEqual([]);
    expect(releases.stats().collected).toBeGreaterThan(0);
    await page.close();
  });

  it('an argument on its way while Puppeteer is installed anew for a query of the script', async () => {
    const handlers = (name.endsWith('24') ? Puppeteer24 : Puppeteer) as typeof Puppeteer;
    const page = await openPage();
    attached(page);
    const watched = collectBeforeEveryMessage(connectionOf(page));
    for (let round = 0; round < INSTALLATIONS; round++) {
      const isVisible = async (): Promise<boolean> => {
        const body = await isolatedBody(page);
        handlers.registerCustomQueryHandler(`round${'abc'[round]}`, {
          queryOne: (node, selector) => (node as Element).querySelector(selector),
        });
        return body.isVisible(); // From here on nothing but the call refers to it.
      };
      expect(await isVisible()).toBe(true);
      expect(await page.$(`round${'abc'[round]}/p`)).not.toBeNull();
    }
    handlers.clearCustomQueryHandlers();
    expect(watched.early).toEqual([]);
    await page.close();
  });

  describe('in a worker that is busy, where a release overtakes the calls that wait', () => {
    /** Keeps the worker busy, and asks it meanwhile for what an id stands for. */
    async function askWhileBusy(worker: WebWorker, objectId: string): Promise<unknown> {
      const busy = worker.client.send('Runtime.evaluate', {
        expression: 'for (const end = Date.now() + 200; Date.now() < end; );',
      });
      const { result } = await worker.client.send('Runtime.callFunctionOn', {
        objectId,
        functionDeclaration: 'function () { return this.answer; }',
        returnByValue: true,
      });
      await busy;
      return result.value;
    }
    const ATTEMPTS = sized(3, 10);
    const mint = async (worker: WebWorker): Promise<{ dispose(): Promise<void>; objectId: string }> => {
      const handle = await worker.evaluateHandle(() => ({ answer: 42 }));
      return { dispose: () => handle.dispose(), objectId: handle.remoteObject().objectId as string };
    };

    it('plain, the call fails: the danger is real', async () => {
      const page = await openPage();
      const worker = await addWorker(page);
      const failures: string[] = [];
      // Whether the release arrives while the worker is busy, and not before, is a matter of chance.
      for (let attempt = 0; failures.length === 0 && attempt < 50; attempt++) {
        const { dispose, objectId } = await mint(worker);
        const asked = askWhileBusy(worker, objectId);
        await Promise.all([asked.catch((error: Error) => failures.push(error.message)), dispose()]);
      }
      expect(failures).toEqual([expect.stringContaining('Could not find object with given id')]);
      await page.close();
    });

    it('attached, the call is answered, though its handle was disposed meanwhile', async () => {
      const page = await openPage();
      const worker = await addWorker(page);
      const releases = attached(page);
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        const { dispose, objectId } = await mint(worker);
        const asked = askWhileBusy(worker, objectId);
        await dispose();
        expect(await asked).toBe(42);
      }
      expect(await releases.flush()).toMatchObject({ complete: true, failed: 0 });
      expect(releases.stats().disposed).toBe(ATTEMPTS);
      await page.close();
    });

    it.each([true, false])(
      'attached with groups %s, the call is answered, though its handle was collected meanwhile',
      async (groups) => {
        const page = await openPage();
        const worker = await addWorker(page);
        const releases = attached(page, { groups });
        for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
          const { objectId } = await mint(worker); // Nothing holds the handle any more.
          const asked = askWhileBusy(worker, objectId);
          await collectUntil(() => releases.stats().collected === attempt);
          expect(await asked).toBe(42);
        }
        await page.close();
      },
    );
  });

  it('what a frame mints after it changed its process, by a late dispose of what it had before', async () => {
    const page = await openPage();
    const releases = attached(browser);
    const sessions = new Set<unknown>();
    const old: { dispose(): Promise<void> }[] = [];
    for (let round = 0; round < sized(3, 6); round++) {
      const origin = round % 2 === 0 ? site.elsewhere : site.here;
      const url = `${origin}/frame?${round}`;
      await page.evaluate(`document.querySelector('iframe').src = '${url}'`);
      await expect.poll(() => page.frames()[1]?.url()).toBe(url);
      const frame = page.frames()[1] as Frame;
      await frame.waitForSelector('p');
      sessions.add((frame as unknown as { client: CDPSession }).client);
      const handles = await Promise.all(
        Array.from({ length: 10 }, (_, index) => frame.evaluateHandle((value) => ({ value }), index)),
      );
      await Promise.all(old.splice(0).map((handle) => handle.dispose()));
      await releases.flush();
      const values = await Promise.all(handles.map((handle) => handle.evaluate((object) => object.value)));
      expect(values).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
      old.push(...handles);
    }
    expect(sessions.size).toBeGreaterThan(1);
    expect(sessions).toContain(sessionOf(page));
    await page.close();
  });
});

/** The body, in Puppeteer's own world of the main frame, where nothing else refers to the handle. Not public. */
async function isolatedBody(page: Page): Promise<ElementHandle> {
  const frame = page.mainFrame() as unknown as { isolatedRealm(): Pick<Page, 'evaluateHandle'> };
  return (await frame.isolatedRealm().evaluateHandle('document.body')) as ElementHandle;
}
