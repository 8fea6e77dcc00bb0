// Of a session that has ended, or that its program let go of, and of what it minted, nothing of ours keeps the client's
// objects, whichever client: while the attachment itself is held by the program.
import { Session } from 'node:inspector/promises';
import CDP from 'chrome-remote-interface';
import { chromium } from 'playwright-core';
import type { Browser } from 'puppeteer-core';
import { expect, it, onTestFinished } from 'vitest';
import { attach as attachToRemoteInterface } from '../../src/clients/chrome-remote-interface.ts';
import { attach as attachToInspector } from '../../src/clients/node-inspector.ts';
import { attach as attachToPlaywright } from '../../src/clients/playwright/index.ts';
import { attach as attachToPuppeteer } from '../../src/clients/puppeteer/index.ts';
import { attach as attachToSession } from '../../src/clients/session.ts';
import { launchChromium } from '../support/chromium.ts';
import { stillAlive } from '../support/still-alive.ts';
import { BareConnection } from './bare-connection.ts';

type Refs = Record<string, WeakRef<object>>;

const browser = await launchChromium();
const { host } = new URL(browser.wsEndpoint());
const TRACKED = { track: true } as const;

/** The attachments stay with the program. */
const held = new Set<object>();

async function minted(
  send: (method: string, params: { expression: string }) => Promise<unknown>,
): Promise<Refs> {
  const refs: Refs = {};
  for (let count = 0; count < 20; count++) {
    const answer = (await send('Runtime.evaluate', { expression: '({})' })) as { result: object };
    refs[`remote object ${count}`] = new WeakRef(answer.result);
  }
  return refs;
}

const CLIENTS: Record<string, () => Promise<Refs>> = {
  "a session of Puppeteer's, detached": async () => {
    const session = await (await browser.newPage()).createCDPSession();
    held.add(attachToPuppeteer(session, TRACKED));
    const refs = await minted((method, params) => session.send(method as 'Runtime.evaluate', params));
    await session.detach();
    return { ...refs, session: new WeakRef(session) };
  },
  "a page of Puppeteer's, attached to by itself, closed": async () => {
    const page = await browser.newPage();
    held.add(attachToPuppeteer(page));
    const handle = await page.evaluateHandle(() => ({}));
    await page.close();
    return { page: new WeakRef(page), handle: new WeakRef(handle) };
  },
  "a session of Playwright's, with its page closed": async () => {
    const other = await chromium.connectOverCDP(browser.wsEndpoint());
    const page = await other.newPage();
    const session = await page.context().newCDPSession(page);
    held.add(attachToPlaywright(session, TRACKED));
    const refs = await minted((method, params) => session.send(method as 'Runtime.evaluate', params));
    await page.close();
    await other.close();
    return refs;
  },
  'a client of chrome-remote-interface, closed': async () => {
    const client = await CDP({
      target: `ws://${host}/devtools/page/${await newTarget(browser)}`,
      local: true,
    });
    held.add(attachToRemoteInterface(client, TRACKED));
    const refs = await minted((method, params) => client.send(method, params));
    await client.close();
    return refs;
  },
  "a session of Node's inspector, disconnected": async () => {
    const session = new Session();
    session.connect();
    held.add(attachToInspector(session, TRACKED));
    const refs = await minted((method, params) => session.post(method as 'Runtime.evaluate', params));
    session.disconnect();
    return refs;
  },
  'a bare session, closed with its connection': async () => {
    const connection = await BareConnection.open(`ws://${host}/devtools/page/${await newTarget(browser)}`);
    const session = connection.session();
    held.add(attachToSession(session, { ...TRACKED, targetType: 'page' }));
    const refs = await minted((method, params) => session.send(method, params));
    const closed = new Promise((resolve) => session.once('close', resolve));
    connection.close();
    await closed;
    return refs;
  },
};

async function newTarget(of: Browser): Promise<string> {
  const session = await of.target().createCDPSession();
  const { targetId } = await session.send('Target.createTarget', { url: 'about:blank' });
  await session.detach();
  return targetId;
}

it.each(Object.entries(CLIENTS))('%s', async (_, end) => {
  onTestFinished(() => held.clear());
  expect(await stillAlive(await end())).toEqual([]);
});

it('a handle over WebDriver BiDi whose page is closed', async () => {
  onTestFinished(() => held.clear());
  const bidi = await launchChromium({ protocol: 'webDriverBiDi' });
  held.add(attachToPuppeteer(bidi));
  const closePage = async (): Promise<Refs> => {
    const page = await bidi.newPage();
    const handle = await page.evaluateHandle(() => ({}));
    await page.close();
    return { handle: new WeakRef(handle) };
  };
  expect(await stillAlive(await closePage())).toEqual([]);
});
