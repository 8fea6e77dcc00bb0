/** The same objects, released by other clients of the protocol, each in the way that its users have. */
import { ReleaseBatcher } from '../../src/batcher/release-batcher.ts';
import { importPackage } from '../../src/cli/load-package.ts';
import { attach } from '../../src/clients/chrome-remote-interface.ts';
import { attach as attachPlaywright, type PlaywrightSession } from '../../src/clients/playwright/index.ts';
import type { SessionAttachment } from '../../src/clients/session-attachment.ts';
import type { DrivenPage, Outcome } from '../sampling/driven-page.ts';
import { type MintedObject, mintIds, mintObjects, type Send } from './bare-websocket.ts';

type ChromeRemoteInterface = (options: object) => Promise<RemoteInterface>;
interface RemoteInterface {
  send(method: string, params?: object, sessionId?: string): Promise<unknown>;
  on(event: string, listener: () => void): unknown;
  close(): Promise<void>;
}

/** chrome-remote-interface: at most `atOnce` releases under way. */
export function releaseByRemoteInterface(atOnce: number) {
  return async (driven: DrivenPage, count: number): Promise<Outcome> => {
    const { client, send } = await openRemoteInterface(driven);
    const ids = await mintIds(send, count);
    driven.start();
    for (let index = 0; index < ids.length; index += atOnce) {
      const batch = ids.slice(index, index + atOnce);
      await Promise.all(batch.map((objectId) => send('Runtime.releaseObject', { objectId })));
    }
    await driven.stop();
    await client.close();
    return { handles: count, commands: count, mustLetGo: true };
  };
}

/** The same, attached: all at once, by ids that nobody tracks or by RemoteObjects that are. */
export function releaseByAttachedRemoteInterface({ track }: { readonly track: boolean }) {
  return async (driven: DrivenPage, count: number): Promise<Outcome> => {
    const { client, send } = await openRemoteInterface(driven, (client) => attach(client, { track }));
    const releases = attach(client); // The same attachment again.
    const objects = await mintObjects(send, count);
    const outcome = await releaseAttached(driven, releases, send, objects);
    await client.close();
    return outcome;
  };
}

/** @param onConnected called before a session is opened: an attachment learns of it then. */
async function openRemoteInterface(
  driven: DrivenPage,
  onConnected: (client: RemoteInterface) => void = () => {},
): Promise<{ readonly client: RemoteInterface; readonly send: Send }> {
  const connect = await importPackage<ChromeRemoteInterface>('chrome-remote-interface');
  const client = await connect({ target: driven.browser.wsEndpoint(), local: true });
  onConnected(client);
  const attached = { targetId: await driven.targetId(), flatten: true };
  const { sessionId } = (await client.send('Target.attachToTarget', attached)) as { sessionId: string };
  const send: Send = <Result>(method: string, params: object) =>
    client.send(method, params, sessionId) as Promise<Result>;
  return { client, send };
}

/** Releases all at once through a client that is attached, and waits until the page has let go. */
async function releaseAttached(
  driven: DrivenPage,
  releases: SessionAttachment,
  send: Send,
  objects: readonly MintedObject[],
): Promise<Outcome> {
  const before = releases.stats().commands;
  driven.start();
  await Promise.all(objects.map(({ objectId }) => send('Runtime.releaseObject', { objectId })));
  await releases.flush({ timeoutMs: 120_000 });
  await driven.stop();
  const commands = releases.stats().commands - before;
  releases.detach();
  return { handles: objects.length, commands, mustLetGo: true };
}

interface Playwright {
  readonly chromium: { connectOverCDP(endpoint: string): Promise<PlaywrightBrowser> };
}
interface PlaywrightBrowser {
  contexts(): PlaywrightContext[];
  close(): Promise<void>;
}
interface PlaywrightContext {
  pages(): PlaywrightPage[];
  newCDPSession(page: PlaywrightPage): Promise<PlaywrightSession>;
}
interface PlaywrightPage {
  context(): PlaywrightContext;
  evaluate(expression: string): Promise<unknown>;
  evaluateHandle(expression: string): Promise<PlaywrightHandle>;
}
interface PlaywrightHandle {
  getProperties(): Promise<Map<string, PlaywrightHandle>>;
  dispose(): Promise<void>;
}

/** Playwright, `Promise.all` of `handle.dispose()`. */
export async function disposeByPlaywright(driven: DrivenPage, count: number): Promise<Outcome> {
  const { browser, page } = await openInPlaywright(driven);
  const array = await page.evaluateHandle(`Array.from({ length: ${count} }, () => makeCounted(0))`);
  const handles = [...(await array.getProperties()).values()];
  await array.dispose();
  driven.start();
  await Promise.all(handles.map((handle) => handle.dispose()));
  await driven.stop();
  await browser.close();
  return { handles: count, commands: count, mustLetGo: true };
}

/** Playwright, `CDPSession.send` for each, all at once. */
export async function sendByPlaywright(driven: DrivenPage, count: number): Promise<Outcome> {
  const { browser, page } = await openInPlaywright(driven);
  const session = await page.context().newCDPSession(page);
  const send = <Result>(method: string, params: object): Promise<Result> =>
    session.send(method as never, params as never) as Promise<Result>;
  const ids = await mintIds(send, count);
  driven.start();
  await Promise.all(ids.map((objectId) => send('Runtime.releaseObject', { objectId })));
  await driven.stop();
  await browser.close();
  return { handles: count, commands: count, mustLetGo: true };
}

/** The same, attached, by ids that nobody tracks. */
export async function sendByAttachedPlaywright(driven: DrivenPage, count: number): Promise<Outcome> {
  const { browser, page } = await openInPlaywright(driven);
  const session = await page.context().newCDPSession(page);
  const releases = attachPlaywright(session);
  const send: Send = <Result>(method: string, params: object) =>
    session.send(method as never, params as never) as Promise<Result>;
  const outcome = await releaseAttached(driven, releases, send, await mintObjects(send, count));
  await browser.close();
  return outcome;
}

async function openInPlaywright(
  driven: DrivenPage,
): Promise<{ readonly browser: PlaywrightBrowser; readonly page: PlaywrightPage }> {
  const { chromium } = await importPackage<Playwright>('playwright-core');
  const browser = await chromium.connectOverCDP(driven.browser.wsEndpoint());
  for (const page of browser.contexts().flatMap((context) => context.pages())) {
    if (await page.evaluate(`typeof makeCounted === 'function'`)) return { browser, page };
  }
  throw new Error('Playwright does not see the page');
}

/** The batcher by itself, on a session that the script made: ids in, one command each. */
export async function releaseByBatcher(driven: DrivenPage, count: number): Promise<Outcome> {
  const session = await driven.page.createCDPSession();
  const send = <Result>(method: string, params: object): Promise<Result> =>
    session.send(method, { ...params }, { timeout: 0 }) as Promise<Result>;
  const ids = await mintIds(send, count);
  const batcher = new ReleaseBatcher();
  const sender = {
    send: (method: string, params: object = {}) => session.send(method, { ...params }, { timeout: 0 }),
  };
  driven.start();
  for (const id of ids) batcher.release(sender, id);
  await batcher.flush({ timeoutMs: 120_000 });
  await driven.stop();
  await batcher.close();
  return { handles: count, commands: count, mustLetGo: true };
}
