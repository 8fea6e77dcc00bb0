// Scopes: what is minted inside dies at the end, by one command, and nothing else does.
import type { Browser, ElementHandle, JSHandle, Page } from 'puppeteer-core';
import { beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { PuppeteerAttachment } from '../../src/clients/puppeteer/index.ts';
import { attached } from '../support/attached.ts';
import { Census } from '../support/census.ts';
import { launchChromium, PUPPETEERS } from '../support/chromium.ts';

const MANY = 10_000;

describe.each(PUPPETEERS)('a scope of handles of $name', ({ puppeteer }) => {
  let browser: Browser;
  let page: Page;
  let census: Census;
  let releases: PuppeteerAttachment;
  beforeAll(async () => {
    browser = await launchChromium({}, puppeteer);
  });
  beforeEach(async () => {
    page = await browser.newPage();
    await page.setContent('<div id="outer"><p>one</p><p>two</p></div>');
    census = await Census.open(page);
    onTestFinished(() => page.close());
    releases = attached(browser);
  });

  const make = (): Promise<JSHandle<{ big: number[] }>> => page.evaluateHandle(() => mk());

  async function alive(): Promise<number> {
    expect(await releases.flush()).toMatchObject({ complete: true, failed: 0, timedOut: 0, dropped: 0 });
    return census.alive();
  }

  it('gives back what its body gives, and releases what was minted inside', async () => {
    const length = await releases.scope(async () => (await make()).evaluate((object) => object.big.length));
    expect(length).toBe(1000);
    expect(await alive()).toBe(0);
    expect(releases.stats()).toMatchObject({ live: 0, disposed: 1 });
  });

  it('lets 10,000 handles die by one command', async () => {
    const before = releases.stats();
    const kept: JSHandle[] = [];
    await releases.scope(async () => {
      const list = await page.evaluateHandle((length) => Array.from({ length }, () => mk()), MANY);
      kept.push(...(await list.getProperties()).values());
    });
    expect(kept).toHaveLength(MANY);
    expect(await alive()).toBe(0);
    const after = releases.stats();
    expect(after.released - before.released).toBeGreaterThan(MANY);
    expect(after.commands - before.commands).toBe(1);
    expect(after.groupCommands - before.groupCommands).toBe(1);
  });

  it('leaves what was minted outside alone', async () => {
    const outer = await make();
    await releases.scope(async () => {
      await make();
      await outer.evaluate((object) => object.big);
    });
    expect(await alive()).toBe(1);
    expect(await outer.evaluate((object) => object.big.length)).toBe(1000);
    await outer.dispose();
  });

  it('nests', async () => {
    await releases.scope(async () => {
      const outer = await make();
      await releases.scope(make);
      expect(await alive()).toBe(1);
      expect(await outer.evaluate((object) => object.big.length)).toBe(1000);
    });
    expect(await alive()).toBe(0);
  });

  it('does not mix with 999 others that run at the same time', async () => {
    const lengths = await Promise.all(
      Array.from({ length: 1_000 }, (_, index) =>
        releases.scope(async () => {
          const handle = await page.evaluateHandle((length) => ({ object: mk(), length }), index);
          // Others end between these two commands.
          return handle.evaluate((object) => object.length);
        }),
      ),
    );
    expect(lengths).toEqual(Array.from({ length: 1_000 }, (_, index) => index));
    expect(await alive()).toBe(0);
    expect(releases.stats().live).toBe(0);
  });

  it('ends with an error of its body, which comes out', async () => {
    const failing = releases.scope(async () => {
      await make();
      await page.evaluate(() => {
        throw mk();
      });
    });
    await expect(failing).rejects.toBeInstanceOf(Error);
    await expect(
      releases.scope(() => {
        throw new Error('at once');
      }),
    ).rejects.toThrow('at once');
    expect(await alive()).toBe(0);
  });

  it('ends with an early return, also of what is answered after it', async () => {
    let late: Promise<unknown> | undefined;
    await releases.scope(async () => {
      late = page.evaluateHandle(() => new Promise((resolve) => setTimeout(() => resolve(mk()), 50)));
    });
    await late;
    expect(await alive()).toBe(0);
  });

  it('lets a handle escape, with its children to come', async () => {
    const escaped = await releases.scope(async () => {
      await make();
      return releases.escape(await page.evaluateHandle(() => ({ child: mk() })));
    });
    expect(await alive()).toBe(1);
    const child = await escaped.getProperty('child');
    expect(await child.evaluate((object) => object.big.length)).toBe(1000);
    await Promise.all([escaped.dispose(), child.dispose()]);
    expect(await alive()).toBe(0);
  });

  it('lets one of many escape by moving it', async () => {
    const escaped = await releases.scope(async () => {
      const handles = await Promise.all(Array.from({ length: 100 }, make));
      return releases.escape(handles[42] as JSHandle<{ big: number[] }>);
    });
    await expect.poll(alive).toBe(1);
    expect(await escaped.evaluate((object) => object.big.length)).toBe(1000);
    await escaped.dispose();
    expect(await alive()).toBe(0);
  });

  it('gives a clear error for a handle that is used after its scope', async () => {
    const handle = await releases.scope(make);
    await releases.flush();
    await expect(handle.evaluate((object) => object.big)).rejects.toThrow(/Could not find object|scope/);
    await expect(page.evaluate((object) => object, handle)).rejects.toThrow(/Could not find object|scope/);
    await handle.dispose();
  });

  it('leaves alone what Puppeteer minted inside for itself', async () => {
    const element = (await page.$('#outer')) as ElementHandle;
    await page.reload(); // Another document, in which Puppeteer has nothing cached yet.
    await page.setContent('<div id="outer"><button>push</button><p>one</p><p>two</p></div>');
    expect(element).not.toBeNull();
    const outer = releases.escape((await page.waitForSelector('#outer')) as ElementHandle);
    await releases.scope(async () => {
      expect(await outer.$('p')).not.toBeNull();
      expect(await page.$$('p')).toHaveLength(2);
      expect(await outer.$$eval('p', (all) => all.length)).toBe(2);
      await page.waitForFunction('document.body');
      await page.locator('button').click();
      await page.$('::-p-aria(push)');
    });
    await releases.flush();
    expect(await outer.$('p')).not.toBeNull();
    expect(await outer.isVisible()).toBe(true);
    expect(await page.$$('p')).toHaveLength(2);
    expect(await page.$$eval('p', (all) => all.length)).toBe(2);
    expect(await outer.$$eval('p', (all) => all.length)).toBe(2);
    await page.waitForFunction('document.body');
    await page.locator('button').click();
    expect(await page.$('::-p-aria(push)')).not.toBeNull();
    await outer.click();
  });

  it('covers a page as a block, whoever mints in it', async () => {
    const other = await browser.newPage();
    await other.setContent('');
    const outside = await other.evaluateHandle(() => ({ answer: 42 }));
    const mint = async (): Promise<void> => {
      await make();
    };
    let meanwhile: typeof outside;
    {
      using scope = releases.openScope(page);
      expect(scope.hasEnded).toBe(false);
      await mint();
      await page.$$('p');
      meanwhile = await other.evaluateHandle(() => ({ answer: 43 }));
    }
    expect(await alive()).toBe(0);
    expect(await outside.evaluate((object) => object.answer)).toBe(42);
    expect(await meanwhile.evaluate((object) => object.answer)).toBe(43);
    const after = await make();
    expect(await after.evaluate((object) => object.big.length)).toBe(1000);
    expect(await page.$('p')).not.toBeNull();
    await Promise.all([outside, meanwhile, after].map((handle) => handle.dispose()));
    await other.close();
  });
});
