// Puppeteer as other libraries take it, with the difference that its browsers come attached.
import type { Browser } from 'puppeteer-core';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { attach, withReleases } from '../../src/clients/puppeteer/index.ts';
import { Census } from '../support/census.ts';
import { launchChromium, PUPPETEERS } from '../support/chromium.ts';
import { collectUntil } from '../support/collect-until.ts';
import { expectAtRest } from '../support/conservation.ts';
import { givenBack } from '../support/given-back.ts';

const MANY = 20;

/** Forgets handles, and expects them to be gone. */
async function expectAttached(browser: Browser): Promise<void> {
  const page = await browser.newPage();
  const releases = givenBack(attach(browser));
  const census = await Census.open(page);
  for (let count = 0; count < MANY; count++) await page.evaluateHandle(() => mk());
  expect(releases.stats().minted).toBe(MANY);
  await collectUntil(() => releases.stats().live === 0);
  await releases.flush();
  expect(await census.alive()).toBe(0);
  expectAtRest(releases.stats());
  await page.close();
}

describe.each(PUPPETEERS)('withReleases over $name', ({ puppeteer }) => {
  it.each([false, true])('attaches what it launches, by pipe: %s', async (pipe) => {
    const browser = await launchChromium({ pipe }, withReleases(puppeteer));
    await expectAttached(browser);
  });

  it('attaches what it connects to, and leaves the other connection alone', async () => {
    const browser = await launchChromium({}, puppeteer);
    const connected = await withReleases(puppeteer).connect({ browserWSEndpoint: browser.wsEndpoint() });
    onTestFinished(() => connected.disconnect());
    const [page] = await browser.pages();
    const handle = await page?.evaluateHandle(() => ({ answer: 42 }));
    await expectAttached(connected);
    expect(await handle?.evaluate((object) => object.answer)).toBe(42);
  });

  it('gives each browser its options', async () => {
    const browser = await launchChromium({}, withReleases(puppeteer, { pressure: false }));
    const page = await browser.newPage();
    const handle = await page.evaluateHandle(() => ({}));
    expect(attach(browser).stats()).toMatchObject({ live: 1, chargedBytes: 0 });
    await handle.dispose();
  });

  it('is found again through a Proxy of the browser, such as crawlee makes', async () => {
    const browser = await launchChromium({}, withReleases(puppeteer));
    const bound: (string | symbol)[] = ['newPage', 'close', 'on', 'pages', 'version'];
    const proxy = new Proxy(browser, {
      get(target, name, receiver) {
        const member: unknown = Reflect.get(target, name, bound.includes(name) ? target : receiver);
        return bound.includes(name) && typeof member === 'function' ? member.bind(target) : member;
      },
    });
    expect(() => proxy.targets(), 'private members are out of reach').toThrow(TypeError);
    expect(givenBack(attach(proxy))).toBe(givenBack(attach(browser)));
    await expectAttached(proxy);

    givenBack(attach(browser)).detach(); // What was taken as it was launched.
    const again = attach(proxy);
    expect(again).not.toBe(attach(await launchChromium({}, withReleases(puppeteer))));
    expect(givenBack(attach(browser))).toBe(again);
    await expectAttached(browser);
  });

  it('is that Puppeteer in all else', async () => {
    const names = Reflect.ownKeys(puppeteer);
    const delegate = withReleases(puppeteer);
    expect(delegate.defaultArgs()).toEqual(puppeteer.defaultArgs());
    const { launch } = delegate;
    const browser = await launchChromium({}, { launch });
    expect(await browser.version()).toContain('/');
    expect(Reflect.ownKeys(puppeteer)).toEqual(names);
    expect(withReleases(delegate)).not.toBe(delegate);
  });

  it('passes on why a browser was not launched', async () => {
    await expect(withReleases(puppeteer).launch({ executablePath: '/nowhere/at/all' })).rejects.toThrow(
      '/nowhere/at/all',
    );
  });

  it('may be laid over itself', async () => {
    const browser = await launchChromium({}, withReleases(withReleases(puppeteer)));
    await expectAttached(browser);
  });
});

it('what is set on the delegate of a Puppeteer is set on that Puppeteer', () => {
  const original = { launch: async (): Promise<unknown> => undefined, cacheDirectory: '/before' };
  withReleases(original).cacheDirectory = '/after';
  expect(original.cacheDirectory).toBe('/after');
});

describe('withReleases refuses', () => {
  it.each([undefined, null, {}, 5, 'puppeteer'])('%o, which is no Puppeteer', (puppeteer) => {
    expect(() => withReleases(puppeteer as never)).toThrow(TypeError);
    expect(() => withReleases(puppeteer as never)).toThrow(
      /expected a Puppeteer with launch\(\) or connect\(\), got/,
    );
  });

  it('bad options, before there is a browser', () => {
    const launch = async (): Promise<unknown> => undefined;
    expect(() => withReleases({ launch }, { maxBatchSize: 0 })).toThrow(/maxBatchSize .* got 0/);
  });
});

describe('what is set or stubbed', () => {
  const real = async (): Promise<string> => 'real';

  it('on the original, before or after, is seen through the delegate, and so is its end', async () => {
    const original = { launch: real };
    const before = vi.spyOn(original, 'launch').mockResolvedValue('stubbed before');
    const delegate = withReleases(original);
    expect(await delegate.launch()).toBe('stubbed before');
    before.mockRestore();
    expect(await delegate.launch()).toBe('real');
    original.launch = async () => 'set after';
    expect(await delegate.launch()).toBe('set after');
  });

  it('on the delegate is seen on the original, and what was there can be put back', async () => {
    const original = { launch: real };
    const delegate = withReleases(original);
    const { launch } = delegate;
    delegate.launch = async () => 'set';
    expect([await original.launch(), await delegate.launch()]).toEqual(['set', 'set']);
    delegate.launch = launch;
    expect(original.launch).toBe(real);
    const spy = vi.spyOn(delegate, 'launch').mockResolvedValue('spied on');
    expect(await delegate.launch()).toBe('spied on');
    spy.mockRestore();
    expect(await delegate.launch()).toBe('real');
  });
});
