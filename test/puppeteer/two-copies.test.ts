// Two copies of this package attached to one browser, as where a library that the script uses has one of its own.
import { expect, it, onTestFinished } from 'vitest';
import { attach } from '../../src/clients/puppeteer/index.ts';
import { expectNoLeaks } from '../../src/testing/index.ts';
import { fromAnotherCopy } from '../support/another-copy.ts';
import { connectionOf, sessionOf } from '../support/attached.ts';
import { launchChromium, openPage } from '../support/chromium.ts';
import { collectUntil } from '../support/collect-until.ts';
import { givenBack } from '../support/given-back.ts';

const another = await fromAnotherCopy(() => import('../../src/clients/puppeteer/index.ts'));
const browser = await launchChromium();

it('the second is given what the first has made, for the browser and for its parts', async () => {
  const page = await openPage(browser);
  const releases = attach(browser);
  onTestFinished(() => releases.detach());
  expect(givenBack(another.attach(browser))).toBe(releases);
  expect(givenBack(another.attach(browser.defaultBrowserContext()))).toBe(releases);
  expect(givenBack(another.attach(page))).toBe(releases);
});

it('handles that were held before the second came can be used, while others are let go of', async () => {
  const page = await openPage(browser);
  const load = () => fromAnotherCopy(() => import('../../src/clients/puppeteer/index.ts'));
  const [one, two] = [await load(), await load()]; // Neither has named a group yet.
  const first = one.attach(browser);
  onTestFinished(() => first.detach());
  const held = await Promise.all([1, 2, 3].map((n) => page.evaluateHandle((value) => ({ value }), n)));
  const second = two.attach(browser);
  onTestFinished(() => second.detach());
  for (let count = 0; count < 100; count++) await page.evaluateHandle(() => ({}));
  await collectUntil(() => second.stats().live <= held.length + 10);
  await second.flush();
  const values = await Promise.all(
    held.map((handle) => handle.evaluate(({ value }) => value).catch(() => 'taken away')),
  );
  expect(values).toEqual([1, 2, 3]);
});

it('a page that the first has stays with it until it is detached, and nothing is left behind', async () => {
  const page = await openPage(browser);
  const objects = [page, browser, sessionOf(page), connectionOf(browser)];
  const found = objects.map((object) => Reflect.ownKeys(object));
  const ofPage = attach(page);
  const ofBrowser = another.attach(browser);
  expect([ofPage.covers(sessionOf(page)), ofBrowser.covers(sessionOf(page))]).toEqual([true, false]);
  ofPage.detach();
  expect(ofBrowser.covers(sessionOf(page))).toBe(true);
  const handle = await page.evaluateHandle(() => ({}));
  await handle.dispose();
  expect(await ofBrowser.flush()).toMatchObject({ complete: true });
  expect(ofBrowser.stats().disposed).toBeGreaterThan(0);
  ofBrowser.detach();
  expect(objects.map((object) => Reflect.ownKeys(object))).toEqual(found);
});

it('expectNoLeaks says that it sees nothing of what another copy is attached to', async () => {
  const page = await openPage(browser);
  const releases = another.attach(page);
  onTestFinished(() => releases.detach());
  await expect(expectNoLeaks(page, () => {})).rejects.toThrow('another copy of cdp-release-batcher');
});
