// Cloudflare's fork of Puppeteer, with its own transport, against a local Chromium: the binding that a worker would be
// given is played, its WebSocket leads to the real browser.
import cloudflare from '@cloudflare/puppeteer';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { attach, lazyBrowser } from '../../src/clients/puppeteer/index.ts';
import { attached } from '../support/attached.ts';
import { Census } from '../support/census.ts';
import { launchChromium } from '../support/chromium.ts';
import { collectUntil } from '../support/collect-until.ts';

type Binding = Parameters<typeof cloudflare.launch>[0];
type CloudflareBrowser = Awaited<ReturnType<typeof cloudflare.launch>>;

/** `env.BROWSER`, as far as `launch` asks it: a session, then a WebSocket to it. */
class BrowserBinding {
  readonly sockets: WebSocket[] = [];
  readonly #wsEndpoint: string;

  constructor(wsEndpoint: string) {
    this.#wsEndpoint = wsEndpoint;
  }

  async fetch(_url: string, init?: { readonly method?: string }): Promise<unknown> {
    if (init?.method === 'POST') return Response.json({ sessionId: `session-${this.sockets.length + 1}` });
    const webSocket = Object.assign(new WebSocket(this.#wsEndpoint), { accept: () => {} });
    this.sockets.push(webSocket);
    await new Promise((resolve, reject) => webSocket.once('open', resolve).once('error', reject));
    return { webSocket };
  }
}

async function openBinding(): Promise<{ binding: Binding; sockets: readonly WebSocket[] }> {
  const chromium = await launchChromium();
  const played = new BrowserBinding(chromium.wsEndpoint());
  onTestFinished(() => {
    for (const socket of played.sockets) socket.terminate();
  });
  return { binding: played as unknown as Binding, sockets: played.sockets };
}

test('what a worker forgets is released, and a scope dies by one command', async () => {
  const { binding } = await openBinding();
  const browser: CloudflareBrowser = await cloudflare.launch(binding);
  const releases = attached(browser);
  const page = await browser.newPage();
  const census = await Census.open(page as never);

  for (let i = 0; i < 100; i++) await page.evaluateHandle(() => mk());
  await collectUntil(() => releases.stats().collected >= 100);
  expect(await releases.flush()).toMatchObject({ complete: true });
  expect(await census.alive()).toBe(0);

  const { groupCommands } = releases.stats();
  await releases.scope(async () => {
    for (let i = 0; i < 50; i++) await page.evaluateHandle(() => mk());
  });
  expect(await releases.flush()).toMatchObject({ complete: true });
  expect(releases.stats().groupCommands).toBe(groupCommands + 1);
  expect(await census.alive()).toBe(0);
});

test('a binding that is lost is connected to anew by the lazy browser', async () => {
  const { binding, sockets } = await openBinding();
  const getBrowser = lazyBrowser(() => cloudflare.launch(binding));
  const [first, same] = await Promise.all([getBrowser(), getBrowser()]);
  expect(same).toBe(first);
  expect(sockets.length).toBe(1);

  const disconnected = new Promise((resolve) => first.once('disconnected', () => resolve(undefined)));
  sockets[0]?.terminate();
  await disconnected;
  const second = await getBrowser();
  expect(second).not.toBe(first);
  const page = await second.newPage();
  await page.evaluateHandle(() => ({}));
  expect(attach(second).stats().minted).toBeGreaterThan(0);
});
