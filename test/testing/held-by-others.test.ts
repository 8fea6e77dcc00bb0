// What the browser holds for a session of one's own, or for another client, is told by expectNoLeaks where it is asked for: in
// pages and in workers, exactly, and never where there is nothing.
import type { Browser, CDPSession, Page } from 'puppeteer-core';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { attach } from '../../src/clients/puppeteer/index.ts';
import { expectNoLeaks, LeakError } from '../../src/testing/index.ts';
import { launchChromium, openPage, PUPPETEERS } from '../support/chromium.ts';
import { START_WORKER } from '../support/ways-to-handles.ts';

const AND_OTHERS = { heldByOthers: true } as const;

describe.each(PUPPETEERS)('with $name', ({ puppeteer: version }) => {
  let browser: Browser;
  let page: Page;
  const held: unknown[] = [];
  beforeAll(async () => {
    browser = await launchChromium({}, version);
  });
  beforeEach(async () => {
    page = await openPage(browser);
    await page.setContent('<ul><li>a</ul>');
    const started = new Promise((resolve) => page.once('workercreated', resolve));
    await page.evaluate(START_WORKER);
    await started;
  });

  /** A session of one's own with a target; to the browser no other than that of another client. */
  async function ownSession(targetId: string): Promise<CDPSession> {
    const session = await browser.target().createCDPSession();
    const { sessionId } = await session.send('Target.attachToTarget', { targetId, flatten: true });
    return session.connection()?.session(sessionId) ?? expect.fail('there is no such session');
  }

  async function ownSessionWithWorker(): Promise<CDPSession> {
    const session = await browser.target().createCDPSession();
    const { targetInfos } = await session.send('Target.getTargets');
    const worker = targetInfos.find(({ type }) => type === 'worker');
    return ownSession(worker?.targetId ?? expect.fail('there is no worker'));
  }

  const hold = (session: CDPSession) => session.send('Runtime.evaluate', { expression: '({})' });

  async function tenTimes(act: () => Promise<unknown>): Promise<void> {
    for (let time = 0; time < 10; time++) held.push(await act());
  }

  it('tells what a session of the body’s own holds', async () => {
    const body = async (): Promise<void> => {
      const session = await page.createCDPSession();
      await tenTimes(() => hold(session));
    };
    const error = await expectNoLeaks(page, body, AND_OTHERS).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(LeakError);
    expect(error).toMatchObject({ actual: 10, leaks: [], heldByOthers: [{ type: 'page', count: 10 }] });
    expect((error as LeakError).message).toMatch(
      /^10 handles were not disposed of:\n {2}10 × held by others in the page about:blank: by a session/,
    );
  });

  it('tells what another session holds in a worker, beside what the body leaves itself', async () => {
    const session = await ownSessionWithWorker();
    const body = async (): Promise<void> => {
      await tenTimes(() => hold(session));
      await page.evaluateHandle(() => []);
    };
    await expect(expectNoLeaks(page, body, { ...AND_OTHERS, allow: 1 })).rejects.toMatchObject({
      actual: 11,
      leaks: [{ kind: 'array', count: 1 }],
      heldByOthers: [{ type: 'worker', count: 10 }],
    });
  });

  it('says nothing of it where it is not asked', async () => {
    const session = await page.createCDPSession();
    await expectNoLeaks(page, () => tenTimes(() => hold(session)));
  });

  it('tells nothing where others hold no more than before, whatever the body and the page do', async () => {
    const session = await page.createCDPSession();
    await tenTimes(() => hold(session));
    await tenTimes(() => page.$('li')); // From before anything was attached.
    await expectNoLeaks(
      page,
      async () => {
        held.push(await page.waitForSelector('li'));
        await page.evaluate(() => console.log({}, []));
        await page.evaluate('Promise.reject(new Error())').catch(() => {});
        held.push(await page.workers()[0]?.evaluateHandle(() => ({})));
      },
      { ...AND_OTHERS, allow: 2 },
    );
  });

  it('fails where it cannot be told', async () => {
    using _ = attach(page, { track: false });
    await expect(expectNoLeaks(page, () => 1, AND_OTHERS)).rejects.toThrow(
      'expectNoLeaks: what others hold cannot be told: nothing is tracked',
    );
  });
});
