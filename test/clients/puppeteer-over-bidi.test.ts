/** Puppeteer over WebDriver BiDi, held to what every client is held to; its own tests are in test/puppeteer. */
import type { Browser } from 'puppeteer-core';
import { attach } from '../../src/clients/puppeteer/index.ts';
import { BIDI_BROWSERS, connectionOf, targetOf } from '../support/bidi.ts';
import { openPage } from '../support/chromium.ts';
import { conform, each, type Minted, type Params, runForEver, type SessionUnderTest } from './conformance.ts';

for (const { name, launch, missing, isChromium } of BIDI_BROWSERS) {
  let launched: Promise<Browser> | undefined;
  const open = async (): Promise<SessionUnderTest> => {
    launched ??= launch();
    const browser = await launched;
    const page = await openPage(browser);
    const connection = connectionOf(browser);
    const target = targetOf(page);
    const send = (method: string, params?: Params): Promise<unknown> =>
      connection.send(method, { target, ...params });
    return {
      attach: (options) => attach(page, options),
      send,
      release: (handle) => send('script.disown', { handles: [handle] }),
      sender: { send, releaseObjects: (handles) => send('script.disown', { handles }) },
      ...(isChromium ? { hang: async () => runForEver(await senderOverCdp(page)) } : {}),
      lose: () => page.close(),
      belongings: [page, connection],
      dialect: {
        mint: async () => {
          const answer = await send('script.evaluate', {
            expression: '({ minted: [] })',
            awaitPromise: false,
            resultOwnership: 'root',
          });
          return (answer as { result: { result: Minted } }).result.result;
        },
        name: (handle) =>
          send('script.callFunction', {
            functionDeclaration: '() => 1',
            awaitPromise: false,
            arguments: [{ handle }],
          }),
      },
    };
  };
  conform({
    name: `${name}, a page each`,
    open: each(open),
    hasNoGroups: 'the protocol has none',
    missing,
    ...(isChromium ? {} : { neverHangs: 'nothing would make Firefox go on' }),
  });
}

type Page = Awaited<ReturnType<typeof openPage>>;

async function senderOverCdp(page: Page): Promise<(method: string, params?: Params) => Promise<unknown>> {
  const session = await page.createCDPSession();
  return (method, params) => session.send(method as 'Runtime.evaluate', params as never);
}
