// All leans on private names of Playwright's. Where one of them is missed nothing is hooked, and one error says which it
// is, and in which version; a script that is attached by `register` goes on as it would alone, and is told once.
import { chromium } from 'playwright-core';
import { expect, it, onTestFinished } from 'vitest';
import { attach } from '../../src/clients/playwright/index.ts';
import type { ChannelOwner, ServerBrowser } from '../../src/clients/playwright/structure.ts';
import { playwrightLaunchOptions } from '../support/playwright.ts';
import { runScript } from '../support/script.ts';

const browser = await chromium.launch(await playwrightLaunchOptions());
const page = await browser.newPage();
const owner = browser as unknown as ChannelOwner;
const { _connection: connection } = owner;
const server = connection.toImpl?.(owner) as ServerBrowser;
const root = connection.toImpl?.(undefined) as {
  readonly connection?: object;
  readonly _connection?: object;
};
const dispatchers = (root.connection ?? root._connection) as object;
const serverPage = connection.toImpl?.(page as unknown as ChannelOwner) as object;
const delegate = (Reflect.get(serverPage, 'delegate') ?? Reflect.get(serverPage, '_delegate')) as object;

/** Takes a member away until the running test is over. */
function hide(object: object, ...names: string[]): void {
  for (const name of names) {
    const own = Object.getOwnPropertyDescriptor(object, name);
    Object.defineProperty(object, name, { value: undefined, configurable: true, writable: true });
    onTestFinished(() => {
      if (own === undefined) Reflect.deleteProperty(object, name);
      else Object.defineProperty(object, name, own);
    });
  }
}

/** What could be hooked, and what each has of its own. */
const hookable = [connection, server._connection.rootSession, ...server._connection._sessions.values()];
const ownOf = () => hookable.map((object) => Reflect.ownKeys(object));

it.each([
  ['_guid', browser, owner, ['_guid']],
  ['_objects of the object given', browser, owner, ['_objects']],
  ['dispatch of _connection', browser, connection, ['dispatch']],
  ['onmessage of _connection', browser, connection, ['onmessage']],
  ['sendMessageToServer of _connection', browser, connection, ['sendMessageToServer']],
  ['close of _connection', browser, connection, ['close']],
  ['_connection.toImpl', browser, dispatchers, ['_dispatcherByGuid', '_dispatchers']],
  ["_contexts of the server's browser", browser, server, ['_contexts']],
  ["_crPages of the server's browser", browser, server, ['_crPages']],
  ["_sessions of the server's _connection", browser, server._connection, ['_sessions']],
  ['rootSession', browser, server._connection, ['rootSession']],
  ['createChildSession of rootSession', browser, server._connection.rootSession, ['createChildSession']],
  ['_sessionId of rootSession', browser, server._connection.rootSession, ['_sessionId']],
  ['delegate', page, serverPage, ['delegate', '_delegate']],
  ['_mainFrameSession of delegate', page, delegate, ['_mainFrameSession']],
  ['_browser', page, serverPage, ['browserContext', '_browserContext']],
])('without %s nothing is hooked, and one error says so', (name, subject, holder, hidden) => {
  const before = ownOf();
  hide(holder, ...hidden);
  const during = ownOf();
  const attempt = () => attach(subject);
  expect(attempt).toThrow(name);
  expect(attempt).toThrow(
    /^attach: Playwright (1\.\d+\.\d+|of an unknown version) has no .* a CDPSession still can\.$/,
  );
  expect(ownOf()).toEqual(during);
  expect(during.length).toBe(before.length);
});

it('the error names the version, and a CDPSession can be attached to all the same', async () => {
  hide(server, '_crPages');
  expect(() => attach(browser)).toThrow(
    /^attach: Playwright 1\.\d+\.\d+ has no _crPages of the server's browser /,
  );
  const session = await page.context().newCDPSession(page);
  const releases = attach(session, { track: true });
  await session.send('Runtime.evaluate', { expression: '({})' });
  expect(releases.stats().minted).toBe(1);
  releases.detach();
});

it('attached where nothing is missed, it is as before', async () => {
  const before = ownOf();
  const releases = attach(browser);
  expect(ownOf()).not.toEqual(before);
  releases.detach();
  expect(ownOf()).toEqual(before);
  await browser.close();
});

it('register says it once, and leaves the script alone', async () => {
  const run = await runScript(
    `
    const { chromium } = require('playwright-core');
    void (async () => {
      const { executablePath, args, env } = launchOptions;
      const hidden = [];
      const { launch } = chromium.constructor.prototype;
      chromium.constructor.prototype.launch = async function (options) {
        const browser = await launch.call(this, options);
        const server = browser._connection.toImpl(browser);
        hidden.push([server, server._crPages]);
        // While it is attached to: Playwright itself needs it.
        let reads = 0;
        Object.defineProperty(server, '_crPages', { configurable: true, get: () => undefined });
        queueMicrotask(() => setImmediate(() => Object.defineProperty(server, '_crPages', { value: hidden[0][1], configurable: true, writable: true })));
        return browser;
      };
      for (let count = 0; count < 2; count++) {
        hidden.length = 0;
        const browser = await chromium.launch({ executablePath, args, env });
        await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
        const page = await browser.newPage();
        console.log(await page.evaluate(() => 6 * 7));
        await browser.close();
      }
    })();
  `,
    { type: 'commonjs', execArgv: ['--import', 'cdp-release-batcher/register'] },
  );
  expect(run).toMatchObject({ code: 0, stdout: '42\n42\n' });
  expect(run.stderr).toMatch(/^cdp-release-batcher: attach: Playwright 1\.\d+\.\d+ has no _crPages .*\n$/);
});
