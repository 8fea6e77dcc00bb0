/**
 * The extension of examples/extension, bundled as its README says: everywhere in a page of a real Chromium, whose
 * `chrome.debugger` speaks by a WebSocket to another page of the same browser; and as an extension in a whole Chromium, where
 * there is one, for a headless shell has no extensions.
 */
import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConsoleMessage } from 'puppeteer-core';
import { rolldown } from 'rolldown';
import { describe, expect, it, onTestFinished } from 'vitest';
import { launchChromium, launchWholeChromium, openPage } from '../support/chromium.ts';
import { lacking } from '../support/lacking.ts';
import { PACKAGE } from '../support/script.ts';

const EXAMPLE = join(PACKAGE, 'examples/extension');
const LINKS = Array.from({ length: 50 }, (_, number) => `http://127.0.0.1/link/${number}`);
const CONTENT = LINKS.map((link) => `<a href="${link}">a link</a>`).join('');

/** @returns a folder to be loaded as an extension. */
async function built(worker: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'extension-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await copyFile(join(EXAMPLE, 'manifest.json'), join(folder, 'manifest.json'));
  const bundle = await rolldown({ input: join(EXAMPLE, worker), platform: 'browser', logLevel: 'silent' });
  await bundle.write({ dir: folder, entryFileNames: 'worker.js' });
  return folder;
}

/** @returns where a folder's scripts are served, until the running test is over. */
async function served(folder: string): Promise<string> {
  const server = createServer(async ({ url = '/' }, response) => {
    const script = await readFile(join(folder, url), 'utf8').catch(() => undefined);
    response.writeHead(url === '/' || script !== undefined ? 200 : 404, {
      'content-type': script === undefined ? 'text/html' : 'text/javascript',
    });
    response.end(script);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

interface Printed {
  readonly links: readonly string[];
  readonly minted: number;
  readonly released: number;
  readonly left: number;
}

/** What the worker prints when its icon is clicked. */
async function printedBy(
  worker: { on(event: 'console', listener: (message: ConsoleMessage) => void): unknown },
  click: () => Promise<unknown>,
): Promise<Printed> {
  const lines: string[] = [];
  const counts = new Promise<number[]>((resolve) => {
    worker.on('console', (message) => {
      const [, ...found] = /^(\d+) remote objects, (\d+) released, (\d+) left$/.exec(message.text()) ?? [];
      if (found.length > 0) resolve(found.map(Number));
      else if (message.type() === 'log') lines.push(message.text());
    });
  });
  await click();
  const [minted = 0, released = 0, left = 0] = await counts;
  return { links: lines.join('\n').split('\n'), minted, released, left };
}

function expectRight(worker: string, { links, minted, released, left }: Printed): void {
  expect(links).toEqual(LINKS);
  expect(minted).toBeGreaterThan(LINKS.length);
  // What was forgotten is released when it is collected, which may be later; what a scope had, at its end.
  if (worker === 'worker.mjs') expect({ released, left }).toEqual({ released: minted, left: 0 });
  else expect(released + left).toBe(minted);
}

/** Installs, in a page, the part of `chrome` that the workers use; each tab is a target of the browser at this port. */
function installChrome(origin: string, tabs: string[]): void {
  type Listener = (...args: unknown[]) => void;
  const listenersOf = () => {
    const listeners = new Set<Listener>();
    return {
      addListener: (listener: Listener) => void listeners.add(listener),
      removeListener: (listener: Listener) => void listeners.delete(listener),
      dispatch: (...args: unknown[]) => {
        for (const listener of listeners) listener(...args);
      },
    };
  };
  const [onEvent, onDetach, onClicked] = [listenersOf(), listenersOf(), listenersOf()];
  const sockets = new Map<number, WebSocket>();
  const answers = new Map<number, { resolve: Listener; reject: Listener }>();
  let lastId = 0;
  const attach = async ({ tabId }: { tabId: number }) => {
    const socket = new WebSocket(`${origin}/devtools/page/${tabs[tabId]}`);
    sockets.set(tabId, socket);
    socket.onmessage = ({ data }) => {
      const { id, sessionId, method, params, result, error } = JSON.parse(String(data));
      if (id === undefined) return onEvent.dispatch({ tabId, sessionId }, method, params);
      const answer = answers.get(id);
      answers.delete(id);
      if (error === undefined) answer?.resolve(result);
      else answer?.reject(new Error(JSON.stringify(error)));
    };
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = reject;
    });
  };
  const sendCommand = (
    { tabId, sessionId }: { tabId: number; sessionId?: string },
    method: string,
    params = {},
  ) =>
    new Promise((resolve, reject) => {
      const id = ++lastId;
      answers.set(id, { resolve, reject });
      sockets.get(tabId)?.send(JSON.stringify({ id, sessionId, method, params }));
    });
  const detach = async ({ tabId }: { tabId: number }) => {
    sockets.get(tabId)?.close();
    onDetach.dispatch({ tabId }, 'canceled_by_user');
  };
  Object.assign(globalThis, {
    chrome: { action: { onClicked }, debugger: { attach, detach, sendCommand, onEvent, onDetach } },
    click: (tab: { id: number }) => onClicked.dispatch(tab),
  });
}

declare const click: (tab: { id: number }) => void;
declare const chrome: { action: { onClicked: { hasListeners(): boolean } } };

const whole = await launchWholeChromium({ pipe: true, enableExtensions: true });
const noWhole = whole === undefined ? 'no whole Chromium: a headless shell has no extensions' : undefined;

describe.each(['worker.mjs', 'with-puppeteer.mjs'])('the extension by %s', { timeout: 60_000 }, (worker) => {
  it('prints the links of a tab, and leaves nothing in it, where only a browser is', async () => {
    const browser = await launchChromium({ args: ['--remote-allow-origins=*'] });
    const tab = await openPage(browser);
    await tab.setContent(CONTENT);
    const page = await openPage(browser);
    const session = await tab.createCDPSession();
    const { targetInfo } = await session.send('Target.getTargetInfo');
    await page.goto(await served(await built(worker)));
    await page.evaluate(installChrome, `ws://${new URL(browser.wsEndpoint()).host}`, [targetInfo.targetId]);
    const printed = printedBy(page, async () => {
      await page.addScriptTag({ url: 'worker.js', type: 'module' });
      await page.evaluate(() => click({ id: 0 }));
    });
    expectRight(worker, await printed);
  });

  it('does so as an extension', lacking(noWhole), async () => {
    if (whole === undefined) return;
    const tab = await openPage(whole);
    await tab.setContent(CONTENT);
    const id = await whole.installExtension(await built(worker));
    const target = await whole.waitForTarget(
      (found) => found.type() === 'service_worker' && found.url().includes(id),
    );
    const serviceWorker = await target.worker();
    const extension = (await whole.extensions()).get(id);
    if (serviceWorker === null || extension === undefined) throw new Error('the extension has no worker');
    const listens = () => serviceWorker.evaluate(() => chrome.action.onClicked.hasListeners());
    await expect.poll(listens, { timeout: 30_000 }).toBe(true);
    await tab.bringToFront();
    expectRight(worker, await printedBy(serviceWorker, () => extension.triggerAction(tab)));
    await whole.uninstallExtension(id);
  });
});
