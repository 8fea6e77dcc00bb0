/** Playwright's CDPSession, of a browser that Playwright launched and of one that it connected to. */
import { type Browser, chromium } from 'playwright-core';
import { afterAll, expect, it } from 'vitest';
import { attach } from '../../src/clients/playwright/index.ts';
import { chromiumLaunchOptions, launchChromium } from '../support/chromium.ts';
import { sized } from '../support/sized.ts';
import {
  conform,
  each,
  expectSurvivorsMoved,
  type Params,
  plainSession,
  type SessionUnderTest,
} from './conformance.ts';

const { executablePath, args, env } = await chromiumLaunchOptions();
const launched = await chromium.launch({
  executablePath,
  args,
  ...(env === undefined ? {} : { env: env as Record<string, string> }),
});
const connected = await chromium.connectOverCDP((await launchChromium()).wsEndpoint());
afterAll(async () => {
  await connected.close();
  await launched.close();
});

async function openPage(browser: Browser): Promise<SessionUnderTest> {
  const context = browser.contexts()[0] ?? (await browser.newContext());
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  const send = (method: string, params?: Params): Promise<unknown> =>
    session.send(method as 'Runtime.evaluate', params as never);
  return plainSession(send, {
    attach: (options) => attach(session, options),
    lose: () => page.close(),
    belongings: [session],
  });
}

const [name, browser] = sized<[string, Browser]>(['launched', launched], ['connectOverCDP', connected]);
conform({ name: `Playwright, ${name}`, open: each(() => openPage(browser)) });

it('moves the few that live on among many dead', async () => {
  await expectSurvivorsMoved(await openPage(launched));
});

/** Of which each tenth is long. */
const ORDERED = sized(100, 300);

// On this rests that survivors are moved.
it.each([false, true])(
  'has the commands of a session carried out in order, tracing: %s',
  async (isTracing) => {
    const context = await launched.newContext();
    if (isTracing) await context.tracing.start({ screenshots: true, snapshots: true });
    const session = await context.newCDPSession(await context.newPage());
    const ids: string[] = [];
    for (let count = 0; count < ORDERED; count++) {
      ids.push((await session.send('Runtime.evaluate', { expression: '({})' })).result.objectId ?? '');
    }
    const long = `function () { return ${JSON.stringify('x'.repeat(100_000))}.length }`;
    const calls = ids.flatMap((objectId, index) => [
      session.send('Runtime.callFunctionOn', {
        functionDeclaration: index % 10 === 0 ? long : 'function () {}',
        objectId,
        returnByValue: true,
      }),
      session.send('Runtime.releaseObject', { objectId }),
    ]);
    await expect(Promise.all(calls)).resolves.toHaveLength(2 * ORDERED);
    await context.close();
  },
);

it('ends the books of a session that was detached', async () => {
  const context = await launched.newContext();
  const session = await context.newCDPSession(await context.newPage());
  const releases = attach(session, { track: true });
  await session.send('Runtime.evaluate', { expression: '({})' });
  expect(releases.stats().live).toBe(1);
  await session.detach();
  await expect.poll(() => releases.stats()).toMatchObject({ live: 0, elided: 1 });
  releases.detach();
  await context.close();
});
