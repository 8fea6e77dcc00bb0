/** Puppeteer, held to what every client is held to; its own tests are in test/puppeteer. */
import { onTestFinished } from 'vitest';
import { attach } from '../../src/clients/puppeteer/index.ts';
import { sessionOf } from '../support/attached.ts';
import { launchChromium, PUPPETEERS } from '../support/chromium.ts';
import { conform, type Params, type SessionUnderTest } from './conformance.ts';
import { runForEver } from './remote-interface.ts';

for (const { name, puppeteer } of PUPPETEERS) {
  const browser = await launchChromium({}, puppeteer);
  const openPage = async (): Promise<SessionUnderTest> => {
    const page = await browser.newPage();
    onTestFinished(async () => {
      if (!page.isClosed()) await page.close();
    });
    const session = sessionOf(page);
    const send = (method: string, params?: Params): Promise<unknown> => session.send(method, params);
    return {
      attach: (options) => attach(page, options),
      send,
      release: (objectId) => send('Runtime.releaseObject', { objectId }),
      sender: { send },
      hang: () => runForEver(send),
      lose: () => page.close(),
      belongings: [page, session],
    };
  };
  conform({ name: `${name}, a page each`, open: async () => [await openPage(), await openPage()] });

  const openSession = async (): Promise<SessionUnderTest> => {
    const page = await browser.newPage();
    onTestFinished(async () => {
      if (!page.isClosed()) await page.close();
    });
    const session = await page.createCDPSession();
    const send = (method: string, params?: Params): Promise<unknown> =>
      session.send(method as 'Runtime.evaluate', params as never);
    return {
      attach: (options) => attach(session, options),
      send,
      release: (objectId) => session.send('Runtime.releaseObject', { objectId }),
      sender: { send },
      hang: () => runForEver(send),
      lose: () => page.close(),
      belongings: [session],
    };
  };
  conform({
    name: `${name}, sessions of the user's own`,
    open: async () => [await openSession(), await openSession()],
  });
}
