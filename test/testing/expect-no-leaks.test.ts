import { AssertionError } from 'node:assert';
import type { Browser, Page } from 'puppeteer-core';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { attachedTo } from '../../src/clients/puppeteer/attach.ts';
import { attach } from '../../src/clients/puppeteer/index.ts';
import { expectNoLeaks, LeakError } from '../../src/testing/index.ts';
import { attached } from '../support/attached.ts';
import { launchChromium, PUPPETEERS } from '../support/chromium.ts';
import { expectForgottenAndHeldTold } from '../support/leaks-told.ts';
import { runScript } from '../support/script.ts';

describe.each(PUPPETEERS)('expectNoLeaks with $name', ({ puppeteer }) => {
  let browser: Browser;
  let page: Page;
  beforeAll(async () => {
    browser = await launchChromium({}, puppeteer);
  });
  beforeEach(async () => {
    page = await browser.newPage();
    await page.setContent('<ul><li>a<li>b</ul>');
  });

  it('gives what the body gives, where everything was disposed of', async () => {
    const texts = await expectNoLeaks(page, async () => {
      const items = await page.$$('li');
      const texts = await Promise.all(items.map((item) => item.evaluate((node) => node.textContent)));
      for (const item of items) void item.dispose();
      await page.$$eval('li', (nodes) => nodes.length);
      await page.click('li');
      return texts;
    });
    expect(texts).toEqual(['a', 'b']);
  });

  it('fails with the lines that asked for what was not, forgotten or held', async () => {
    const error = await expectForgottenAndHeldTold(page);
    expect(error).toBeInstanceOf(AssertionError);
    expect(error).toMatchObject({
      code: 'ERR_ASSERTION',
      expected: 0,
      leaks: [
        { kind: 'array', count: 3 },
        { kind: 'node', count: 1 },
      ],
    });
  });

  it('lets pass what it is told to, what the body hands on, and what went with its page', async () => {
    await expectNoLeaks(page, () => page.$('li').then(() => {}), { allow: 1 });
    const [item] = await expectNoLeaks(page, () => page.$$('li'));
    expect(await item?.evaluate((node) => node.textContent)).toBe('a');
    await expectNoLeaks(page, async () => {
      await page.$('li');
      await page.goto('data:text/html,<p>next');
    });
  });

  it('says how many may be left where more are', async () => {
    const failed = expectNoLeaks(page, async () => void (await page.$$('li')), { allow: 1 });
    await expect(failed).rejects.toMatchObject({
      actual: 2,
      expected: 1,
      message: expect.stringMatching(/^2 handles were not disposed of, where 1 may be:\n {2}2 × node/),
    });
  });

  it('takes the handles of a map for handed on, and none that was asked for before', async () => {
    const parent = await page.evaluateHandle(() => ({ a: {}, b: [] }));
    const children = await expectNoLeaks(page, () => parent.getProperties());
    expect([...children.keys()]).toEqual(['a', 'b']);
  });

  it('gives back what only looks like a handle', async () => {
    const alike = {
      remoteObject: (): never => {
        throw new Error('not a handle');
      },
    };
    expect(await expectNoLeaks(page, () => alike)).toBe(alike);
  });

  it.each([
    ['first', [0, 1]],
    ['last', [1, 0]],
  ] as const)(
    'looks on until the last body has ended, if the %s to begin is over first',
    async (_, order) => {
      const gates = order.map(() => {
        let open = (): void => {};
        const opened = new Promise<void>((resolve) => {
          open = resolve;
        });
        return { open, opened };
      });
      const bodies = gates.map(({ opened }) =>
        expectNoLeaks(page, async () => {
          await opened;
          await page.$('li');
        }),
      );
      for (const index of order) {
        expect(attachedTo(page)).toBeDefined();
        gates[index]?.open();
        await expect(bodies[index]).rejects.toMatchObject({ actual: 1 });
      }
      expect(attachedTo(page)).toBeUndefined();
    },
  );

  it('does not mix bodies that run at the same time, however fast they ask', async () => {
    const wasteful = expectNoLeaks(page, async () => {
      await Promise.all(Array.from({ length: 500 }, () => page.evaluateHandle(() => ({}))));
    });
    const careful = expectNoLeaks(page, async () => {
      for (let count = 0; count < 50; count++) await (await page.evaluateHandle(() => ({}))).dispose();
    });
    const [wasted, cared] = await Promise.allSettled([wasteful, careful]);
    expect(wasted).toMatchObject({ status: 'rejected', reason: { actual: 500 } });
    expect(cared).toMatchObject({ status: 'fulfilled' });
  });

  it('passes on what the body throws', async () => {
    const body = (): never => {
      throw new RangeError('mine');
    };
    await expect(expectNoLeaks(page, body)).rejects.toThrow(new RangeError('mine'));
  });

  it('leaves an attachment that there was as it was, and none where there was none', async () => {
    const { goto } = Object.getPrototypeOf(page) as Page;
    const releases = attached(browser);
    await expect(expectNoLeaks(page, () => page.$('li').then(() => {}))).rejects.toBeInstanceOf(LeakError);
    expect(releases.detached).toBe(false);
    expect(releases.leaks()).toEqual([]);
    expect((Object.getPrototypeOf(page) as Page).goto).toBe(goto);
    releases.detach();
    await expectNoLeaks(page, () => page.title());
    expect((Object.getPrototypeOf(page) as Page).goto).toBe(goto);
    const fresh = attach(page);
    expect(fresh.stats().minted).toBe(0);
    fresh.detach();
  });

  it('refuses what is no page, no function, no number', async () => {
    await expect(expectNoLeaks({} as Page, () => {})).rejects.toThrow(TypeError);
    await expect(expectNoLeaks(page, 1 as never)).rejects.toThrow('expected a function');
    await expect(expectNoLeaks(page, () => {}, { allow: -1 })).rejects.toThrow('allow');
  });
});

it('works under node:test', async () => {
  const source = `
    import { test } from 'node:test';
    import puppeteer from 'puppeteer-core';
    import { expectNoLeaks } from 'cdp-release-batcher/testing';
    const browser = await puppeteer.launch(launchOptions);
    const page = await browser.newPage();
    await page.setContent('<p>');
    await test('careful', () => expectNoLeaks(page, async () => (await page.$('p')).dispose()));
    await test('careless', () => expectNoLeaks(page, async () => { await page.$('p'); }));
    await browser.close();
  `;
  const { code, stdout } = await runScript(source, { execArgv: ['--test-reporter', 'tap'] });
  expect(stdout).toContain('ok 1 - careful');
  expect(stdout).toContain('not ok 2 - careless');
  expect(stdout).toMatch(/1 handle was not disposed of:\s+1 × node, asked for at/);
  expect(stdout).toContain('ERR_ASSERTION');
  expect(code).toBe(1);
});
