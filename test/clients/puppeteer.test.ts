/** Puppeteer, held to what every client is held to; its own tests are in test/puppeteer. */
import { attach } from '../../src/clients/puppeteer/index.ts';
import type { CdpSessionLike } from '../../src/clients/puppeteer/structure.ts';
import { sessionOf } from '../support/attached.ts';
import { launchChromium, openPage, PUPPETEERS } from '../support/chromium.ts';
import { conform, each, plainSession, type SessionUnderTest } from './conformance.ts';

for (const { name, puppeteer } of PUPPETEERS) {
  const browser = await launchChromium({}, puppeteer);

  const byPage = async (): Promise<SessionUnderTest> => {
    const page = await openPage(browser);
    const session = sessionOf(page);
    return plainSession((method, params) => session.send(method, params), {
      attach: (options) => attach(page, options),
      lose: () => page.close(),
      belongings: [page, session],
    });
  };
  conform({ name: `${name}, a page each`, open: each(byPage) });

  const bySession = async (): Promise<SessionUnderTest> => {
    const page = await openPage(browser);
    const session: CdpSessionLike = await page.createCDPSession();
    return plainSession((method, params) => session.send(method, params), {
      attach: (options) => attach(session, options),
      lose: () => page.close(),
      belongings: [session],
    });
  };
  conform({
    name: `${name}, sessions of the user's own`,
    open: each(bySession),
  });
}
