// A few handles kept of many: the rest goes, by few commands, and what is kept stays usable whatever it is.
import type { Browser, ElementHandle, JSHandle, Page } from 'puppeteer-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { PuppeteerAttachment } from '../../src/clients/puppeteer/index.ts';
import { attached, sessionOf } from '../support/attached.ts';
import { Census } from '../support/census.ts';
import { launchChromium, PUPPETEERS_BY_SIZE } from '../support/chromium.ts';
import { collectUntil } from '../support/collect-until.ts';
import { openSite, type Site } from '../support/site.ts';
import { sized } from '../support/sized.ts';

const MANY = sized(2_000, 20_000);

describe.each(PUPPETEERS_BY_SIZE)('the survivors among handles of $name', ({ puppeteer }) => {
  let browser: Browser;
  let site: Site;
  let page: Page;
  let releases: PuppeteerAttachment;
  beforeAll(async () => {
    browser = await launchChromium({ args: ['--site-per-process'] }, puppeteer);
    site = await openSite({ '/': '<p>here</p>', '/frame': '<p>elsewhere</p>' });
  });
  afterAll(() => site[Symbol.asyncDispose]());
  beforeEach(async () => {
    page = await browser.newPage();
    await page.goto(site.here);
    onTestFinished(() => page.close());
    releases = attached(page);
  });

  /** Mints `expression` as a handle in the midst of many that die, so that it has to move. */
  async function amongTheDead(...expressions: readonly string[]): Promise<JSHandle[]> {
    const kept: JSHandle[] = [];
    const doomed: JSHandle[] = [];
    for (const expression of expressions) {
      kept.push(await page.evaluateHandle(expression));
      doomed.push(...(await Promise.all(Array.from({ length: 20 }, () => page.evaluateHandle('({})')))));
    }
    const before = releases.stats();
    await Promise.all(doomed.map((handle) => handle.dispose()));
    const released = (): number => releases.stats().released - before.released;
    await expect.poll(released, { timeout: 60_000 }).toBeGreaterThanOrEqual(doomed.length);
    return kept;
  }

  it('1 in 100 of many are all that the page holds, and all are usable', async () => {
    const census = await Census.open(page);
    const kept: JSHandle<{ index: number }>[] = [];
    const mint = async (start: number): Promise<void> => {
      const handles = await Promise.all(
        Array.from({ length: 100 }, (_, index) =>
          page.evaluateHandle((index) => Object.assign(mk(), { index }), start + index),
        ),
      );
      kept.push(handles[50] as unknown as JSHandle<{ index: number }>);
    };
    for (let start = 0; start < MANY; start += 100) await mint(start);
    await collectUntil(async () => {
      await releases.flush();
      return releases.stats().live <= kept.length;
    });
    await expect
      .poll(
        async () => {
          await releases.flush();
          return census.alive();
        },
        { timeout: 60_000 },
      )
      .toBe(kept.length);
    const indices = await Promise.all(kept.map((handle) => handle.evaluate((object) => object.index)));
    expect(indices).toEqual(kept.map((_, number) => number * 100 + 50));
    expect(releases.stats().moved).toBeGreaterThan(0);
    expect(releases.stats().commandsPerFreedHandle).toBeLessThan(1 / 10);
    await Promise.all(kept.map((handle) => handle.dispose()));
    await releases.flush();
    expect(await census.alive()).toBe(0);
  });

  it('keep their identity, whatever they are', async () => {
    await page.evaluate(`
      globalThis.things = {
        symbol: Symbol('kept'),
        registered: Symbol.for('kept'),
        function: () => 42,
        node: document.querySelector('p'),
        proxy: new Proxy({}, { get() { throw new Error('trap'); }, ownKeys() { throw new Error('trap'); } }),
        revoked: (() => { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return proxy; })(),
        throwing: { get boom() { throw new Error('getter'); } },
        frozen: Object.freeze({}),
        empty: Object.create(null),
        thenable: { then() { throw new Error('then'); } },
        promise: Promise.resolve({}),
        rejected: Promise.reject(new Error('kept')),
        window,
        array: [1, , 3],
        map: new Map([[1, 2]]),
        weak: new WeakRef({}),
        error: new Error('kept'),
        date: new Date(0),
        generator: (function* () {})(),
        buffer: new ArrayBuffer(8),
        boxed: Object(1n),
        all: document.all,
      };
      things.rejected.catch(() => {});
      void 0;
    `);
    const names = (await page.evaluate('Object.keys(things)')) as string[];
    const wrapped = names.map((name) => `({ [Symbol.toStringTag]: 'box', box: things.${name} })`);
    const boxes = await Promise.all(wrapped.map((expression) => page.evaluateHandle(expression)));
    const before = releases.stats().moved;
    // Puppeteer would await a promise or a thenable that it evaluates to; as a property it is given as it is.
    const kept = new Map<string, JSHandle>();
    for (const [index, name] of names.entries()) {
      const property = await (boxes[index] as JSHandle).getProperties();
      kept.set(name, property.get('box') as JSHandle);
    }
    await Promise.all(boxes.map((box) => box.dispose()));
    await amongTheDead(...Array.from({ length: 5 }, () => '({})'));
    expect(releases.stats().moved).toBeGreaterThan(before);
    for (const [name, handle] of kept) {
      const isSame = await sessionOf(page).send('Runtime.callFunctionOn', {
        functionDeclaration: 'function (kept, name) { return Object.is(kept, things[name]); }',
        objectId: handle.remoteObject().objectId,
        arguments: [{ objectId: handle.remoteObject().objectId }, { value: name }],
        returnByValue: true,
      });
      expect(isSame, name).toMatchObject({ result: { value: true } });
    }
  });

  it('need no id where they are plain values', async () => {
    const values = ['-0', 'NaN', '-Infinity', '10n', 'null', 'undefined', '"text"', 'true'];
    const kept = await amongTheDead(...values);
    const again = await Promise.all(
      kept.map((handle) => page.evaluate((value) => Object.is(value, value), handle)),
    );
    expect(again).toEqual(values.map(() => true));
    expect(Object.is(await kept[0]?.jsonValue(), -0)).toBe(true);
    expect(await kept[1]?.jsonValue()).toBeNaN();
    expect(await kept[3]?.jsonValue()).toBe(10n);
  });

  it('that are windows of other origins', async () => {
    await page.evaluate(`new Promise((resolve) => {
      const frame = Object.assign(document.createElement('iframe'), { src: '${site.elsewhere}/frame', onload: resolve });
      document.body.append(frame);
    }).then(() => {})`);
    const [foreign, object] = await amongTheDead(
      'document.querySelector("iframe").contentWindow',
      '({ answer: 42 })',
    );
    expect(await page.evaluate('1')).toBe(1);
    expect(await foreign?.evaluate((it) => it === (globalThis as unknown as Window).frames[0])).toBe(true);
    expect(await object?.evaluate((it) => (it as { answer: number }).answer)).toBe(42);
  });

  it('are found by the ids that they had before', async () => {
    const census = await Census.open(page);
    const element = (await page.$('p')) as ElementHandle;
    const [kept] = await Promise.all([page.evaluateHandle(() => Object.assign(mk(), { answer: 42 }))]);
    const formerId = kept.remoteObject().objectId as string;
    const formerElementId = element.remoteObject().objectId as string;
    await amongTheDead('({})', '({})');
    await expect.poll(() => kept.remoteObject().objectId).not.toBe(formerId);
    const session = sessionOf(page);
    const asked = await session.send('Runtime.callFunctionOn', {
      objectId: formerId,
      functionDeclaration: 'function (element) { return [this.answer, element.tagName]; }',
      arguments: [{ objectId: formerElementId }],
      returnByValue: true,
    });
    expect(asked).toMatchObject({ result: { value: [42, 'P'] } });
    expect(await session.send('DOM.describeNode', { objectId: formerElementId })).toMatchObject({
      node: { localName: 'p' },
    });
    await session.send('Runtime.releaseObject', { objectId: formerId });
    await releases.flush();
    expect(await census.alive()).toBe(0);
  });

  it('of a context that dies meanwhile go with it', async () => {
    const handles = await Promise.all(Array.from({ length: 400 }, () => page.evaluateHandle('({})')));
    await Promise.all(handles.filter((_, index) => index % 100 !== 0).map((handle) => handle.dispose()));
    // The moves are under way or about to be when the document goes.
    await page.goto(`${site.here}/?next`);
    await expect.poll(() => releases.stats().live).toBe(0);
    expect(await releases.flush()).toMatchObject({ complete: true, failed: 0, timedOut: 0, dropped: 0 });
    const [kept] = await amongTheDead('({ answer: 42 })');
    expect(await kept?.evaluate((object) => (object as { answer: number }).answer)).toBe(42);
  });
});
