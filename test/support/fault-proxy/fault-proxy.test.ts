// The proxy does to messages what it says, and nothing besides.
import puppeteer, { type Browser, type CDPSession, type Page } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { launchChromium } from '../chromium.ts';
import { FaultProxy } from './fault-proxy.ts';
import { REFUSALS } from './wire.ts';

let behind: Browser;
let proxy: FaultProxy;
let browser: Browser;
beforeAll(async () => {
  behind = await launchChromium();
});
afterAll(() => behind.close());

async function connect(): Promise<void> {
  proxy = await FaultProxy.open(behind.wsEndpoint());
  browser = await puppeteer.connect({ browserWSEndpoint: proxy.endpoint, defaultViewport: null });
  onTestFinished(async () => {
    await browser.disconnect();
    await proxy[Symbol.asyncDispose]();
  });
}

async function openSession(): Promise<{ page: Page; session: CDPSession }> {
  const page = await browser.newPage();
  onTestFinished(async () => {
    if (browser.connected) await page.close();
  });
  return { page, session: await page.createCDPSession() };
}

const evaluate = async (session: CDPSession, expression: string): Promise<unknown> => {
  const { result } = await session.send('Runtime.evaluate', { expression, returnByValue: true });
  return result.value;
};

describe('lets through', () => {
  it('what no fault is for, in order', async () => {
    await connect();
    const { session } = await openSession();
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) => evaluate(session, `${index}`)),
    );
    expect(answers).toEqual(Array.from({ length: 50 }, (_, index) => index));
    const evaluations = proxy.commands.filter(
      ({ method, sessionId }) => method === 'Runtime.evaluate' && sessionId === session.id(),
    );
    expect(evaluations).toHaveLength(50);
  });
});

describe('keeps the order of a session, whatever becomes of that among sessions', () => {
  it.each(['hold', 'delay', 'shuffle'] as const)('when told to %s', async (how) => {
    await connect();
    const [one, two] = [await openSession(), await openSession()];
    const arrived: string[] = [];
    const isOne = ({ sessionId }: { sessionId: string }) => sessionId === one.session.id();
    let turn = 0;
    const fault =
      how === 'hold'
        ? proxy.toClient.hold(isOne)
        : how === 'delay'
          ? proxy.toClient.delay(isOne, 20)
          : proxy.toClient.shuffle(
              () => true,
              () => (turn = (turn * 7 + 3) % 11),
            );
    const all = [one, two].flatMap(({ session }, which) =>
      Array.from({ length: 10 }, (_, index) =>
        evaluate(session, `${index}`).then(() => arrived.push(`${which}:${index}`)),
      ),
    );
    await Promise.all(all.slice(10));
    if (how === 'hold') expect(arrived.every((name) => name.startsWith('1:'))).toBe(true);
    fault[Symbol.dispose]();
    await Promise.all(all);
    for (const which of [0, 1]) {
      const ofSession = arrived.filter((name) => name.startsWith(`${which}:`));
      expect(ofSession).toEqual(Array.from({ length: 10 }, (_, index) => `${which}:${index}`));
    }
  });
});

describe('a message', () => {
  const answersTo =
    (session: CDPSession, method = 'Runtime.evaluate') =>
    (message: { sessionId: string; method: string; kind: string }) =>
      message.sessionId === session.id() && message.method === method && message.kind === 'answer';

  it('is dropped', async () => {
    await connect();
    const { session } = await openSession();
    const fault = proxy.toClient.drop(answersTo(session));
    const lost = session.send('Runtime.evaluate', { expression: '1' }, { timeout: 200 });
    await expect(lost).rejects.toThrow('timed out');
    fault[Symbol.dispose]();
    expect(await evaluate(session, '2')).toBe(2);
  });

  it('comes twice', async () => {
    await connect();
    const { session } = await openSession();
    await session.send('Runtime.enable');
    let heard = 0;
    session.on('Runtime.consoleAPICalled', () => heard++);
    using _ = proxy.toClient.duplicate(({ kind }) => kind === 'event');
    await evaluate(session, 'console.log(1)');
    expect(heard).toBe(2);
  });

  it('is corrupted', async () => {
    await connect();
    const { session } = await openSession();
    using _ = proxy.toClient.corrupt(answersTo(session), (text) => text.replace('"value":1', '"value":2'));
    expect(await evaluate(session, '1')).toBe(2);
  });

  it('is truncated, so that it is no JSON any more', async () => {
    await connect();
    const { session } = await openSession();
    const texts: string[] = [];
    using _ = proxy.toBrowser.truncate((message) => {
      texts.push(message.text);
      return message.sessionId === session.id();
    });
    // The browser refuses what it cannot read, without telling what it was.
    await expect(session.send('Runtime.evaluate', { expression: '1' }, { timeout: 200 })).rejects.toThrow();
    expect(texts).toHaveLength(1);
  });

  it.each(REFUSALS)('is refused with "$message", and the browser never sees it', async (refusal) => {
    await connect();
    const { session } = await openSession();
    using _ = proxy.refuse(({ method }) => method === 'Runtime.evaluate', refusal);
    await expect(evaluate(session, 'globalThis.seen = true')).rejects.toThrow(refusal.message);
    _[Symbol.dispose]();
    if (!refusal.message.startsWith('Session with'))
      expect(await evaluate(session, 'globalThis.seen')).toBe(undefined);
  });
});

describe('a session goes silent', () => {
  it('and others do not; it speaks again when the silence ends', async () => {
    await connect();
    const [one, two] = [await openSession(), await openSession()];
    const silence = proxy.silence(one.session.id());
    let isAnswered = false;
    const asked = evaluate(one.session, '1').then(() => {
      isAnswered = true;
    });
    expect(await evaluate(two.session, '2')).toBe(2);
    expect(isAnswered).toBe(false);
    silence[Symbol.dispose]();
    await asked;
  });
});

describe('a connection', () => {
  it.each(['closeInMidFrame', 'sever'] as const)('breaks off: %s', async (how) => {
    await connect();
    const { session } = await openSession();
    const disconnected = new Promise((resolve) => browser.once('disconnected', resolve));
    const asked = evaluate(session, 'new Promise(() => {})');
    proxy[how]();
    await expect(asked).rejects.toThrow();
    await disconnected;
    expect(browser.connected).toBe(false);
    expect(behind.connected, 'the browser itself lives').toBe(true);
  });
});
